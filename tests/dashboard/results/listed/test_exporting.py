import csv
import dataclasses
import gzip
import io
import json
import zipfile

import nibabel
import numpy as np

from dashboard.desk import shelf
from dashboard.results.listed import exporting


def test_runs_leave_with_their_maps_records_and_table(workbench):
    array = np.random.default_rng(2).random((1, 12, 14, 12), np.float32)
    scan = workbench.add_scan(array)
    runs = [workbench.finished(scan=scan, explainer=name) for name in ("saliency", "grad_cam")]
    failed = workbench.finished(scan=scan, explainer="grad_cam", parameters={"layer": "no.such"})
    broken = workbench.finished(scan=scan, explainer="saliency", target="CN")
    (shelf().result(broken) / "explanation.json").write_text("{")
    shelf().table.describe(runs[0], "=Figure 1", "note", ["a", "b"])
    content = exporting.zip_of_runs([*runs, failed, broken])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        folder = f"figure-1-{runs[0][:6]}"
        assert {f"{folder}/explanation.json", f"{folder}/map.nii.gz", "runs.csv", "left-out.txt"} <= set(names)
        record = json.loads(archive.read(f"{folder}/explanation.json"))
        kept = nibabel.Nifti1Image.from_bytes(gzip.decompress(archive.read(f"{folder}/map.nii.gz")))
        rows = list(csv.DictReader(io.StringIO(archive.read("runs.csv").decode())))
        left = archive.read("left-out.txt").decode()
    assert record["explainer"] == "saliency"
    np.testing.assert_allclose(kept.get_fdata(), shelf().explanation(runs[0]).arrays["map"].values, rtol=1e-5)
    assert [row["id"] for row in rows] == [*runs, failed, broken]
    assert rows[0]["name"] == "'=Figure 1"  # no formula for a spreadsheet
    assert rows[0]["tags"] == "a; b"
    assert (rows[0]["method"], rows[0]["class"], rows[2]["status"]) == ("Saliency", "AD", "failed")
    assert float(rows[0]["probability before"]) == shelf().explanation(runs[0]).scores["before"]["AD"]
    assert [line.split()[0] for line in left.splitlines()] == [failed, broken]


def test_too_much_does_not_leave_at_once(workbench):
    scan = workbench.add_scan()
    (row,) = shelf().table.rows([workbench.finished(scan=scan)])
    assert exporting.why_not([row]) is None
    assert "done" in exporting.why_not([])
    assert "fewer" in exporting.why_not([row] * 101)
    large = dataclasses.replace(row, run=dataclasses.replace(row.run, size=2 << 30))
    assert "2.1 GB" in exporting.why_not([large])

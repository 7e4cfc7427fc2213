import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest

from core.errors import BadInput
from core.explainers.base import Check, Explanation, MapArray
from core.explainers.extras import Curve, Part, Parts
from core.metrics.localisation import RegionShare
from core.reports.explanation import RECORD, export_explanation, read_explanation, write_explanation
from core.scans import Scan, SourceSpace
from core.settings import ROOT

#: What outside checks rely on.
FIXED_KEYS = ("explainer", "model", "target", "parameters", "scores", "arrays", "seconds", "versions", "hashes")


def explanation(shape: tuple[int, ...] = (4, 5, 6)) -> Explanation:
    random = np.random.default_rng(0)
    affine = np.diag([2.0, 2.0, 3.0, 1.0])
    # the file is stored with its first axis running right to left
    flipped = affine @ np.array([[-1.0, 0, 0, shape[0] - 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    source = SourceSpace(flipped, shape, np.array([[0, -1], [1, 1], [2, 1]])) if len(shape) == 3 else None
    return Explanation(
        explainer="mask",
        model="tiny",
        target="AD",
        preset="paper",
        parameters={"lambda_1": 1e-4},
        scan=Scan(random.random((1, *shape), dtype=np.float32), affine, source=source),
        arrays={
            "map": MapArray(random.random(shape, dtype=np.float32), "share hidden", "mask", "share"),
            "signed": MapArray(random.random(shape, dtype=np.float32) - 0.5, "gradient", "attribution", diverging=True),
        },
        scores={"before": {"CN": 0.1, "AD": 0.9}, "after": None},
        history={"iteration": [0, 1], "loss": [1.0, float("nan")]},
        regions=(RegionShare("hippocampus", 0.7, 0.5, 12),),
        atlas="built-in",
        checks=(Check("swap", "Swap test", float("inf"), "It fell.", passed=True),),
        numbers={"volume_cm3": 2.5},
        notes=("resampled 1.5 → 3 mm",),
        warnings=(),
        sentence="Hiding 2.5 cm³ takes AD from 90% to 3%.",
        synthetic=True,
        seconds=1.5,
        versions={"lightbox": "0.1.0"},
        hashes={"scan": "0" * 64, "model": "1" * 64},
    )


def strict(text: str) -> dict[str, object]:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    content: dict[str, object] = json.loads(text, parse_constant=refuse)
    return content


def test_a_stored_explanation_comes_back_with_its_arrays_on_the_disk(tmp_path: Path) -> None:
    given = explanation()
    write_explanation(given, tmp_path)
    back = read_explanation(tmp_path)
    assert isinstance(back.arrays["map"].values, np.memmap)
    for name, array in given.arrays.items():
        stored = back.arrays[name]
        np.testing.assert_array_equal(stored.values, array.values)
        assert (stored.title, stored.kind, stored.unit) == (array.title, array.kind, array.unit)
        assert (stored.neutral, stored.diverging) == (array.neutral, array.diverging)
    assert (back.explainer, back.model, back.target) == ("mask", "tiny", "AD")
    assert back.scores == given.scores
    assert back.sentence == given.sentence
    assert back.regions == [{"name": "hippocampus", "share": 0.7, "density": 0.5, "voxels": 12}]
    assert back.checks[0]["sentence"] == "It fell."


def test_parts_and_curves_are_written_and_read(tmp_path: Path) -> None:
    parts = Parts("mask", "masks", "", (Part(0, "First", 1.0, 0.5, "signed", "half"),), "One mask.", "Click.", "None.")
    curves = {"loss": Curve("loss", role="goal")}
    write_explanation(dataclasses.replace(explanation(), parts=parts, curves=curves), tmp_path)
    back = read_explanation(tmp_path)
    assert back.parts == parts
    assert back.curves == curves
    write_explanation(explanation(), tmp_path)
    assert read_explanation(tmp_path).parts is None


def test_the_pieces_of_a_map_are_its_own_labels_and_not_the_region_that_was_marked(tmp_path: Path) -> None:
    given = explanation()
    labels = MapArray(np.ones((4, 5, 6), np.float32), "marked region", "labels")
    write_explanation(dataclasses.replace(given, arrays={**given.arrays, "region": labels}), tmp_path)
    assert read_explanation(tmp_path).pieces is None
    pieces = dataclasses.replace(labels, title="patches")
    arrays = {**given.arrays, "region": labels, "pieces": pieces}
    write_explanation(dataclasses.replace(given, arrays=arrays), tmp_path)
    found = read_explanation(tmp_path).pieces
    assert found is not None
    assert found.title == "patches"


def test_the_record_has_the_fixed_keys_and_is_strict_json(tmp_path: Path) -> None:
    export_explanation(explanation(), tmp_path)
    record = strict((tmp_path / "explanation.json").read_text())
    assert set(FIXED_KEYS) <= record.keys()
    assert record["arrays"] == {"map": "map.nii.gz", "signed": "signed.nii.gz"}
    assert record["history"] == {"iteration": [0, 1], "loss": [1.0, None]}


def test_a_regressor_has_no_scores(tmp_path: Path) -> None:
    write_explanation(dataclasses.replace(explanation(), scores=None, target=None), tmp_path)
    assert "scores" not in strict((tmp_path / "explanation.json").read_text())
    assert read_explanation(tmp_path).scores is None


def test_exported_maps_lie_on_the_file_that_was_read(tmp_path: Path) -> None:
    given = explanation()
    export_explanation(given, tmp_path)
    image = nibabel.load(tmp_path / "map.nii.gz")
    assert given.scan.source is not None
    np.testing.assert_allclose(image.affine, given.scan.source.affine)
    np.testing.assert_array_equal(np.asarray(image.dataobj), given.arrays["map"].values[::-1])


def test_a_2d_explanation_leaves_as_numbers_and_as_pictures(tmp_path: Path) -> None:
    given = explanation((7, 9))
    record = export_explanation(given, tmp_path)
    assert record["arrays"] == {"map": "map.npy", "signed": "signed.npy"}
    np.testing.assert_array_equal(np.load(tmp_path / "map.npy"), given.arrays["map"].values)
    assert {"map.png", "signed.png"} <= {path.name for path in tmp_path.iterdir()}


def test_a_result_that_is_gone_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="run it again"):
        read_explanation(tmp_path)
    write_explanation(explanation(), tmp_path)
    (tmp_path / "map.npy").unlink()
    with pytest.raises(BadInput, match="run it again"):
        _ = read_explanation(tmp_path).arrays["map"].values


def test_reading_a_result_does_not_import_torch() -> None:
    code = "import sys, core.reports.explanation, core.runs; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_record_in_memory_holds_plain_values_like_the_one_on_the_disk(tmp_path: Path) -> None:
    """It goes on as JSON: to the command line, to a page."""
    record = export_explanation(explanation(), tmp_path)
    assert record == json.loads((tmp_path / RECORD).read_text(encoding="utf-8"))
    assert record["history"]["loss"] == [1.0, None]
    assert record["checks"][0]["value"] is None

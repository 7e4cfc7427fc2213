"""What is kept of a result carries its figure, its tables and when it was made, and what must be known of it."""

import csv
import io
import json
import zipfile
from functools import partial

import numpy as np
import pytest
from PIL import Image

from core.acceptance.verdict import Acceptance, Sign
from core.errors import LightboxError
from core.explainers.extras import Verdict
from core.reports.explanation import StoredExplanation
from core.runs import Landmark
from core.runs.store.records import Run
from dashboard.components.viewer import Hung, Panel, publish
from dashboard.components.viewer import Layer as ShownLayer
from dashboard.desk import owner, shelf
from dashboard.results.layers import map_layer, scan_layer
from dashboard.results.leaving.figure import RESEARCH, caption_of, day_of, figure_of
from dashboard.results.leaving.files import Leaving

REFUSED = Acceptance("refused", (Sign("space", "Space", False, "It is no brain."),))


@pytest.fixture
def accepted(monkeypatch):
    """Scans of noise are none that the small model was made for: here it takes them."""
    monkeypatch.setattr("core.reports.explanation.StoredExplanation.acceptance", None)


def leaving_of(workbench, landmarks=False):
    name = workbench.add_scan()
    run = shelf().run(workbench.finished(scan=name))
    scan, found = shelf().scan(name), shelf().explanation(run.id)
    if landmarks:
        region = np.zeros(scan.shape, bool)
        region[2:4, 2:4, 2:4] = True
        shelf().keep_landmarks(name, [Landmark("Spot", shelf().add_region(region))])
    layers = [scan_layer(scan), map_layer(scan, run.id, "map", found.arrays["map"])]
    panels = [
        Panel("scan", "Scan", layers[:1]),
        Panel("overlay", "Map", layers),
        Panel("old", "Old", layers, dimmed=True),
    ]
    return Leaving(run, scan, found, lambda: Hung(panels, "coronal", (5, 6, 7)))


def test_the_zip_holds_record_with_date_maps_figure_and_tables(workbench, accepted):
    leaving = leaving_of(workbench, landmarks=True)
    with zipfile.ZipFile(io.BytesIO(leaving.archive())) as archive:
        names = set(archive.namelist())
        assert {
            "explanation.json",
            "map.nii.gz",
            "figure.png",
            "figure.svg",
            "landmarks.csv",
            "probabilities.csv",
        } <= names
        record = json.loads(archive.read("explanation.json"))
        (spot,) = csv.DictReader(io.StringIO(archive.read("landmarks.csv").decode()))
    assert record["run"]["id"] == leaving.run.id
    assert record["run"]["finished"].startswith(day_of(leaving.run))
    assert json.loads(leaving.record())["run"] == record["run"]
    assert spot["landmark"] == "Spot"
    assert int(spot["samples"]) == 8
    assert float(spot["share of the scan"]) == pytest.approx(8 / leaving.scan.array[0].size)


def test_a_figure_has_the_panels_window_colours_and_threshold_of_the_screen(workbench, accepted):
    leaving = leaving_of(workbench)
    shown = leaving.on_screen()
    figure = figure_of(shown)
    assert [panel.title for panel in figure.panels] == ["Scan", "Map"]
    assert (figure.plane, figure.place) == ("coronal", (5, 6, 7))
    (image,), (_, over) = (panel.layers for panel in figure.panels)
    assert (image.low, image.high) == shown.panels[0].layers[0].volume.window
    drawn = shown.panels[1].layers[1]
    assert (over.threshold, over.opacity, over.fade, over.colours) == (
        drawn.threshold, drawn.opacity, drawn.fade, drawn.colormap,
    )  # fmt: skip
    values = over.samples.stored * over.samples.scale + over.samples.offset
    assert values == pytest.approx(leaving.explanation.arrays["map"].values, abs=over.samples.scale)
    assert leaving.figure("png")[:4] == b"\x89PNG"


def test_a_map_with_signs_has_a_legend_that_is_the_same_on_both_sides(workbench):
    reference = publish(np.array([[-1.0, 0.0], [0.5, 3.0]]), np.eye(4), owner=owner())
    layer = ShownLayer(reference, "map", centre_zero=True, colormap="diverging")
    (panel,) = figure_of(Hung([Panel("map", "Map", [layer])], "axial", None)).panels
    assert (panel.layers[0].low, panel.layers[0].high, panel.layers[0].signed) == (-3, 3, True)


@pytest.mark.parametrize("why", ["refused", "fails", "withheld"])
def test_what_is_not_to_be_believed_says_so_in_figure_and_tables(workbench, monkeypatch, why):
    leaving = leaving_of(workbench, landmarks=True)
    verdict = {
        "refused": Verdict("holds", "All."),
        "fails": Verdict("fails", "Not passed: deletion."),
        "withheld": Verdict("fails", "Not passed: goal.", "Try more steps."),
    }[why]
    monkeypatch.setattr(StoredExplanation, "acceptance", REFUSED if why == "refused" else None)
    monkeypatch.setattr(StoredExplanation, "verdict", verdict)
    assert "Do not believe" in leaving.figure("svg").decode()
    with Image.open(io.BytesIO(leaving.figure("png"))) as picture:
        assert picture.text["Caution"].startswith("Do not believe")
    answer, _, held, _ = caption_of(leaving.run, leaving.explanation)
    if why == "refused":
        assert "%" not in answer.removesuffix(leaving.explanation.sentence)
        assert "It is no brain." in held
    else:
        assert held.startswith("Does not hold.")
    if why == "withheld":
        assert "landmarks" not in leaving.tables
    else:
        assert leaving.tables["landmarks"][0]["caution"].startswith("Do not believe")
    assert leaving.tables["probabilities"][0]["caution"].startswith("Do not believe")


def test_the_caption_says_what_when_and_that_this_is_research(workbench, accepted):
    leaving = leaving_of(workbench)
    answer, method, _, source = caption_of(leaving.run, leaving.explanation)
    assert answer.startswith("The model says ")
    assert leaving.explanation.sentence in answer
    assert method.startswith("Method: Saliency")
    assert RESEARCH in source
    assert leaving.run.id in source
    assert day_of(leaving.run) in source


def test_before_anything_hangs_there_is_no_figure_but_everything_else(workbench, accepted):
    leaving = leaving_of(workbench)
    bare = Leaving(leaving.run, leaving.scan, leaving.explanation, partial({}.get, "viewer"))
    with pytest.raises(LightboxError, match="not on screen yet"):
        bare.figure("png")
    with zipfile.ZipFile(io.BytesIO(bare.archive())) as archive:
        assert "figure.png" not in archive.namelist()
        assert "map.nii.gz" in archive.namelist()


def test_the_day_of_a_run_is_when_it_was_finished():
    fields = dict.fromkeys(Run.__dataclass_fields__)
    assert day_of(Run(**fields | {"created": 0.0, "finished": 86400 * 365.5})) == "1971-01-01"
    assert day_of(Run(**fields | {"created": 86400 * 365.5})) == "1971-01-01"

import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from core.explainers.extras import Verdict
from core.runs import ExplanationSpec, Status, manager
from core.scans import Scan
from dashboard.desk import shelf
from dashboard.results.listed import thumbnails


@pytest.fixture
def accepted(monkeypatch):
    """Scans of noise are none that the small model was made for: here it takes them."""
    monkeypatch.setattr("core.reports.explanation.StoredExplanation.acceptance", None)


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def test_a_scan_shows_its_middle_slice_face_up_and_right_on_the_left(workbench):
    array = np.zeros((1, 10, 12, 8), np.float32)
    array[0, 9, 11, 4] = 1.0  # right, anterior, in the middle slice
    name = shelf().add_scan(Scan(array, np.eye(4)))
    picture = pixels(thumbnails.of_scan(name))
    assert picture.shape == (12, 10, 3)
    assert picture[0, 0].min() > 200
    assert picture[1:].max() < 60
    assert (shelf().scan_folder(name) / "thumbnail.png").is_file()


def test_the_slice_that_the_map_marks_most_is_shown_with_the_map(workbench, accepted):
    array = np.full((1, 12, 14, 12), 0.5, np.float32)
    array[0, 3] = 1.0
    scan = workbench.add_scan(array)
    run_id = workbench.finished(scan=scan)
    values = np.zeros((12, 14, 12), np.float32)
    values[4, 5, 9] = -3.0
    path = shelf().result(run_id) / "map.npy"
    np.save(path, values)
    picture = pixels(thumbnails.of_run(shelf().run(run_id)))
    coloured = np.abs(picture - picture.mean(axis=2, keepdims=True)).max(axis=2) > 20
    assert np.argwhere(coloured).tolist() == [[14 - 1 - 5, 12 - 1 - 4]]


def test_a_picture_is_made_once_and_read_afterwards(workbench, monkeypatch):
    run = shelf().run(workbench.finished(scan=workbench.add_scan()))
    assert not thumbnails.is_made(run)
    first = thumbnails.of_run(run)
    assert thumbnails.is_made(run)
    assert len(first) < 12_000
    monkeypatch.setattr(thumbnails, "_of_result", None)
    assert thumbnails.of_run(run) == first


@pytest.mark.parametrize("why", ["withheld", "refused"])
def test_no_map_is_shown_that_would_be_taken_for_a_result(workbench, monkeypatch, why):
    scan = workbench.add_scan()
    run = shelf().run(workbench.finished(scan=scan))
    verdict = Verdict("fails", "No.", "Try more steps." if why == "withheld" else "")
    refused = SimpleNamespace(refused=True) if why == "refused" else None
    stored = SimpleNamespace(verdict=verdict, acceptance=refused)
    monkeypatch.setattr("core.runs.store.shelf.Shelf.explanation", lambda *_: stored)
    picture = pixels(thumbnails.of_run(run))
    assert (picture == pixels(thumbnails.of_scan(scan))).all()


@pytest.mark.parametrize("damage", ["record", "map", "shape", "scan", "gone"])
def test_what_is_damaged_has_no_picture_and_is_not_tried_again(workbench, accepted, damage):
    run = shelf().run(workbench.finished(scan=workbench.add_scan()))
    result = shelf().result(run.id)
    if damage == "record":
        (result / "explanation.json").write_text("{")
    elif damage == "map":
        (result / "map.npy").write_bytes(b"no array")
    elif damage == "shape":
        np.save(result / "map.npy", np.zeros((3, 4, 5, 6, 7), np.float32))
    elif damage == "scan":
        (shelf().scan_folder(run.request["scan"]) / "array.npy").unlink()
    else:
        (result / "explanation.json").unlink()
    assert thumbnails.of_run(run) is None
    assert thumbnails.is_made(run)


def test_what_has_no_map_shows_its_scan_or_nothing(workbench):
    scan = workbench.add_scan()
    failed = shelf().run(workbench.finished(scan=scan, explainer="grad_cam", parameters={"layer": "no.such"}))
    assert failed.status is Status.FAILED
    assert thumbnails.of_run(failed) == thumbnails.of_scan(scan)
    assert thumbnails.of_scan("0" * 64) is None
    assert thumbnails.of_scan("no hash") is None


def test_pictures_of_others_are_not_shown(workbench):
    scan = workbench.add_scan()
    run = shelf().run(workbench.finished(scan=scan))
    theirs = manager().shelf("somebody else")
    theirs.add_scan(shelf().scan(scan))
    spec = ExplanationSpec(scan=scan, model="tiny-volume", explainer="saliency", target="AD")
    other = theirs.wait(theirs.submit(spec))
    assert thumbnails.of_run(other) is None
    assert thumbnails.of_run(run)


def test_a_picture_fits_into_its_row():
    def png(columns, rows):
        written = io.BytesIO()
        Image.new("L", (columns, rows)).save(written, format="PNG")
        return written.getvalue()

    assert thumbnails.shown_size(png(112, 104)) == (56, 52)
    assert thumbnails.shown_size(png(10, 112)) == (5, 52)
    assert thumbnails.shown_size(png(112, 1)) == (56, 1)

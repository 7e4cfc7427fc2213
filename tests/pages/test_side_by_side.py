"""Any results side by side on the Compare page, and the tray that leads there."""

import csv
import html
import io
import json
import zipfile

import nibabel
import numpy as np
import pytest

from core.errors import LightboxError
from core.reports.explanation import StoredExplanation
from core.runs import Status, manager
from core.runs.store import tables
from dashboard.compare.side_by_side.export import archive, figure
from dashboard.compare.side_by_side.members import comparison_of
from dashboard.components.viewer import Hung, Panel
from dashboard.desk import shelf
from dashboard.results.layers import scan_layer
from dashboard.results.pinned import tray
from tests.pages.conftest import GRID, SHAPE, errors, said, settle, viewers


def compare(bench, *runs, **more):
    return bench.open("compare", view="results", runs=",".join(runs), **more)


def desk(page):
    return page.session_state["compare desk"]


def sent(page):
    """What the viewer is told."""
    (viewer,) = viewers(page)
    return json.loads(viewer.proto.json)


def titles(page):
    return [panel["title"] for panel in sent(page)["panels"]]


def masks(bench, scan, *iterations):
    return [bench.finished(scan=scan, explainer="mask", parameters={"iterations": count}) for count in iterations]


def test_two_settings_of_one_explainer_stand_side_by_side_by_a_link_of_runs_alone(workbench):
    scan = workbench.add_scan()
    one, other = (
        workbench.finished(scan=scan, explainer="integrated_gradients", parameters={"steps": steps})
        for steps in (8, 16)
    )
    page = workbench.open("compare", runs=f"{one},{other}")
    assert not page.error
    assert [title.split(" · ")[-1] for title in titles(page)[:2]] == ["Steps 8", "Steps 16"]
    assert titles(page)[2].startswith("B − A")
    assert titles(page)[3] == "Agreement: strongest 5%"
    text = html.unescape(said(page))
    for words in ("What differs", "Rank", "Correlation", "Overlap", "Difference", "prob_CNN", "P before"):
        assert words in text
    assert (page.query_params["view"], page.query_params["runs"]) == ("results", f"{one},{other}")
    for run in (one, other):
        assert shelf().explanation(run).sentence in text


def test_explainers_of_different_units_are_compared_by_rank_and_that_is_said(workbench):
    scan = workbench.add_scan()
    runs = [workbench.finished(scan=scan, explainer=name) for name in ("saliency", "occlusion", "integrated_gradients")]
    page = compare(workbench, *runs)
    assert not page.error
    shown = [title.replace("does not hold · ", "") for title in titles(page)]
    assert shown == ["A · Saliency", "B · Occlusion", "C · Integrated gradients", "Agreement: strongest 5%"]
    text = said(page)
    assert "The values have different meanings" in text
    assert "no value is subtracted from another" in text
    assert "Difference" not in text
    assert "<th scope='row'>A and C</th>" in text


def test_a_result_that_does_not_hold_says_so_in_its_title(workbench):
    scan = workbench.add_scan()
    one, other = masks(workbench, scan, 2, 3)
    record = shelf().result(one) / "explanation.json"
    told = json.loads(record.read_text())
    told["verdict"] = {"state": "fails", "sentence": "It does not."}
    record.write_text(json.dumps(told))
    page = compare(workbench, one, other)
    assert titles(page)[0] == "A · does not hold · Most iterations 2"
    assert "A does not hold by its own checks." in said(page)


def test_what_came_to_no_result_is_neither_drawn_nor_compared(workbench):
    scan = workbench.add_scan()
    names = ("saliency", "occlusion", "integrated_gradients")
    one, other, third = (workbench.finished(scan=scan, explainer=name) for name in names)
    record = shelf().result(other) / "explanation.json"
    told = json.loads(record.read_text())
    told["verdict"] = {"state": "fails", "sentence": "It missed its goal.", "remedy": "Try more steps."}
    record.write_text(json.dumps(told))
    page = compare(workbench, one, other, third)
    assert not page.error
    panel = sent(page)["panels"][1]
    assert panel["title"] == "B · no result · Occlusion"
    assert "Try more steps." in panel["struck"]
    assert [layer["role"] for layer in panel["layers"]] == ["image"]
    text = said(page)
    assert "B came to no result and is not compared." in text
    assert "<th scope='row'>A and C</th>" in text
    assert "<th scope='row'>A and B</th>" not in text


def test_maps_of_one_unit_share_scale_threshold_and_opacity_when_they_are_locked(workbench):
    scan = workbench.add_scan()
    one = workbench.finished(scan=scan, explainer="saliency")
    other = workbench.finished(scan=scan, explainer="saliency", target="CN", parameters={})
    third = workbench.finished(scan=workbench.add_scan(np.ones((1, *SHAPE), np.float32)), explainer="saliency")
    page = compare(workbench, one, other, third)
    maps = [layer for panel in sent(page)["panels"][:3] for layer in panel["layers"] if layer["role"] == "map"]
    assert {layer["lock"] for layer in maps} == {None}
    grounds = [panel["layers"][0]["group"] for panel in sent(page)["panels"][:3]]
    assert grounds[0] == grounds[1] != grounds[2]
    page.toggle(key="results locked").set_value(True).run()
    maps = [layer for panel in sent(page)["panels"][:3] for layer in panel["layers"] if layer["role"] == "map"]
    assert len({(layer["lock"], tuple(layer["range"]), layer["threshold"]) for layer in maps}) == 1
    assert maps[0]["lock"]
    assert len({panel["layers"][0]["group"] for panel in sent(page)["panels"][:3]}) == 1


def test_scans_on_grids_that_have_nothing_to_do_with_each_other_are_shown_and_not_measured(workbench):
    one = workbench.finished(scan=workbench.add_scan(), explainer="saliency")
    larger = np.random.default_rng(2).random((1, 14, 14, 14), np.float32)
    other = workbench.finished(scan=workbench.add_scan(larger), explainer="saliency")
    page = compare(workbench, one, other)
    text = said(page)
    assert not page.error
    assert len(titles(page)) == 2
    assert "nothing says that these have to do with each other" in text
    assert "Rank" not in text


def test_volumes_and_images_are_not_put_side_by_side(workbench):
    volume = workbench.finished(scan=workbench.add_scan(), explainer="saliency")
    picture = workbench.add_scan(np.random.default_rng(0).random((1, 16, 20), np.float32))
    image = workbench.finished(scan=picture, model="tiny-image", explainer="saliency")
    page = compare(workbench, volume, image)
    assert errors(page) == [
        "Some of these results are of volumes and some of single images: compare those of one kind."
    ]


@pytest.mark.parametrize("count", [1, 10])
def test_too_few_and_too_many_are_refused_in_a_sentence(workbench, count):
    scan = workbench.add_scan()
    runs = [workbench.finished(scan=scan, explainer="saliency", preset=None, target="AD") for _ in range(1)]
    for step in range(count - 1):
        region = np.zeros(SHAPE, bool)
        region[step] = True
        kept = shelf().add_region(region)
        runs.append(workbench.finished(scan=scan, explainer="saliency", region=kept))
    (problem,) = errors(compare(workbench, *runs))
    assert problem.startswith("It takes two results" if count == 1 else "At most 9 results")


def test_a_run_that_goes_on_has_its_place_and_can_be_cancelled(workbench):
    scan = workbench.add_scan()
    one, other = masks(workbench, scan, 2, 3)
    manager().store.ledger.change(tables.runs.c.id == other, status=Status.CANCELLED)
    page = compare(workbench, one, other)
    assert titles(page)[:2] == ["A · Most iterations 2", "B · Most iterations 3"]
    assert "Cancelled: B." in said(page)
    page.button(key=f"leave out {other}")
    manager().store.ledger.change(tables.runs.c.id == other, status=Status.RUNNING, finished=None)
    page.run()
    assert "1 of 2 done" in [bar.text.split(" · ")[0] for bar in page.get("progress")]
    manager().store.ledger.change(tables.runs.c.id == other, status=Status.DONE)


def test_a_result_is_added_and_left_out_on_the_left(workbench):
    one, other, third = masks(workbench, workbench.add_scan(), 2, 3, 4)
    page = compare(workbench, one, other)
    assert page.button(key=f"leave out {one}").disabled
    next(box for box in page.selectbox if box.label == "Add a result").select(third).run()
    assert desk(page).beside == (one, other, third)
    assert page.query_params["runs"] == f"{one},{other},{third}"
    page.button(key=f"leave out {other}").click().run()
    assert desk(page).beside == (one, third)
    page.button(key=f"open beside {third}").click().run()
    assert page.session_state["desk"].run == third


def test_a_run_that_is_deleted_leaves_the_others(workbench):
    one, other, third = masks(workbench, workbench.add_scan(), 2, 3, 4)
    page = compare(workbench, one, other, third)
    shelf().delete(other)
    page.run()
    assert not page.error
    assert desk(page).beside == (one, third)
    shelf().delete(third)
    page.run()
    assert not page.error
    assert "It takes two results to compare" in said(page)


def test_everything_leaves_in_one_archive(workbench):
    one, other = masks(workbench, workbench.add_scan(), 3, 5)
    content = archive(comparison_of([shelf().run(one), shelf().run(other)]), 0.05)
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        names = packed.namelist()
        for letter, run in (("A", one), ("B", other)):
            assert f"{letter}-{run}/explanation.json" in names
            left = nibabel.Nifti1Image.from_bytes(_unzipped(packed.read(f"{letter}-{run}/map.nii.gz")))
            np.testing.assert_allclose(left.get_fdata(), shelf().explanation(run).arrays["map"].values, atol=1e-6)
        difference = nibabel.Nifti1Image.from_bytes(_unzipped(packed.read("difference.nii.gz"))).get_fdata()
        first, second = (shelf().explanation(run).arrays["map"].values for run in (one, other))
        np.testing.assert_allclose(difference, second - first, atol=1e-6)
        np.testing.assert_allclose(
            nibabel.Nifti1Image.from_bytes(_unzipped(packed.read("difference.nii.gz"))).affine, GRID
        )
        rows = list(csv.DictReader(io.StringIO(packed.read("results.csv").decode())))
        assert [row["run"] for row in rows] == [one, other]
        differs = list(csv.reader(io.StringIO(packed.read("differs.csv").decode())))
        assert differs[:2] == [["what", "A", "B"], ["Most iterations", "3", "5"]]
        assert json.loads(packed.read("comparison.json"))["runs"] == {"A": one, "B": other}
        likeness = list(csv.DictReader(io.StringIO(packed.read("likeness.csv").decode())))
        assert (likeness[0]["one"], likeness[0]["other"]) == ("A", "B")


def _unzipped(content):
    import gzip

    return gzip.decompress(content)


# ---- the tray


def explained(bench, explainer):
    page = bench.open("explain")
    laid = page.session_state["desk"]
    laid.scan, laid.explainer = bench.add_scan(), explainer
    laid.revision += 1
    page.run()
    page.button(key="explain").click().run()
    return settle(page)


def test_two_pinned_results_are_one_press_away_from_each_other(workbench):
    page = explained(workbench, "saliency")
    first = page.session_state["desk"].run
    page.button(key="explain pin result").click().run()
    assert page.button(key="explain compare pinned").disabled
    page.session_state["desk"].explainer = "occlusion"
    page.session_state["desk"].revision += 1
    page.run()
    page.button(key="explain").click().run()
    settle(page)
    second = page.session_state["desk"].run
    page.button(key="explain pin result").click().run()
    page.button(key="explain compare pinned").click().run()
    assert not page.error
    assert desk(page).beside == (first, second)
    assert page.query_params["runs"] == f"{first},{second}"
    assert [title.split(" · ")[-1] for title in titles(page)[:2]] == ["Saliency", "Occlusion"]


def test_what_is_pinned_can_be_taken_off_and_a_deleted_run_is_not_there(workbench):
    page = explained(workbench, "saliency")
    run = page.session_state["desk"].run
    page.button(key="explain pin result").click().run()
    assert page.session_state[tray._TRAY] == (run,)
    page.button(key="explain pin result").click().run()
    assert page.session_state[tray._TRAY] == ()
    page.button(key="explain pin result").click().run()
    shelf().delete(run)
    page.run()
    assert page.session_state[tray._TRAY] == ()
    assert not page.error


def test_maps_of_trace_are_pinned_and_compared_too(workbench):
    scan = workbench.add_scan(np.random.default_rng(5).random((1, 40, 24), np.float32))
    region = np.zeros((40, 24), bool)
    region[18:22, 10:14] = True
    kept = shelf().add_region(region)
    runs = [
        workbench.finished(
            scan=scan, model="tiny-maker", explainer="ibix", target=None, region=kept, parameters={"direction": way}
        )
        for way in ("forward", "backward")
    ]
    assert {shelf().run(run).status for run in runs} == {Status.DONE}
    page = workbench.open("trace", run=runs[0])
    page.button(key="trace pin result").click().run()
    page.session_state[tray._TRAY] = tuple(runs)
    page.run()
    page.button(key="trace compare pinned").click().run()
    assert not page.error
    assert titles(page)[:2] == ["A · Direction forward", "B · Direction backward"]
    text = said(page)
    assert "the image that the model makes of it: one grid, two pictures." in text
    assert "no check of its own" in text


@pytest.mark.parametrize("refused", [("A",), ("A", "B"), ()])
def test_the_row_leaves_as_a_figure_that_says_what_each_letter_is_and_whose_map_is_not_to_be_believed(
    workbench, monkeypatch, refused
):
    name = workbench.add_scan()
    runs = [shelf().run(run) for run in masks(workbench, name, 3, 5)]
    comparison = comparison_of(runs)
    letters = {str(member.explanation.arrays["map"].path): member.letter for member in comparison.members}
    words = "Do not believe: the model was not made for this scan."
    monkeypatch.setattr(
        StoredExplanation,
        "caution",
        property(lambda found: words if letters[str(found.arrays["map"].path)] in refused else ""),
    )
    hung = Hung([Panel("a", "A", [scan_layer(shelf().scan(name))])], "axial", None)
    svg = figure(comparison, lambda: hung, "svg").decode()
    assert all(run.id in svg for run in runs)
    assert svg.count("Lightbox is a research tool") == 2  # in the caption and in the file's description
    begins = {("A",): "Do not believe A:", ("A", "B"): "Do not believe A and B:", (): None}[refused]
    assert begins in svg if begins else "Do not believe" not in svg
    assert figure(comparison, lambda: hung, "png").startswith(b"\x89PNG")
    with pytest.raises(LightboxError, match="not on screen yet"):
        figure(comparison, lambda: None, "png")

import numpy as np
import pytest

from core.metrics.landmarks import overlaps
from dashboard.desk import shelf
from dashboard.results import landmarks
from tests.pages.anatomy import CLASSES, FILM, SIDE, anatomy, labels
from tests.pages.conftest import SHAPE, said, settle

__all__ = ["anatomy"]
HOME, EXPLAIN = "home", "explain"


def hung(anatomy):
    """The Explain page with the film on it, as the button on Home leaves it."""
    page = anatomy.open(HOME)
    page.button(key="xray demo").click().run()
    assert not page.exception
    return page


def explained(anatomy):
    page = hung(anatomy)
    page.button(key="explain").click().run()
    return settle(page)


def result(page):
    return shelf().explanation(page.session_state["desk"].run)


def row(page, name):
    """Figures of a landmark as the table shows them: map, film, ratio."""
    shown = next(part for part in said(page).split("<div class='landmark'>") if part.startswith(f"<b title='{name}'"))
    return [cell.split("</i>")[0] for cell in shown.split("<i>")[1:4]]


def test_home_leads_to_the_film_with_its_explainer_and_the_class_the_model_sees(anatomy):
    page = hung(anatomy)
    desk = page.session_state["desk"]
    assert (desk.model, desk.explainer) == ("tiny-anatomy", "deconvnet")
    assert FILM in said(page)
    assert "The model says" in said(page)
    # eight classes do not fit beside each other
    chooser = next(box for box in page.selectbox if box.label == "Class to explain")
    assert chooser.options == list(CLASSES)
    chooser.select("spine").run()
    assert page.session_state["desk"].target == "spine"


def test_a_film_chosen_from_the_list_brings_its_model_and_explainer(anatomy):
    page = anatomy.open(EXPLAIN)
    page.selectbox[0].select("demo:xray").run()
    desk = page.session_state["desk"]
    assert (desk.model, desk.explainer) == ("tiny-anatomy", "deconvnet")


def test_without_such_a_film_home_has_no_such_button(workbench):
    assert "xray demo" not in {button.key for button in workbench.open(HOME).button}


def test_the_result_shows_filters_and_how_much_of_the_layer_they_hold(anatomy):
    page = explained(anatomy)
    assert not page.exception
    assert not page.error
    explanation = result(page)
    assert "The 25 strongest of 64 filters hold" in said(page)
    assert page.segmented_control(key="parts:count").options == ["Top 5", "Top 9", "Top 25"]
    assert len([name for name in explanation.arrays if name.startswith("filter_")]) == 25
    form = next(widget for widget in page.get("button_group") if widget.key.startswith("form of the map"))
    assert form.value == "heat"
    form.set_value("signed").run()
    assert not page.exception
    page.segmented_control(key="parts:count").set_value(25).run()
    assert not page.exception


def test_maps_of_filters_that_were_not_kept_are_explained(anatomy):
    page = hung(anatomy)
    desk = page.session_state["desk"]
    desk.run = anatomy.finished(
        scan=desk.scan,
        model="tiny-anatomy",
        explainer="deconvnet",
        target=desk.target,
        parameters={"separate": "combined"},
    )
    page.run()
    assert "set Each filter alone to always" in said(page)


def test_the_landmarks_of_a_demo_film_are_there_from_the_start_with_their_share_of_the_map(anatomy):
    page = explained(anatomy)
    values = result(page).arrays["map"].values
    expected = overlaps(values, {"bone": labels() == 1, "marker": labels() == 2})
    for overlap in expected:
        assert row(page, overlap.name)[:2] == [f"{overlap.share:.1%}", f"{overlap.area:.1%}"]


def test_a_landmark_is_drawn_named_changed_and_removed_and_each_step_undone(anatomy):
    page = explained(anatomy)
    page.button(key="draw landmark").click().run()
    laid = page.session_state["landmarks"]
    assert laid.drawing == "landmark 1"
    region = np.zeros((SIDE, SIDE), dtype=bool)
    region[3:5, 4:9] = True
    laid.painted(region)
    page.run()
    share = overlaps(result(page).arrays["map"].values, {"x": region})[0].share
    assert row(page, "landmark 1")[0] == f"{share:.1%}"
    next(box for box in page.text_input if box.key.startswith("landmark name")).set_value("carpal  bones").run()
    assert laid.drawing == "carpal bones"
    region[3:9] = True
    laid.painted(region)
    page.button(key="landmark done").click().run()
    changed = overlaps(result(page).arrays["map"].values, {"x": region})[0].share
    assert row(page, "carpal bones")[0] == f"{changed:.1%}"
    page.button(key="landmark delete bone").click().run()
    assert [landmark.name for landmark in laid.all] == ["marker", "carpal bones"]
    for names in (["bone", "marker", "carpal bones"],) * 2 + (["bone", "marker", "landmark 1"], ["bone", "marker"]):
        page.button(key="undo landmark").click().run()
        assert [landmark.name for landmark in laid.all] == names
    assert page.button(key="undo landmark").disabled
    # somebody who comes back later finds what is kept
    again = anatomy.open(EXPLAIN)
    again.session_state["desk"].scan = page.session_state["desk"].scan
    again.run()
    assert "<b title='bone'" in said(again)


def test_what_is_drawn_on_the_way_of_one_landmark_never_touches_another(anatomy):
    page = hung(anatomy)
    page.button(key="landmark edit bone").click().run()
    laid = page.session_state["landmarks"]
    before = {landmark.name: landmark.region for landmark in laid.all}
    assert np.array_equal(laid.region_in_hand((SIDE, SIDE)), labels() == 1)
    laid.painted(None)
    assert [landmark.name for landmark in laid.all] == ["marker"]
    laid.undo()
    assert {landmark.name: landmark.region for landmark in laid.all} == before
    assert laid.drawing == "bone"
    laid.done()
    laid.painted(labels() == 2)
    assert {landmark.name: landmark.region for landmark in laid.all} == before


@pytest.mark.parametrize(("name", "sentence"), [("marker", "of this name already"), (" ", "needs a name")])
def test_a_name_that_cannot_be_is_told_and_not_taken(anatomy, name, sentence):
    page = hung(anatomy)
    page.button(key="landmark edit bone").click().run()
    next(box for box in page.text_input if box.key.startswith("landmark name")).set_value(name).run()
    assert sentence in page.error[0].value
    assert [landmark.name for landmark in page.session_state["landmarks"].all] == ["bone", "marker"]


def test_a_name_that_is_markup_stays_words(anatomy):
    page = hung(anatomy)
    laid = page.session_state["landmarks"]
    laid.rename("bone", "<img src=x onerror=alert(1)>")
    page.run()
    assert "<img src=x" not in said(page)
    assert "&lt;img src=x onerror=alert(1)&gt;" in said(page)


def test_any_explainers_map_is_held_against_the_landmarks_of_a_volume(workbench):
    scan = workbench.add_scan()
    region = np.zeros(SHAPE, dtype=bool)
    region[2:6, 3:9, 4:8] = True
    laid = landmarks.LandmarkDesk(scan)
    page = workbench.open(EXPLAIN)
    page.session_state["desk"].scan = scan
    page.session_state["desk"].explainer = "saliency"
    page.run()
    page.session_state["landmarks"].draw("hippocampus")
    page.session_state["landmarks"].painted(region)
    page.button(key="explain").click().run()
    settle(page)
    assert laid.all[0].name == "hippocampus"
    share = overlaps(result(page).arrays["map"].values, {"x": region})[0].share
    assert row(page, "hippocampus")[0] == f"{share:.1%}"


def test_the_landmarks_of_the_scan_before_are_not_drawn_on(anatomy):
    page = hung(anatomy)
    page.button(key="landmark edit bone").click().run()
    page.session_state["desk"].scan = anatomy.add_scan(np.random.default_rng(0).random((1, SIDE, SIDE), np.float32))
    page.run()
    laid = page.session_state["landmarks"]
    assert laid.drawing is None
    assert laid.all == ()
    assert "None yet." in said(page)

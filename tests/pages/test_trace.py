from types import SimpleNamespace

import numpy as np
import pytest
from markupsafe import escape

from core.runs import LOCAL_OWNER, Status
from core.wording import percent
from dashboard.desk import shelf
from dashboard.trace import questions as trace_questions
from dashboard.trace import stage
from tests.pages.conftest import MADE, SHAPE, said, settle

PAIR = "demo:slice"


def opened(workbench):
    """The Trace page with the demo pair on it."""
    page = workbench.open("trace")
    page.selectbox[0].select(PAIR).run()
    return page


def paint(page, side, *pixels):
    """What a stroke leaves on the desk."""
    region = np.zeros(MADE, dtype=bool)
    for pixel in pixels:
        region[pixel] = True
    page.session_state["trace desk"].select(region if pixels else None, side)
    if not pixels:
        page.session_state["trace desk"].clear()
    page.run()
    return region


def traced(page):
    """The explanation on the page."""
    return shelf().explanation(page.session_state["trace desk"].traced)


def test_without_a_scan_the_page_says_what_to_do(workbench):
    page = workbench.open("trace")
    assert "Nothing on the lightbox yet" in said(page)
    assert page.selectbox[0].options == ["Demo pair, slice"]


def test_the_demo_pair_is_hung_with_its_model_and_its_ground_truth(workbench):
    page = opened(workbench)
    assert not page.error
    text = said(page)
    assert "Paint on the input" in text
    assert "synthetic data" in text
    assert "not a medical device" in text
    assert page.session_state["trace desk"].model == "tiny-maker"
    for figure in ("mean absolute error", "structural similarity", "bone, above 200 HU", "read as -1000…1000 HU"):
        assert figure in text


@pytest.mark.parametrize(("side", "direction"), [("input", "forward"), ("output", "backward")])
def test_painting_on_either_side_maps_to_the_other(workbench, side, direction):
    page = opened(workbench)
    paint(page, side, (10, 8), (11, 8))
    settle(page)
    explanation = traced(page)
    assert explanation.record["parameters"]["direction"] == direction
    assert explanation.arrays["map"].side == ("output" if side == "input" else "input")
    text = said(page)
    assert explanation.sentence in text
    assert "What leaks where" in text
    assert "changed inputs asked" in text
    assert page.query_params["run"] == page.session_state["trace desk"].traced


def test_a_new_stroke_replaces_the_trace_and_clearing_takes_it_away(workbench):
    page = opened(workbench)
    paint(page, "input", (10, 8))
    settle(page)
    first = page.session_state["trace desk"].traced
    paint(page, "output", (3, 3))
    settle(page)
    assert page.session_state["trace desk"].traced != first
    paint(page, None)
    assert page.session_state["trace desk"].traced is None
    assert "Paint on the input" in said(page)
    assert "run" not in page.query_params


def test_a_moved_slider_traces_the_same_selection_again(workbench):
    page = opened(workbench)
    paint(page, "input", (10, 8))
    settle(page)
    first = page.session_state["trace desk"].traced
    jitters = next(w for w in page.get("select_slider") if w.key.endswith(":jitters"))
    jitters.set_value(10).run()
    settle(page)
    assert page.session_state["trace desk"].traced != first
    assert traced(page).record["parameters"]["jitters"] == 10
    page.button(key="undo parameters").click().run()
    settle(page)
    assert page.session_state["trace desk"].traced == first


def test_earlier_selections_are_stepped_through_and_survive_a_new_session(workbench):
    page = opened(workbench)
    runs = []
    for side, pixel in (("input", (10, 8)), ("output", (5, 5)), ("input", (20, 3))):
        paint(page, side, pixel)
        settle(page)
        runs.append(page.session_state["trace desk"].traced)
    assert "Selection 3 of 3" in said(page)
    page.button(key="trace earlier").click().run()
    laid = page.session_state["trace desk"]
    assert (laid.traced, laid.side) == (runs[1], "output")
    assert shelf().region(laid.region)[5, 5]
    again = workbench.open("trace", run=runs[1])
    laid = again.session_state["trace desk"]
    assert (laid.traced, laid.side, laid.model) == (runs[1], "output", "tiny-maker")
    assert "Selection 2 of 3" in said(again)
    again.button(key="trace later").click().run()
    assert again.session_state["trace desk"].traced == runs[2]
    assert again.button(key="trace later").disabled
    assert len(shelf().runs()) == 3


def test_a_run_on_the_list_opens_where_it_was_painted(workbench):
    page = opened(workbench)
    paint(page, "output", (5, 5))
    settle(page)
    run = page.session_state["trace desk"].traced
    listed = workbench.open("runs")
    listed.button(key=f"open {run}").click().run()
    assert not listed.error
    assert listed.session_state["trace desk"].traced == run
    assert "Selection 1 of 1" in said(listed)


def test_the_distance_slider_says_how_much_of_the_map_is_farther(workbench):
    page = opened(workbench)
    paint(page, "input", (10, 8))
    settle(page)
    run = shelf().run(page.session_state["trace desk"].traced)
    slider = next(w for w in page.slider if "Farther from the selection than (pixels)" in w.label)
    slider.set_value(slider.max).run()
    curve = trace_questions.leak_curve_of(
        run.request["scan"],
        LOCAL_OWNER,
        "tiny-maker",
        "",
        str(traced(page).arrays["map"].path),
        run.request["region"],
        41,
    )
    assert curve.unit == "pixels"
    assert curve.shares[0] > curve.shares[3] > curve.shares[-1] == 0
    assert f"<span class='after'>{escape(percent(0.0))}</span>" in said(page)
    slider = next(w for w in page.slider if "Farther from the selection than (pixels)" in w.label)
    slider.set_value(curve.distances[3]).run()
    assert f"<span class='after'>{escape(percent(curve.shares[3]))}</span>" in said(page)


def test_a_cancelled_and_a_failed_trace_say_what_to_do(workbench, monkeypatch):
    page = opened(workbench)
    monkeypatch.setattr("core.explainers.ibix.explainer.Ibix.run", _broken)
    paint(page, "input", (10, 8))
    settle(page)
    text = said(page)
    assert "Failed" in text
    assert "Paint elsewhere" in text
    monkeypatch.undo()


def _broken(self, question, parameters):
    from core.errors import BadInput

    raise BadInput("Paint elsewhere.")


def test_a_stored_scan_of_the_same_shape_can_be_the_truth(workbench):
    scan = workbench.add_scan(np.full((1, *MADE), 40.0, np.float32), "Water")
    page = opened(workbench)
    truth = next(box for box in page.selectbox if box.label == "Ground truth")
    assert "Water" in truth.options
    truth.select(scan).run()
    assert "error in bone" in said(page)
    assert "none there" in said(page)
    truth = next(box for box in page.selectbox if box.label == "Ground truth")
    truth.select("").run()
    assert "No ground truth is chosen" not in said(page)  # nothing is traced yet either


def test_explain_offers_what_makes_images_behind_what_names_classes(workbench):
    page = workbench.open("explain")
    page.session_state["desk"].scan = workbench.add_scan(np.random.default_rng(0).random((1, 16, 20), np.float32))
    page.run()
    models = next(box for box in page.selectbox if box.label == "Model")
    assert models.options == ["Tiny image model", "Tiny maker model"]
    assert models.value == "tiny-image"


def test_a_demo_pair_on_explain_brings_the_model_that_makes_its_image(workbench):
    page = workbench.open("explain")
    page.selectbox[0].select(PAIR).run()
    assert (page.session_state["desk"].model, page.session_state["desk"].explainer) == ("tiny-maker", "ibix")
    assert "IBIX trace explains a marked region: draw a landmark on the scan first." in said(page)
    assert page.button(key="explain").disabled


def test_a_model_leads_from_its_card_to_the_trace_page(workbench):
    page = workbench.open("models")
    page.button(key="trace tiny-maker").click().run()
    assert page.session_state["trace desk"].model == "tiny-maker"
    assert "Nothing on the lightbox yet" in said(page)


def test_home_leads_into_the_trace_demo(workbench):
    home = workbench.open()
    home.button(key="trace demo").click().run()
    assert not home.error
    assert "Demo pair, slice" in said(home)


def test_a_classifier_is_traced_too(workbench):
    page = workbench.open("trace")
    laid = page.session_state["trace desk"]
    laid.scan = workbench.add_scan()
    page.run()
    assert laid.model == "tiny-volume"
    region = np.zeros(SHAPE, dtype=bool)
    region[5:7, 6, 6] = True
    laid.select(region, "input")
    page.run()
    settle(page)
    assert not page.error
    assert "Effect on each class" in said(page)
    numbers = traced(page).record["numbers"]
    assert f"{numbers['slope AD']:.4g}" in said(page)


def test_borders_of_superpixels_are_where_labels_change():
    labels = np.array([[1, 1, 2], [1, 3, 3]], dtype=np.float32)
    assert stage.borders(labels).tolist() == [[0, 1, 1], [1, 0, 0]]


def test_runs_of_traces_are_stored_with_their_side(workbench):
    page = opened(workbench)
    paint(page, "output", (2, 2))
    settle(page)
    run = shelf().run(page.session_state["trace desk"].traced)
    assert run.status is Status.DONE
    assert run.request["parameters"]["direction"] == "backward"


def multiselect(page):
    return next(box for box in page.multiselect if box.label == "Also on")


def test_a_group_of_scans_is_traced_as_one_and_opens_again(workbench):
    rng = np.random.default_rng(2)
    others = [workbench.add_scan(rng.random((1, *MADE), np.float32) * 255, f"Water {n}") for n in (1, 2)]
    workbench.add_scan(rng.random((1, 9, 9), np.float32), "Another shape")
    page = opened(workbench)
    assert multiselect(page).options == ["Water 2", "Water 1"]
    multiselect(page).set_value(others).run()
    paint(page, "input", (10, 8))
    settle(page)
    assert not page.error
    run = shelf().run(page.session_state["trace desk"].traced)
    assert set(run.request["others"]) == set(others)
    found = traced(page)
    text = said(page)
    assert "3, mean of their maps" in text
    assert f"{percent(found.record['numbers']['relative_spread'])} of the map" in text
    page.toggle(key="trace spread").set_value(True).run()
    assert not page.error
    again = workbench.open("trace", run=run.id)
    assert set(multiselect(again).value) == set(others)
    assert again.session_state["trace desk"].traced == run.id
    # another scan starts a group of its own
    again.selectbox[0].select(others[0]).run()
    assert multiselect(again).value == []
    assert again.session_state["trace desk"].others == ()


def test_the_mean_of_a_group_and_its_spread_are_titled_as_such(workbench):
    other = workbench.add_scan(np.full((1, *MADE), 40.0, np.float32), "Water")
    page = opened(workbench)
    page.session_state["trace desk"].others = (other,)
    page.session_state["trace desk"].others_for = page.session_state["trace desk"].scan
    page.run()
    paint(page, "input", (10, 8))
    settle(page)
    run = page.session_state["trace desk"].traced
    scan = shelf().scan(page.session_state["trace desk"].scan)
    mean = stage.exact_map(scan, run, traced(page))
    spread = stage.exact_map(scan, run, traced(page), spread=True)
    assert mean.title == "forward map |F|, mean of 2 scans"
    assert spread.title == "forward map |F|, spread over 2 scans"
    assert mean.reference.digest != spread.reference.digest


def test_a_demo_scan_joins_a_group_by_being_stored(workbench, monkeypatch, small_assets):
    from dashboard.intake import demo
    from dashboard.trace import group

    page = opened(workbench)
    here = page.session_state["trace desk"].scan
    twin = demo.DemoScan("true", "Its twin", "", small_assets / "scans" / "true.png", "tiny-maker", True)
    monkeypatch.setattr(group, "demo", SimpleNamespace(scans=lambda: (twin,)))
    stored = group._stored("demo:true")
    assert stored != here
    assert shelf().scan_meta(stored)["label"] == "Its twin"
    assert group._stored(stored) == stored


def test_a_true_image_in_the_units_of_the_answer_needs_no_note(workbench):
    # writing nothing under the figures took the whole page down
    scan = workbench.add_scan(np.full((1, *MADE), 40.0, np.float32), "Water")
    page = opened(workbench)
    next(box for box in page.selectbox if box.label == "Ground truth").select(scan).run()
    assert "error in bone" in said(page)
    paint(page, "output", (10, 8))
    settle(page)
    assert not page.error
    assert "How it was computed" in said(page)


def test_a_link_to_a_trace_leads_to_trace_from_any_page(workbench):
    page = opened(workbench)
    paint(page, "output", (5, 5))
    settle(page)
    run = page.session_state["trace desk"].traced
    again = workbench.open("explain", run=run)
    assert not again.error
    assert again.session_state["trace desk"].traced == run
    assert "Selection 1 of 1" in said(again)


def test_a_link_to_an_explanation_leads_from_trace_to_explain(workbench):
    run = workbench.finished(scan=workbench.add_scan())
    page = workbench.open("trace", run=run)
    assert not page.error
    assert page.session_state["desk"].run == run
    assert "How sure" in said(page)


def test_a_derivative_is_said_to_be_another_quantity_with_its_measured_correlation(workbench):
    page = opened(workbench)
    next(box for box in page.selectbox if box.label.startswith("Settings")).select("gradient").run()
    paint(page, "input", (10, 8))
    settle(page)
    found = traced(page).record["numbers"]["gradient_correlation"]
    text = said(page)
    assert "derivative, not the paper" in text
    assert f"correlation with it {found:.2f}" in text
    assert "another quantity" in text


def test_presets_say_what_they_are_for(workbench):
    page = opened(workbench)
    settings = next(box for box in page.selectbox if box.label == "Settings")
    for words in ("published code", "at once and per pixel", "16 well-placed jitters"):
        assert words in settings.help


def test_explain_asks_the_tracer_only_what_needs_no_painting(workbench):
    page = workbench.open("explain")
    laid = page.session_state["desk"]
    laid.scan, laid.explainer = workbench.add_scan(), "ibix"
    page.run()
    labels = [box.label for box in page.selectbox]
    assert "Kind of change" in labels
    assert "Direction" not in labels
    page.button(key="explain").click().run()
    settle(page)
    assert not page.error
    assert "pieces of the scan hold half of that" in said(page)

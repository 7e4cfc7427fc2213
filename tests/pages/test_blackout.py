"""An explainer that nobody here has heard of takes a region: it stands on Trace and on Explain, for any model."""

import gc

import numpy as np
import pytest
import torch

from core.explainers import Explainer, Findings, MapArray, explainers
from core.runs import Status
from dashboard.desk import shelf
from dashboard.intake import catalogue
from tests.pages.conftest import MADE, SHAPE, said, settle

NAME, TITLE = "toy-blackout", "Toy blackout"
PAIR = "demo:slice"


def make_explainer():
    class Blackout(Explainer):
        """Sets the marked region to 0 and says what that changes."""

        name = NAME
        title = TITLE
        summary = "The map shows what changes when the marked region is black."
        reference = "Nobody, 2026"
        takes_region = True

        @classmethod
        def unfit(cls, model):
            return None

        @classmethod
        def map_side(cls, model, parameters):
            return "output" if model.card.task == "regression" else "input"

        def run(self, question, parameters):
            tensor, network = question.prepared.tensor, question.model.network
            region = torch.from_numpy(np.ascontiguousarray(question.region)).to(tensor.device)
            with torch.no_grad():
                change = network(tensor) - network(tensor * ~region)
            if question.model.card.task == "regression":
                values = change[0].abs().sum(dim=0).cpu().numpy()
                return Findings({"map": MapArray(values, "change", "attribution", side="output")})
            values = question.region.astype(np.float32) * abs(float(change[0, question.target]))
            return Findings({"map": MapArray(values, "change", "attribution")})

    return Blackout


@pytest.fixture
def blackout(workbench):
    """The app with the explainer, known while the test runs."""
    kept = [make_explainer()]
    catalogue.explainer_entries.cache_clear()
    yield workbench
    kept.clear()
    gc.collect()
    catalogue.explainer_entries.cache_clear()
    assert NAME not in explainers()


def box(page, label):
    return next(box for box in page.selectbox if box.label == label)


def region(shape):
    marked = np.zeros(shape, dtype=bool)
    marked[tuple(slice(n // 3, n // 2) for n in shape)] = True
    return marked


def traced(blackout, scan=None):
    """The Trace page after the explainer was chosen and a region painted on the input."""
    page = blackout.open("trace")
    if scan is None:
        page.selectbox[0].select(PAIR).run()
    else:
        page.session_state["trace desk"].scan = scan
        page.run()
    assert TITLE in box(page, "Explainer").options
    box(page, "Explainer").select(NAME).run()
    page.session_state["trace desk"].select(region(MADE if scan is None else SHAPE), "input")
    page.run()
    return settle(page)


def test_trace_runs_it_on_a_model_that_makes_an_image_and_a_link_opens_it_again(blackout):
    page = traced(blackout)
    assert not page.error
    run = shelf().run(page.session_state["trace desk"].traced)
    assert (run.status, run.request["explainer"]) == (Status.DONE, NAME)
    assert run.request["parameters"] == {}
    explanation = shelf().explanation(run.id)
    assert explanation.arrays["map"].side == "output"
    text = said(page)
    assert explanation.sentence in text
    assert "What leaks where" in text
    assert "farther" in str([slider.label for slider in page.slider]).lower()
    again = blackout.open("trace", run=run.id)
    laid = again.session_state["trace desk"]
    assert (laid.traced, laid.explainer, laid.side) == (run.id, NAME, "input")
    assert laid.region == run.request["region"]
    assert "Selection 1 of 1" in said(again)


def test_trace_runs_it_on_a_classifier_and_says_that_all_of_the_map_is_where_it_was_painted(blackout):
    page = traced(blackout, blackout.add_scan())
    assert not page.error
    run = shelf().run(page.session_state["trace desk"].traced)
    assert (run.status, run.request["model"]) == (Status.DONE, "tiny-volume")
    text = said(page)
    assert "All of the map lies on the selection itself" in text
    assert "Effect on each class" in text


def test_where_it_takes_no_region_nothing_can_be_painted(blackout):
    page = traced(blackout)
    laid = page.session_state["trace desk"]
    laid.select(region(MADE), "output")
    page.run()
    assert (laid.region, laid.side) == (None, None)
    assert f"Paint on the input: {TITLE} explains what is marked there." in said(page)


def test_another_explainer_answers_for_the_same_selection(blackout):
    page = traced(blackout)
    painted = page.session_state["trace desk"].region
    box(page, "Explainer").select("ibix").run()
    settle(page)
    run = shelf().run(page.session_state["trace desk"].traced)
    assert (run.request["explainer"], run.request["region"]) == ("ibix", painted)
    assert run.request["parameters"]["direction"] == "forward"


def explained(blackout, model, shape):
    """The Explain page with the explainer on it, for a scan without a landmark."""
    page = blackout.open("explain")
    laid = page.session_state["desk"]
    laid.scan = blackout.add_scan(np.random.default_rng(1).random((1, *shape), np.float32))
    laid.model, laid.explainer = model, NAME
    laid.revision += 1
    page.run()
    assert (laid.model, laid.explainer) == (model, NAME)
    return page


@pytest.mark.parametrize(("model", "shape"), [("tiny-volume", SHAPE), ("tiny-maker", MADE)])
def test_explain_asks_for_a_landmark_and_runs_on_it_and_a_link_opens_it_again(blackout, model, shape):
    page = explained(blackout, model, shape)
    sentence = f"{TITLE} explains a marked region: draw a landmark on the scan first."
    assert said(page).count(sentence) == 1
    button = page.button(key="explain")
    assert button.disabled
    assert button.help.replace("\\", "") == sentence
    page.session_state["landmarks"].draw("lesion")
    page.session_state["landmarks"].painted(region(shape))
    page.run()
    assert box(page, "Region").options == ["lesion"]
    assert sentence not in said(page)
    page.button(key="explain").click().run()
    settle(page)
    assert not page.error
    laid = page.session_state["desk"]
    run = shelf().run(laid.run)
    assert (run.status, run.request["region"]) == (Status.DONE, laid.region)
    assert shelf().explanation(run.id).sentence in said(page)
    again = blackout.open("explain", run=run.id)
    assert not again.error
    laid = again.session_state["desk"]
    assert (laid.run, laid.explainer, laid.model) == (run.id, NAME, model)
    assert laid.region == run.request["region"]
    assert "settings changed" not in said(again)


def test_a_result_about_another_landmark_says_so(blackout):
    page = explained(blackout, "tiny-volume", SHAPE)
    marks = page.session_state["landmarks"]
    marks.draw("lesion")
    marks.painted(region(SHAPE))
    marks.draw("hole")
    marks.painted(~region(SHAPE))
    page.run()
    page.button(key="explain").click().run()
    settle(page)
    assert "settings changed" not in said(page)
    hole = next(landmark.region for landmark in marks.all if landmark.name == "hole")
    box(page, "Region").select(hole).run()
    assert "settings changed since this result" in said(page)


def test_a_run_opens_where_its_region_can_be_seen(blackout):
    page = traced(blackout)
    painted = page.session_state["trace desk"].traced
    listed = blackout.open("runs")
    listed.button(key=f"open {painted}").click().run()
    assert listed.session_state["trace desk"].traced == painted
    # the same region as a landmark: Explain can show the run, too, and a link to Trace still opens it there
    run = shelf().run(painted)
    page = blackout.open("explain")
    page.session_state["desk"].scan = run.request["scan"]
    page.run()
    page.session_state["landmarks"].draw("lesion")
    page.session_state["landmarks"].painted(region(MADE))
    page = blackout.open("explain", run=painted)
    assert page.session_state["desk"].run == painted
    page = blackout.open("trace", run=painted)
    assert page.session_state["trace desk"].traced == painted
    assert "Selection 1 of 1" in said(page)

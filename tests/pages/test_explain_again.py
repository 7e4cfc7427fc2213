"""A new run never wipes the result before it."""

import json
import time

import numpy as np

from core.progress import Progress
from dashboard.desk import shelf
from tests.pages.conftest import SHAPE, said, settle, viewers
from tests.pages.test_explain import opened, parameter


def panels_of(page):
    """Title of each panel of the viewer, and whether it is dimmed."""
    (viewer,) = viewers(page)
    return {panel["title"]: panel["dimmed"] for panel in json.loads(viewer.proto.json)["panels"]}


def endless(self, question, parameters):
    """Run of an explainer that goes on until it is cancelled."""
    for _ in range(100_000):
        question.report(Progress(0.25, "counting"))
        time.sleep(0.02)


def another_explainer(workbench, monkeypatch):
    """A page with a finished result, and another explainer chosen whose runs go on until they are cancelled."""
    page = opened(workbench)
    desk = page.session_state["desk"]
    desk.explainer = "saliency"
    desk.revision += 1
    page.run()
    page.button(key="explain").click().run()
    settle(page)
    first = desk.run

    monkeypatch.setattr("core.explainers.captum.integrated_gradients.IntegratedGradients.run", endless)
    desk.explainer = "integrated_gradients"
    desk.revision += 1
    return page, desk, first


def test_the_result_before_stays_dimmed_beside_what_forms_and_after_a_cancel(workbench, monkeypatch):
    page, desk, first = another_explainer(workbench, monkeypatch)
    page.run()
    assert panels_of(page)["Before: Saliency"]
    page.button(key="explain").click().run()
    titles = panels_of(page)
    assert titles["Before: Saliency"]
    assert not titles["Forming"]
    assert shelf().explanation(first).sentence in said(page)
    page.button(key="cancel run").click().run()
    settle(page)
    assert "Cancelled" in said(page)
    assert panels_of(page)["Before: Saliency"]
    desk.explainer = "saliency"
    desk.revision += 1
    page.run()
    assert desk.run == first
    assert not any(panels_of(page).values())


def test_a_cancelled_run_of_the_same_question_gives_the_result_before_back(workbench, monkeypatch):
    page = opened(workbench)
    parameter(page, "iterations", "select_slider").set_value(3).run()
    page.button(key="explain").click().run()
    settle(page)
    desk = page.session_state["desk"]
    first = desk.run

    monkeypatch.setattr("core.explainers.mask.explainer.Mask.run", endless)
    parameter(page, "iterations", "select_slider").set_value(5).run()
    page.button(key="explain").click().run()
    assert desk.run != first
    assert panels_of(page)["Before"]
    page.button(key="cancel run").click().run()
    settle(page)
    text = said(page)
    assert desk.run == first
    assert page.query_params["run"] == first
    assert "Cancelled: the result before is back." in text
    assert "settings changed since this result" in text
    assert shelf().explanation(first).sentence in text
    # so few iterations find nothing: the place of a changed scan stays empty
    assert panels_of(page) == {"Scan": False, "No result": False, "Changed scan": True}


def test_what_was_on_screen_of_another_scan_does_not_stay(workbench):
    page = opened(workbench)
    desk = page.session_state["desk"]
    desk.explainer = "saliency"
    desk.revision += 1
    page.run()
    page.button(key="explain").click().run()
    settle(page)
    desk.scan = workbench.add_scan(np.random.default_rng(9).random((1, *SHAPE), np.float32))
    page.run()
    assert panels_of(page) == {"Scan": False, "Map": True, "Changed scan": True}, "the places of what is to come"

"""One press asks every explainer that fits a scan's model, and puts what they find side by side."""

import time

import numpy as np

from core.progress import Progress
from core.runs import Status
from dashboard.desk import shelf
from dashboard.intake import catalogue
from tests.pages.conftest import SHAPE, said, settle
from tests.pages.test_explain import opened
from tests.pages.test_side_by_side import desk, titles


def test_every_explainer_that_fits_is_asked_and_stands_beside_the_others(workbench):
    page = opened(workbench)
    laid = page.session_state["desk"]
    card = catalogue.cards()["tiny-volume"]
    fitting = set(catalogue.explainer_entries()) - set(catalogue.unfit_explainers(card))
    page.button(key="explain all").click().run()
    assert not page.error
    assert not laid.problem
    runs = [shelf().run(run) for run in desk(page).beside]
    assert {run.request["explainer"] for run in runs} == fitting
    assert {run.request["target"] for run in runs} == {laid.target}
    assert all(not run.request["parameters"] for run in runs)
    page.switch_page("../pages/compare.py")
    settle(page)
    assert {shelf().run(run.id).status for run in runs} == {Status.DONE}
    shown = titles(page)
    assert shown[-1].startswith("Agreement")
    assert len(shown) == len(fitting) + 1
    # asked again, the same runs are found
    page.switch_page("../pages/explain.py").run()
    page.button(key="explain all").click().run()
    assert desk(page).beside == tuple(run.id for run in runs)


def test_cancel_ends_all_that_have_not_finished(workbench, monkeypatch):
    def endless(self, question, parameters):
        for _ in range(100_000):
            question.report(Progress(0.25, "counting", None, np.full(SHAPE, 0.5, np.float32)))
            time.sleep(0.02)

    monkeypatch.setattr("core.explainers.mask.explainer.Mask.run", endless)
    page = opened(workbench)
    page.button(key="explain all").click().run()
    (bar,) = page.get("progress")
    assert bar.text.split(" · ")[0] == f"0 of {len(desk(page).beside)} done"
    page.switch_page("../pages/compare.py").run()
    page.button(key="cancel results").click().run()
    settle(page)
    runs = [shelf().run(run) for run in desk(page).beside]
    assert {run.status for run in runs} == {Status.CANCELLED}
    assert "Cancelled: A" in said(page)


def test_without_a_scan_there_is_nothing_to_ask(workbench):
    assert workbench.open("explain").button(key="explain all").disabled

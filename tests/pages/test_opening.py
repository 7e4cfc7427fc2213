"""Pages know nothing of each other: what one wants of another it asks of all, and one from outside is asked, too."""

import gc

import numpy as np
import pytest
import streamlit as st

from core.runs import LOCAL_OWNER, ExplanationSpec, RunSpec, manager
from dashboard.desk import Desk, desk_of_session, shelf
from dashboard.frame import opening
from dashboard.frame.pages import Page, Start, pages
from tests.pages.conftest import MADE, errors, said


class Counting(RunSpec):
    """A kind of run that only a page from outside shows."""

    kind = "counting"

    def title(self):
        return "Counting"

    def execute(self, context):
        (context.result / "counted").write_text("3")


class Idling(Counting):
    """And one that the page from outside does not show either."""

    kind = "idling"


@pytest.fixture
def stranger():
    """A page that another package brings: it shows runs that count, and begins with any model."""

    class StrangersPage(Page):
        name = "strange"
        title = "Strange"
        order = 40

        def show(self):
            st.title(f"{self.desk().scan} with {self.desk().model}")

        def desk(self):
            return desk_of_session("strange desk", Desk)

        def opens(self, run):
            return run.kind == "counting"

        def open(self, run, place):
            self.desk().scan = f"counted by {run.id}"

        def verb(self, card):
            return "Count"

        def begin_with(self, card):
            self.desk().take_model(card.name)

        def starts(self):
            return (Start("count", "Count", ":material/add:", lambda: None),)

    yield StrangersPage
    del StrangersPage
    gc.collect()


def done(spec=Counting):
    run = manager().submit(spec(owner=LOCAL_OWNER))
    manager().wait(run, LOCAL_OWNER, 30)
    return run


def test_pages_stand_in_their_order_and_home_is_the_first(workbench):
    ours = [page for page in pages().values() if type(page).__module__.startswith("dashboard.")]
    assert [page.name for page in ours] == ["home", "explain", "trace", "compare", "study", "runs", "models"]
    assert [page.name for page in ours if page.order == 0] == ["home"]


def test_a_page_from_outside_is_in_the_navigation_and_on_home(workbench, stranger):
    assert list(pages())[5] == "strange"
    home = workbench.open()
    home.button(key="count").click().run()
    assert not home.exception
    assert [title.value for title in home.title] == ["None with None"]


def test_its_runs_are_opened_on_it_and_so_are_models(workbench, stranger):
    run = done()
    page = workbench.open("runs")
    page.button(key=f"open {run}").click().run()
    assert [title.value for title in page.title] == [f"counted by {run} with None"]
    page = workbench.open("models")
    next(button for button in page.button if button.label == "Count with it").click().run()
    assert page.title[0].value.endswith("with tiny-image")


def test_a_run_that_no_page_shows_has_no_button_and_its_link_says_so(workbench):
    run = done(Idling)
    assert f"open {run}" not in {button.key for button in workbench.open("runs").button}
    page = workbench.open("explain", run=run)
    assert errors(page) == ["No page shows runs of this kind: look at it on the Runs page."]


def painted():
    """A stored explanation that a painted region steered."""
    scan = np.random.default_rng(0).random((1, *MADE), np.float32)
    region = np.zeros(MADE, dtype=bool)
    region[10, 8] = True
    return scan, region


def explained(workbench, **request):
    values, region = painted()
    scan = workbench.add_scan(values)
    return workbench.finished(scan=scan, target=None, region=shelf().add_region(region), **request)


@pytest.mark.parametrize(
    ("asked", "page"),
    [
        ({"model": "tiny-maker", "explainer": "ibix"}, "trace"),
        # of an explainer that looks at all of the scan, the region is a landmark
        ({"model": "tiny-image", "explainer": "saliency"}, "explain"),
    ],
)
def test_a_run_is_shown_where_its_region_was_made(workbench, asked, page):
    run = shelf().run(explained(workbench, **asked))
    assert run.kind == ExplanationSpec.kind
    assert opening.page_of(run).name == page


def test_a_deleted_run_leaves_every_page(workbench):
    scan = workbench.add_scan()
    run = workbench.finished(scan=scan)
    page = workbench.open("explain", run=run)
    page.switch_page("../pages/runs.py").run()
    page.button(key=f"edit {run}").click().run()
    page.button(key=f"delete {run}").click().run()
    laid = page.session_state["desk"]
    assert (laid.run, laid.linked) == (None, "")


def test_a_link_is_followed_once(workbench):
    first, second = (workbench.finished(scan=workbench.add_scan(), explainer=name) for name in ("saliency", "mask"))
    page = workbench.open("explain", run=first)
    laid = page.session_state["desk"]
    laid.explainer = "mask"
    page.run()
    assert laid.explainer == "mask", "what was changed since is not laid out again"
    page.query_params["run"] = second
    page.run()
    assert laid.run == second
    assert "How sure" in said(page)

"""A study in a real browser: started, its matrix and table, a cell that opens a film, a link that survives a reload."""

import re

import pytest
from playwright.sync_api import expect

from core.settings import ROOT
from dashboard.bench.browser import serve
from tests.e2e.waiting import choose, eventually
from tests.small_anatomy import write_anatomy

pytestmark = pytest.mark.browser

APP = ROOT / "dashboard" / "app.py"
LONG = 120_000
expect.set_options(timeout=30_000)
#: Pixels of the rows of a table, its head included.
ROW = 31


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("anatomy")
    write_anatomy(folder)
    known = {"LIGHTBOX_MODELS_DIR": str(folder / "models"), "LIGHTBOX_COHORTS_DIR": str(folder / "cohorts")}
    with serve(APP, known) as running:
        yield running


def still(page):
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=LONG)


def cell_of_table(page, row, across):
    """Place of a cell of the table: number of the row from 0, and how far to the right, pixels."""
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    return box["x"] + across, box["y"] + ROW * (row + 1.5)


def test_a_study_from_its_start_to_the_map_behind_a_cell(page, server):
    page.goto(f"{server.url}/study")
    choose(page, "Study", "Agreement of explainers")
    choose(page, "Cohort", "A few films")
    choose(page, "Model", "The deeper one")
    still(page)
    expect(page.get_by_text("Not studied yet")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Run ")).click()
    expect(page.get_by_text(re.compile(r"^Over 5 scans .*rank correlation"))).to_be_visible(timeout=LONG)
    still(page)
    assert re.search(r"/study\?run=[0-9a-f]{16}$", page.url)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    # a cell of the matrix shows its scans
    page.get_by_role("button", name=re.compile("^Saliency, Integrated gradients: ")).click()
    expect(page.get_by_text("Saliency · Integrated gradients: 5 rows")).to_be_visible()
    still(page)

    # a cell of the table opens the scan with the map of the explainer it names
    def opened():
        page.mouse.click(*cell_of_table(page, 1, 60))
        page.wait_for_timeout(500)
        return "open=scans" in page.url

    eventually(page, opened)
    expect(page.locator("b.title").get_by_text("hand-1", exact=True)).to_be_visible(timeout=LONG)
    expect(page.get_by_role("button", name="Open in Explain")).to_be_visible(timeout=LONG)
    expect(page.locator(".lightbox[data-state=ready] .stage > canvas")).to_have_count(5, timeout=LONG)
    still(page)

    address = page.url
    page.reload()
    expect(page.locator("b.title").get_by_text("hand-1", exact=True)).to_be_visible(timeout=LONG)
    expect(page.get_by_text("Saliency · Integrated gradients: 5 rows")).to_be_visible()
    expect(page.locator(".lightbox[data-state=ready] .stage > canvas")).to_have_count(5, timeout=LONG)
    assert page.url == address

    page.get_by_role("button", name="Open in Explain").click()
    expect(page.get_by_text("films · hand-1").first).to_be_visible(timeout=LONG)
    assert re.search(r"/explain\?run=[0-9a-f]{16}$", page.url)


def test_what_leaves_the_page_is_the_whole_table_without_formulas(page, server):
    page.goto(f"{server.url}/runs")
    row = page.locator("[class*=st-key-run-]").filter(has_text="Study agreement · ")
    row.get_by_role("button", name="Open").click()
    expect(page.get_by_text(re.compile(r"^Over 5 scans"))).to_be_visible(timeout=LONG)
    still(page)
    with page.expect_download() as told:
        page.get_by_test_id("stDownloadButton").get_by_role("button", name="CSV").click()
    lines = told.value.path().read_text().splitlines()
    assert lines[0] == "one,other,rank,interval low,interval high,places,chance,scans"
    assert len(lines) == 4
    # Streamlit's own download would leave formulas as they are
    page.get_by_test_id("stDataFrame").first.hover()
    expect(page.get_by_label(re.compile("^Download as CSV"))).not_to_be_visible()

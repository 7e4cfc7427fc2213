"""Every page, empty and with something on it, is read by axe-core: WCAG 2.2 AA, and headings in order."""

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from core.runs import LOCAL_OWNER, ExplanationSpec, RunManager, RunStore, StudySpec
from core.runs.execution.inline import InlineWorker
from core.scans import load_scan
from core.settings import ROOT, settings
from dashboard.bench.browser import serve
from tests.core.tiny import save_tiny, tiny_maker_card
from tests.small_anatomy import write_anatomy

pytestmark = pytest.mark.browser

LONG = 120_000
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
PAGES = ("", "explain", "trace", "compare", "study", "runs", "models")
#: Pages with something on them: their addresses, with the names of runs in them.
FILLED = {
    "home": "",
    "an explanation": "explain?run={first}",
    "a trace": "trace?run={traced}",
    "networks side by side": "compare?runs={first},{second}",
    "a study": "study?run={study}",
    "runs": "runs",
}
#: Those with images: what is read is the result and not the page before it.
WITH_IMAGES = ("an explanation", "a trace", "networks side by side")


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Small models and a cohort; the settings of this process name them, too, while the runs are made."""
    folder = tmp_path_factory.mktemp("library")
    write_anatomy(folder)
    save_tiny(folder / "models" / "maker", tiny_maker_card("maker", (40, 24)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIGHTBOX_MODELS_DIR", str(folder / "models"))
        patch.setenv("LIGHTBOX_COHORTS_DIR", str(folder / "cohorts"))
        settings.cache_clear()
        yield folder
    settings.cache_clear()


@pytest.fixture(scope="module")
def server(library):
    with serve(ROOT / "dashboard" / "app.py") as running:
        yield running


@pytest.fixture(scope="module")
def page(browser):
    """One page for all tests: what a browser loads for each page is loaded once."""
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def made(library, server):
    """Runs in the server's store, and what they are called."""
    store = RunStore.open(server.store)
    manager = RunManager(store, InlineWorker(store))
    shelf = store.of(LOCAL_OWNER)
    film = shelf.add_scan(load_scan(library / "cohorts" / "films" / "hand-0.png"))
    region = np.zeros((20, 18), bool)
    region[8:11, 6:9] = True
    seen = {"scan": film, "explainer": "saliency", "target": "hand"}
    traced = {"explainer": "ibix", "model": "maker", "parameters": {"superpixels": 20, "jitters": 4}}
    studied = {"explainer": "saliency", "films": 2}
    asked = {
        "first": ExplanationSpec(model="anatomy-shallow", **seen),
        "second": ExplanationSpec(model="anatomy-deeper", **seen),
        "traced": ExplanationSpec(scan=film, region=shelf.add_region(region), **traced),
        "study": StudySpec(study="anatomy", model="anatomy-shallow", cohort="films", parameters=studied),
    }
    runs = {name: manager.wait(manager.submit(spec), LOCAL_OWNER, 120) for name, spec in asked.items()}
    assert {name: (run.status.value, run.message) for name, run in runs.items()} == dict.fromkeys(asked, ("done", ""))
    manager.close()
    store.close()
    return {name: run.id for name, run in runs.items()}


def faults(page, address, images=False):
    """What axe-core finds on a page once it stands: rule, place and reason of each fault."""
    page.goto(address, wait_until="commit")
    expect(page.get_by_role("link", name="Runs", exact=True).first).to_be_visible(timeout=LONG)
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=LONG)
    if images:
        expect(page.locator(".lightbox[data-state=ready]").first).to_be_visible(timeout=LONG)
    options = {
        "runOnly": {"type": "tag", "values": [*RULES]},
        "rules": {"heading-order": {"enabled": True}},
        "resultTypes": ["violations"],
    }
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{fault['id']}: {node['html'][:300]}: {' '.join(node['failureSummary'].split())}"
        for fault in found
        for node in fault["nodes"]
    ]


@pytest.mark.parametrize("name", PAGES, ids=lambda name: name or "home")
def test_a_page_with_nothing_on_it_can_be_used_by_everybody(page, server, name):
    found = faults(page, f"{server.url}/{name}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", FILLED)
def test_a_page_with_something_on_it_can_be_used_by_everybody(page, server, made, name):
    found = faults(page, f"{server.url}/{FILLED[name].format(**made)}", name in WITH_IMAGES)
    assert not found, "\n".join(found)


def test_what_nobody_can_read_is_found(page):
    page.set_content("<main><h1>One</h1><h3 style='color: #777; background: #666'>Three</h3><button></button></main>")
    found = Axe().run(page, options={"rules": {"heading-order": {"enabled": True}}}).response["violations"]
    assert {"color-contrast", "heading-order", "button-name"} <= {fault["id"] for fault in found}

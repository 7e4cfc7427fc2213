"""Tracing in a real browser: paint on either side of a demo model, and read back what appears on the other."""

import io
import re
import time

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from core.runs import LOCAL_OWNER
from core.runs.store.store import RunStore
from core.settings import ROOT
from dashboard.bench.browser import serve
from tests.e2e.waiting import choose, eventually, painted

pytestmark = pytest.mark.browser

APP = ROOT / "dashboard" / "app.py"
LONG = 120_000
expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def server():
    with serve(APP) as running:
        yield running


def still(page):
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=LONG)


@pytest.fixture
def demo(page, server):
    """The Trace page with the first demo pair, ready to be painted on."""
    page.goto(server.url)
    page.get_by_role("button", name="Trace the demo").click(timeout=LONG)
    expect(page.get_by_text("Paint on the input to see")).to_be_visible(timeout=LONG)
    page.wait_for_selector(".lightbox[data-state=ready]", timeout=LONG)
    still(page)
    return page


def stroke(page, panel, across, down, length=8):
    """Paint a short stroke at a place given in shares of a panel."""
    box = page.locator(".stage > canvas").nth(panel).bounding_box()
    x, y = box["x"] + across * box["width"], box["y"] + down * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + length, y, steps=4)
    page.mouse.up()


def mapped(page, title):
    """Wait until a panel shows the exact map."""
    expect(page.locator(".panel h3").filter(has_text=title)).to_be_visible(timeout=LONG)
    page.wait_for_selector(".lightbox[data-state=ready]", timeout=LONG)
    still(page)


def stored(server, page):
    """The explanation and the region that the address of the page names."""
    page.wait_for_url(re.compile(r"run=[0-9a-f]{16}"))
    store = RunStore.open(server.store)
    name = re.search(r"run=([0-9a-f]{16})", page.url).group(1)
    deadline = time.monotonic() + 60
    while not (run := store.of(LOCAL_OWNER).run(name)).status.final:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return store.of(LOCAL_OWNER).explanation(run.id), store.of(LOCAL_OWNER).region(run.request["region"])


def coloured(page, panel):
    """How many pixels of a panel are neither grey nor of the selection's colour."""
    page.mouse.move(2, 500)
    painted(page)
    canvas = page.locator(".stage > canvas").nth(panel)
    shot = canvas.screenshot(style=".values { visibility: hidden; }")
    picture = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)
    warm = picture[..., 0] - picture[..., 1]
    return int((warm > 24).sum())


def test_painting_on_the_input_maps_forward_and_on_the_output_backward(demo, server):
    page = demo
    assert coloured(page, 1) == 0
    stroke(page, 0, 0.45, 0.42)
    mapped(page, "Output · forward map |F|")
    explanation, region = stored(server, page)
    assert explanation.record["parameters"]["direction"] == "forward"
    assert 8 < region.sum() < 200
    rows, columns = np.nonzero(region)
    # a panel is wider than the slice: the slice lies in its middle
    assert rows.mean() / region.shape[0] == pytest.approx(0.42, abs=0.03)
    strongest = np.unravel_index(np.argmax(explanation.arrays["map"].values), region.shape)
    assert np.hypot(strongest[0] - rows.mean(), strongest[1] - columns.mean()) < 12
    expect(page.get_by_text(explanation.sentence)).to_be_visible()
    eventually(page, lambda: coloured(page, 1) > 300)
    assert coloured(page, 0) == 0

    stroke(page, 1, 0.55, 0.6)
    mapped(page, "Input · backward map |B|")
    explanation, region = stored(server, page)
    assert explanation.record["parameters"]["direction"] == "backward"
    assert np.nonzero(region)[0].mean() / region.shape[0] == pytest.approx(0.6, abs=0.03)
    eventually(page, lambda: coloured(page, 0) > 300)
    eventually(page, lambda: coloured(page, 1) == 0)
    expect(page.get_by_text("Selection 2 of 2")).to_be_visible()


def test_selections_are_stepped_through_by_key_and_survive_a_reload(demo, server):
    page = demo
    for across in (0.4, 0.5):
        stroke(page, 0, across, 0.5)
        mapped(page, "Output · forward map |F|")
        still(page)
        page.keyboard.press("Delete")
        expect(page.get_by_text("Paint on the input to see")).to_be_visible()
    stroke(page, 0, 0.6, 0.5)
    mapped(page, "Output · forward map |F|")
    latest, _ = stored(server, page)
    known = int(
        re.search(r"Selection (\d+) of", page.get_by_text(re.compile(r"Selection \d+ of")).inner_text()).group(1)
    )
    page.keyboard.press("j")
    expect(page.get_by_text(re.compile(f"Selection {known - 1} of"))).to_be_visible()
    still(page)
    earlier, region = stored(server, page)
    assert earlier.record["hashes"] == latest.record["hashes"]
    assert not np.array_equal(earlier.arrays["map"].values, latest.arrays["map"].values)
    page.reload()
    mapped(page, "Output · forward map |F|")
    expect(page.get_by_text(re.compile(f"Selection {known - 1} of"))).to_be_visible()
    assert np.array_equal(stored(server, page)[1], region)
    # the selection is back in the browser, too: one more stroke adds to it
    stroke(page, 0, 0.5, 0.75)
    expect(page.get_by_text(re.compile(f"Selection {known + 1} of"))).to_be_visible(timeout=LONG)
    assert stored(server, page)[1][region].all()


def test_error_map_outlines_and_figures_are_there_on_demand(demo, server):
    page = demo
    stroke(page, 1, 0.5, 0.5)
    mapped(page, "Input · backward map |B|")
    for words in ("What leaks where", "mean absolute error", "structural similarity", "changed inputs asked"):
        expect(page.get_by_text(words).first).to_be_visible()
    page.get_by_text("Error map", exact=True).click()
    mapped(page, "Error: blue lower, red higher")
    eventually(page, lambda: coloured(page, 2) > 300)
    page.get_by_text("Outlines", exact=True).click()
    expect(page.locator(".panel footer .chip")).to_have_text("superpixels")
    for width in (1280, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        still(page)

        def in_one_row():
            boxes = [panel.bounding_box() for panel in page.locator(".panel").all()]
            return len({(round(box["y"]), round(box["height"])) for box in boxes}) == 1

        eventually(page, in_one_row)
        eventually(page, lambda: page.locator(".toolbar").bounding_box()["height"] == 32)


def test_explain_asks_about_a_landmark_as_soon_as_it_is_drawn(page, server):
    page.goto(server.url)
    page.get_by_role("button", name="Explain an X-ray").click(timeout=LONG)
    page.wait_for_selector(".lightbox[data-state=ready]", timeout=LONG)
    still(page)
    choose(page, "Scan", "T1, wide ventricles")
    expect(page.get_by_text("IBIX trace explains a marked region").first).to_be_visible(timeout=LONG)
    page.wait_for_selector(".lightbox[data-state=ready]", timeout=LONG)
    still(page)
    start = page.get_by_role("button", name=re.compile("^Explain Shortcut"))
    expect(start).to_be_disabled()
    page.get_by_role("button", name="Draw a landmark").click()
    expect(page.get_by_role("button", name="Done")).to_be_visible()
    still(page)
    stroke(page, 0, 0.45, 0.42, 20)
    expect(page.get_by_text("landmark 1").first).to_be_visible()
    still(page)
    page.get_by_role("button", name="Done").click()
    expect(start).to_be_enabled()
    box = page.get_by_test_id("stSelectbox").filter(has_text="Region").get_by_role("combobox")
    expect(box).to_have_count(1)
    expect(box).to_have_value("landmark 1")


def test_a_trace_can_be_cancelled_and_asked_again(demo):
    page = demo
    # a slow one: a hundred times as many jitters
    page.get_by_text("More settings").click()
    page.get_by_role("slider", name="Changes of each region").press("End")
    expect(page.get_by_text("Settings, changed")).to_be_visible()
    still(page)
    stroke(page, 1, 0.5, 0.5)
    page.get_by_role("button", name="Cancel").click(timeout=LONG)
    expect(page.get_by_text("nothing was kept")).to_be_visible(timeout=LONG)
    still(page)
    page.get_by_role("button", name="Again").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible(timeout=LONG)
    page.keyboard.press("Delete")
    page.locator("button[data-action=clear]").click()
    expect(page.get_by_text("Paint on the input to see")).to_be_visible(timeout=LONG)

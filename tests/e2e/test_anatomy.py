"""Anatomy in a real browser: explain a film by its filters, see them large, and say what lies where with landmarks."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from core.phantoms.radiographs.films import RadiographParameters, draw_radiograph
from core.settings import ROOT
from dashboard.bench.browser import serve
from tests.e2e.waiting import choose, eventually, painted
from tests.pages.anatomy import save_anatomy

pytestmark = pytest.mark.browser

APP = ROOT / "dashboard" / "app.py"
SIDE = 64
LONG = 120_000
expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    models = tmp_path_factory.mktemp("models")
    save_anatomy(models, "deeper", SIDE)
    with serve(APP, {"LIGHTBOX_MODELS_DIR": str(models)}) as running:
        yield running


@pytest.fixture(scope="module")
def radiograph():
    return draw_radiograph(RadiographParameters(seed=5, films=1, size=SIDE), "hand", 0)


def png(values):
    written = io.BytesIO()
    Image.fromarray(values).save(written, format="PNG")
    return written.getvalue()


def still(page):
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=LONG)


@pytest.fixture
def explained(page, server, radiograph):
    """The Explain page with a film that was uploaded and explained by its filters."""
    page.goto(f"{server.url}/explain")
    page.get_by_text("Open a scan of your own").click(timeout=LONG)
    content = png(np.rint(255 * radiograph.film).astype(np.uint8))
    page.locator("input[type=file]").set_input_files({"name": "film.png", "mimeType": "", "buffer": content})
    expect(page.locator(".answer .said")).to_be_visible(timeout=LONG)
    still(page)
    choose(page, "Model", "The deeper one")
    still(page)
    choose(page, "Explainer", "Deconvnet")
    still(page)
    page.keyboard.press("Control+Enter")
    finished(page)
    return page


def finished(page):
    expect(page.get_by_text("How it got there")).to_be_visible(timeout=LONG)
    page.wait_for_selector(".lightbox[data-state=ready]", timeout=LONG)
    still(page)


def canvas(page, panel=1):
    """Pixels of a panel without the mouse over it."""
    page.mouse.move(2, 500)
    painted(page)
    shot = page.locator(".stage > canvas").nth(panel).screenshot()
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)


def coloured(page, panel=1):
    """How many pixels of a panel are neither grey nor of the selection's colour."""
    pixels = canvas(page, panel)
    return int((pixels[..., 0] - pixels[..., 1] > 24).sum())


def share(page, name):
    """Share of the map in a landmark, as the table says."""
    row = page.locator(".landmark").filter(has=page.locator(f"b[title='{name}']"))
    return float(row.locator("i").first.inner_text().rstrip("%"))


def stroke(page, across, down):
    """Paint a short stroke at a place given in shares of the first panel."""
    box = page.locator(".stage > canvas").first.bounding_box()
    x, y = box["x"] + across * box["width"], box["y"] + down * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 25, y + 12, steps=4)
    page.mouse.up()


def test_a_film_is_seen_as_heat_and_with_signs_and_filter_by_filter(explained):
    page = explained
    eventually(page, lambda: coloured(page) > 200)
    heat = canvas(page)
    page.get_by_text("Signed", exact=True).click()
    still(page)
    expect(page.locator(".panel h3").nth(1)).to_have_text("Projected activation")
    eventually(page, lambda: (canvas(page) != heat).any())

    tiles = page.locator(".gallery .tile")
    expect(tiles).to_have_count(9)
    page.get_by_text("Top 25", exact=True).click()
    expect(tiles).to_have_count(25)
    boxes = [tile.bounding_box() for tile in tiles.all()]
    assert len({round(box["x"]) for box in boxes}) == 5
    assert len({round(box["height"]) for box in boxes}) == 1
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    # by keyboard alone: Tab leads to the first tile, arrows on, Enter opens
    tiles.first.focus()
    for key in ("ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    wanted = tiles.nth(6).locator("b").inner_text()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("b.title")).to_have_text(wanted)
    expect(dialog.get_by_text("7 of 25")).to_be_visible()
    following = tiles.nth(7).locator("b").inner_text()
    dialog.get_by_role("button", name="›").click()
    expect(dialog.locator("b.title")).to_have_text(following)
    page.keyboard.press("j")
    expect(dialog.locator("b.title")).to_have_text(wanted)
    expect(dialog.locator(".panel")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    # the same tile opens once more
    tiles.nth(6).click()
    expect(dialog.locator("b.title")).to_have_text(wanted)


def test_a_landmark_is_drawn_and_its_share_follows_every_stroke_and_a_reload(explained):
    page = explained
    page.get_by_role("button", name="Draw a landmark").click()
    name = page.get_by_role("textbox", name="Name of the landmark")
    name.fill("wrist")
    name.press("Enter")
    still(page)
    stroke(page, 0.45, 0.7)
    expect(page.locator(".landmark b[title=wrist]")).to_be_visible()
    still(page)
    first = share(page, "wrist")
    stroke(page, 0.45, 0.5)
    expect(page.locator(".landmark").filter(has_text=re.compile(f"wrist{first}%"))).to_have_count(0)
    still(page)
    grown = share(page, "wrist")
    assert grown > first
    page.keyboard.press("Control+z")
    expect(page.locator(".landmark").filter(has_text=f"{first}%")).to_be_visible()
    stroke(page, 0.45, 0.5)
    expect(page.locator(".landmark").filter(has_text=f"{grown}%")).to_be_visible()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("button", name="Draw a landmark")).to_be_visible()
    page.reload()
    finished(page)
    assert share(page, "wrist") == grown
    outlined = canvas(page, 0)
    page.get_by_text("Landmarks", exact=True).first.click()
    still(page)
    eventually(page, lambda: (canvas(page, 0) != outlined).any())


def test_masks_are_loaded_from_files_or_refused_in_a_sentence(explained, radiograph):
    page = explained
    page.get_by_role("button", name="Load a mask").click()
    chooser = page.locator("[data-testid=stPopoverBody] input[type=file]")
    chooser.set_input_files({"name": "Doe^Jane.png", "mimeType": "", "buffer": png(radiograph.labels[:-1])})
    expect(page.get_by_text(f"The mask has {SIDE - 1}×{SIDE} samples and the scan {SIDE}×{SIDE}")).to_be_visible()
    page.get_by_role("button", name="Load a mask").click()
    bone = (radiograph.bone * 255).astype(np.uint8)
    chooser.set_input_files({"name": "<b>bone</b>.png", "mimeType": "", "buffer": png(bone)})
    expect(page.locator(".landmark b[title=landmark]")).to_be_visible()
    still(page)
    film = page.locator(".landmark").filter(has_text="landmark").locator("i").nth(1).inner_text()
    assert film == f"{radiograph.bone.mean():.1%}"
    assert "Jane" not in page.content()

"""Looking at the viewer in a browser: where its crosshair is, what its canvases show, what arrived in Python."""

import io
import re

import numpy as np
from PIL import Image

#: The one bright voxel of the test app's volumes.
SPOT = [5, 19, 12]


def open_case(page, server, case="ras"):
    page.goto(f"{server.url}/?case={case}")
    page.wait_for_selector(".lightbox[data-state=ready]", timeout=60_000)


def crosshair(page):
    return [int(n) for n in page.locator(".lightbox").get_attribute("data-crosshair").split()]


def settled(page, expected):
    """Wait until the crosshair stands at a voxel."""
    where = " ".join(map(str, expected))
    page.wait_for_selector(f".lightbox[data-crosshair='{where}']", timeout=10_000)


def report(page, pattern):
    """Wait until the script's report matches, and return the match."""
    found = page.locator("[data-testid=stCode]").filter(has_text=re.compile(pattern)).first
    found.wait_for(timeout=15_000)
    return re.search(pattern, found.inner_text())


def pixels(page, panel=0):
    """What a panel's canvas shows, as an array, and where it lies on the page."""
    canvas = page.locator(".stage > canvas").nth(panel)
    box = canvas.bounding_box()
    # the values that stand over the canvas are not part of the picture
    shot = Image.open(io.BytesIO(canvas.screenshot(style=".values { visibility: hidden; }"))).convert("RGB")
    return np.asarray(shot).astype(int), box


def spot(page, panel, large=True):
    """Rows and columns of the canvas that show the brightest spot in the large plane, and where the canvas lies."""
    picture, box = pixels(page, panel)
    # the crosshair and the letters are coloured or grey, the spot is white
    white = picture.min(axis=2) >= 250
    if large:
        white[int(0.66 * white.shape[0]) :] = False
    rows, columns = np.nonzero(white)
    assert rows.size, "no bright spot on the canvas"
    return rows, columns, box


def span(page):
    """Width of the spot on the first panel, in pixels of the screen."""
    _, columns, _ = spot(page, 0)
    return int(np.ptp(columns)) + 1


def brightest(page, panel=0, large=True):
    """Page coordinates of the middle of the brightest spot in the large plane."""
    rows, columns, box = spot(page, panel, large)
    return box["x"] + columns.mean() + 0.5, box["y"] + rows.mean() + 0.5


def away_from_the_spot(page):
    """Move the crosshair's lines off the spot, staying in its axial slice."""
    page.locator(".lightbox").focus()
    for key in ("ArrowDown", "ArrowLeft"):
        for _ in range(4):
            page.keyboard.press(key)
    page.keyboard.press("n")  # true pixels

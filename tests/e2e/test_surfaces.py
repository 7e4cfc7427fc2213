"""Painting on either of several panels: what is a new selection, what is shared, and what the panels beside show."""

import re
from pathlib import Path

import numpy as np
import pytest

from dashboard.bench.browser import serve
from tests.e2e.viewing import open_case, pixels, report
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.browser

APP = Path(__file__).parent / "viewer_app" / "server.py"
ACCENT = np.array([0x3F, 0xB8, 0xCC])


@pytest.fixture(scope="module")
def server():
    with serve(APP) as running:
        yield running


def click(page, panel, row, column):
    """Click on a pixel of a 40×50 image in a panel."""
    box = page.locator(".stage > canvas").nth(panel).bounding_box()
    scale = min(box["width"] / 50, box["height"] / 40)
    left, top = box["x"] + (box["width"] - 50 * scale) / 2, box["y"] + (box["height"] - 40 * scale) / 2
    page.mouse.click(left + (column + 0.5) * scale, top + (row + 0.5) * scale)


def opened(page, server):
    page.set_viewport_size({"width": 1600, "height": 860})
    open_case(page, server, "surfaces")
    page.locator("button[data-action=pixel]").click()
    page.locator("button[data-action=pixels]").click()


def surface(page, name):
    report(page, rf"surface {name}$")


def marked(page, *pixels):
    wanted = ", ".join(str(list(pixel)) for pixel in pixels)
    report(page, re.escape(f"marked [{wanted}] count {len(pixels)} "))


def strength(page, panel, row, column):
    """How close to the colour of a selection a pixel of the image is shown, 0 (not at all) to 1."""
    page.mouse.move(2, 2)
    picture, box = pixels(page, panel)
    scale = min(box["width"] / 50, box["height"] / 40)
    left, top = (box["width"] - 50 * scale) / 2, (box["height"] - 40 * scale) / 2
    found = picture[int(top + (row + 0.5) * scale), int(left + (column + 0.5) * scale)]
    ground = np.array([60, 60, 60])
    return float((found - ground) @ (ACCENT - ground) / ((ACCENT - ground) @ (ACCENT - ground)))


def test_a_region_knows_its_surface_and_is_strong_there_and_faint_beside(page, server):
    opened(page, server)
    click(page, 0, 8, 9)
    marked(page, (8, 9))
    surface(page, "input")
    eventually(page, lambda: strength(page, 0, 8, 9) > 0.8)
    eventually(page, lambda: 0.2 < strength(page, 3, 8, 9) < 0.6)


def test_painting_on_another_surface_starts_anew_and_undo_brings_the_old_region_back(page, server):
    opened(page, server)
    click(page, 0, 8, 9)
    click(page, 0, 8, 10)
    marked(page, (8, 9), (8, 10))
    click(page, 1, 30, 7)
    marked(page, (30, 7))
    surface(page, "output")
    page.keyboard.press("Control+z")
    marked(page, (8, 9), (8, 10))
    surface(page, "input")
    page.keyboard.press("Control+z")
    marked(page, (8, 9))


def test_panels_of_one_surface_share_their_region_and_one_without_takes_no_paint(page, server):
    opened(page, server)
    click(page, 1, 30, 7)
    click(page, 2, 31, 8)
    marked(page, (30, 7), (31, 8))
    surface(page, "output")
    click(page, 3, 20, 20)
    page.wait_for_timeout(300)
    marked(page, (30, 7), (31, 8))


def test_erasing_or_missing_the_image_on_another_surface_keeps_the_region(page, server):
    opened(page, server)
    click(page, 0, 8, 9)
    marked(page, (8, 9))
    page.keyboard.press("e")
    click(page, 1, 8, 9)
    page.keyboard.press("o")
    click(page, 1, 20, 20)
    page.keyboard.press("[")
    page.wait_for_timeout(300)
    marked(page, (8, 9))
    surface(page, "input")


def test_an_earlier_region_can_be_handed_in_again(page, server):
    opened(page, server)
    back = page.get_by_role("button", name="Back", exact=True)
    back.click()
    marked(page, (4, 5))
    surface(page, "input")
    back.click()
    marked(page, (30, 40))
    surface(page, "output")
    back.click()
    marked(page, (4, 5))


def test_insets_show_the_map_and_the_painted_pixels_and_can_be_hidden(page, server):
    opened(page, server)
    before, _ = pixels(page, 1)
    click(page, 0, 20, 40)
    marked(page, (20, 40))
    page.mouse.move(2, 2)
    height, width = before.shape[:2]

    def magnified():
        """How much of the right inset is in the colour of the selection, and how much the left one differs."""
        shown, _ = pixels(page, 1)
        right = shown[8 : height // 2, -width // 3 :]
        left = shown[8 : height // 3, : width // 4] - before[8 : height // 3, : width // 4]
        return (np.abs(right - ACCENT).max(axis=2) < 40).sum(), np.abs(left).max()

    def both_insets():
        # the painted pixel is magnified: several pixels of the screen in its colour
        painted, changed = magnified()
        return painted >= 8 and changed > 60

    def no_inset():
        painted, changed = magnified()
        return painted == 0 and changed < 12

    eventually(page, both_insets)
    page.keyboard.press("i")
    eventually(page, no_inset)

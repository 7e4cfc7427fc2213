"""Waiting for what a page will show, however slow the machine is."""

import time

from playwright.sync_api import TimeoutError as TooSlowError
from playwright.sync_api import expect

#: Longest wait for something that happens at once on a quiet machine, seconds.
PATIENCE = 30.0


def eventually(page, holds):
    """Ask `holds` again and again until it is true; after `PATIENCE` seconds its last answer is the test's failure."""
    end = time.monotonic() + PATIENCE
    while not (answer := holds()) and time.monotonic() < end:
        page.wait_for_timeout(50)
    assert answer


def painted(page):
    """Wait until the browser has drawn what it was last told to draw."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))")


def choose(page, label, option):
    """Choose an option of a select box; the list is opened again where a rerun of the page closed it."""
    box = page.get_by_test_id("stSelectbox").filter(has_text=label).get_by_role("combobox")
    for patience_ms in (4_000, 8_000, 30_000):
        try:
            # for a moment a rerun may leave the box of before beside the new one
            expect(box).to_have_count(1, timeout=30_000)
            box.click(timeout=30_000)
            page.get_by_role("option", name=option).first.click(timeout=patience_ms)
            return
        except TooSlowError:
            page.keyboard.press("Escape")
    raise AssertionError(f"{option} of {label} could not be chosen")

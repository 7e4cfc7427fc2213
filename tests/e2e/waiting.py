"""Waiting for what a page will show, however slow the machine is."""

import time

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

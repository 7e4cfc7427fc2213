"""What ``bench start`` rests on: the first page needs no torch in the server, and the slider page runs a real mask."""

import pytest

from core.runs import LOCAL_OWNER, RunStore, Status
from dashboard.bench import start
from dashboard.bench.browser import chromium, serve

pytestmark = pytest.mark.browser


def test_the_first_page_is_there_without_torch_in_the_server() -> None:
    with chromium() as browser:
        found = start._start(browser, start.APP)
    assert found["torch"] == 0
    assert found["megabytes"] < 250


def test_a_slider_moves_while_a_mask_runs_for_somebody_else() -> None:
    with chromium() as browser, serve(start._BESIDE / "slider.py") as server:
        store = RunStore.open(server.store)
        scan = store.of(LOCAL_OWNER).add_scan(start._phantom())
        page = browser.new_page()
        page.goto(f"{server.url}/?scan={scan}&model={start.MODEL}")
        run_id = page.get_by_text("run ").inner_text(timeout=60_000).split()[-1]
        start._wait_for_iterations(store, run_id)
        page.evaluate(start._WATCH)
        assert len(start._slide(page, 3)) == 3
        assert store.of(LOCAL_OWNER).run(run_id).status is Status.RUNNING
        store.of(LOCAL_OWNER).request_cancel(run_id)
        start._wait_until_over(store, run_id)
        assert store.of(LOCAL_OWNER).run(run_id).status is Status.CANCELLED

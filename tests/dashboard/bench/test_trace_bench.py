"""What ``bench trace`` rests on: fresh selections are painted, maps are waited for, and both ways give one map."""

import pytest

from core.errors import LightboxError
from core.runs import RunStore
from dashboard.bench import trace
from dashboard.bench.browser import chromium, serve


def test_a_row_holds_medians_and_how_many_times_faster():
    row = trace._row("exact map, forward", [300.0, 100.0, 200.0], [1000.0], 1e-6)
    assert (row["value"], row["baseline"], row["ratio"], row["times_faster"]) == (200.0, 1000.0, 0.2, 5.0)
    assert (row["slowest"], row["strokes"], row["unit"], row["error"]) == (300.0, 3, "ms", 1e-6)


def test_without_two_maps_of_one_selection_nothing_is_compared(tmp_path):
    RunStore.open(tmp_path / "store").close()
    with pytest.raises(LightboxError, match="nothing can be compared"):
        trace._error(tmp_path / "store", "forward")


@pytest.mark.browser
def test_a_stroke_is_timed_and_its_map_by_whole_images_is_the_same():
    with chromium() as browser, serve(trace.APP) as server:
        page = browser.new_page(viewport=trace.WINDOW)
        trace._open(page, server.url)
        page.evaluate(trace._WATCH)
        quick = trace._stroke(page, "forward", trace._PLACES[0])
        page.get_by_text("More settings").click()
        trace._choose(page, "Way of asking", "whole images")
        slow = trace._stroke(page, "forward", trace._PLACES[0])
        assert 0 < quick.get("coarse", quick["exact"]) <= quick["exact"]
        assert slow["exact"] > 0
        assert 0 <= trace._error(server.store, "forward") < 1e-4

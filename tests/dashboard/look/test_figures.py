import math

import pytest

from dashboard.look import theme
from dashboard.look.figures import _briefly, history_curves, probability_bars, region_bars


def test_before_and_after_have_the_colours_they_have_everywhere():
    figure = probability_bars({"CN": 0.1, "AD": 0.9}, {"CN": 0.8, "AD": 0.2})
    assert {trace.name: trace.marker.color for trace in figure.data} == {"before": theme.BEFORE, "after": theme.AFTER}
    # plotly draws from the bottom: the first class must end up on top
    assert list(figure.data[0].y) == ["AD", "CN"]
    assert list(figure.data[1].x) == [0.9, 0.1]


def test_a_prediction_alone_has_one_bar_a_class():
    assert len(probability_bars({"CN": 0.1, "AD": 0.9}).data) == 1


def test_regions_are_ranked_from_the_top_and_empty_ones_left_out():
    regions = [{"name": f"region {n}", "share": share, "density": 0.1} for n, share in enumerate((0.6, 0.3, 0.0))]
    bars = region_bars(regions, "#123456").data[0]
    assert list(bars.y) == ["region 1", "region 0"]
    assert bars.marker.color == "#123456"


def test_only_the_first_regions_are_drawn():
    regions = [{"name": str(n), "share": 0.05, "density": 0.1} for n in range(20)]
    assert len(region_bars(regions, "#123456", limit=8).data[0].y) == 8


def test_every_curve_has_an_axis_of_its_own():
    history = {"iteration": [0, 1, 2], "size": [9.0, 5.0, 1.0], "loss": [3.0, 2.0, 1.0], "probability": [1.0, 0.5, 0.1]}
    figure = history_curves(history, "#123456")
    assert [trace.name for trace in figure.data] == ["probability", "loss", "size"]
    assert [trace.yaxis for trace in figure.data] == ["y", "y2", "y3"]
    assert list(figure.data[0].x) == [0, 1, 2]
    assert figure.data[1].line.color == "#123456"
    assert tuple(figure.layout.yaxis.tickvals) == (0.0, 1.0)


def test_curves_with_gaps_or_without_change_are_drawn():
    figure = history_curves({"loss": [1.0, math.nan, 1.0], "flat": [2.0, 2.0, 2.0]}, "#123456")
    assert len(figure.data) == 2


def test_of_many_classes_the_likeliest_stand_alone_and_the_target_always_does():
    before = {f"class {n}": (n + 1) / 300 for n in range(24)}
    after = dict.fromkeys(before, 1 / 24)
    figure = probability_bars(before, after, "class 0")
    rows = list(figure.data[1].y)[::-1]
    assert rows == ["class 23", "class 22", "class 21", "class 0", "20 others"]
    for bars, values in ((figure.data[1], before), (figure.data[0], after)):
        assert sum(bars.x) == pytest.approx(sum(values.values()))
    few = probability_bars({"CN": 0.2, "AD": 0.8})
    assert list(few.data[0].y) == ["AD", "CN"]


def test_thousands_at_the_end_of_a_curve_are_written_out():
    assert [_briefly(value) for value in (0.0123, 3.14159, 46200.4, 3e7)] == [
        "0.0123",
        "3.14",
        "46200",
        "3e+07",
    ]


def test_names_from_outside_are_words_to_plotly():
    hostile = "<a href='x'>b</a>"
    regions = [{"name": hostile, "share": 0.5}]
    for figure in (
        probability_bars({hostile: 0.5, "other": 0.5}, target=hostile),
        region_bars(regions, "#123456"),
        history_curves({"iteration": [0, 1], hostile: [1.0, 2.0]}, "#123456"),
    ):
        shown = figure.to_json()
        assert "<a" not in shown
        assert "&lt;a href=" in shown

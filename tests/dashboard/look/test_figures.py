import math

import pytest

from core.explainers import Curve, Part, Parts
from dashboard.look import theme
from dashboard.look.figures import _briefly, history_curves, probability_bars, region_bars, score_bars


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


CURVES = {
    "probability": Curve("probability", role="answer", low=0.0, high=1.0),
    "loss": Curve("loss", role="goal"),
    "hidden": Curve("hidden", "cm³", scale="log"),
}


def test_every_curve_has_an_axis_of_its_own_and_is_drawn_as_its_explainer_says():
    history = {"iteration": [0, 1, 2], "fine_size": [9.0, 5.0, 1.0], "loss": [3.0, 2.0, 1.0]}
    history |= {"hidden": [100.0, 10.0, 1.0], "probability": [0.9, 0.5, 0.1]}
    figure = history_curves(history, CURVES, "#123456")
    assert [trace.name for trace in figure.data] == ["probability", "loss", "hidden (cm³)", "fine size"]
    assert [trace.yaxis for trace in figure.data] == ["y", "y2", "y3", "y4"]
    assert [trace.line.color for trace in figure.data] == [theme.TEXT, "#123456", theme.TEXT_MUTED, theme.TEXT_MUTED]
    assert list(figure.data[0].x) == [0, 1, 2]
    assert tuple(figure.layout.yaxis.tickvals) == (0.0, 1.0)
    assert tuple(figure.layout.yaxis2.tickvals) == (1.0, 3.0)
    assert (figure.layout.yaxis2.type, figure.layout.yaxis3.type) == ("linear", "log")
    assert figure.layout.yaxis3.range == pytest.approx((-0.08, 2.08))
    assert tuple(figure.layout.yaxis3.tickvals) == (1.0, 100.0)


def test_a_log_axis_leaves_out_what_it_has_no_place_for():
    figure = history_curves({"hidden": [100.0, 0.0, 1.0]}, CURVES, "#123456")
    assert tuple(figure.layout.yaxis.tickvals) == (1.0, 100.0)
    assert not figure.layout.yaxis.range or figure.layout.yaxis.range[0] < 0
    assert history_curves({"hidden": [0.0, 0.0]}, CURVES, "#123456").layout.yaxis.range is None


def test_curves_with_gaps_or_without_change_are_drawn():
    figure = history_curves({"loss": [1.0, math.nan, 1.0], "flat": [2.0, 2.0, 2.0]}, CURVES, "#123456")
    assert len(figure.data) == 2


def test_parts_have_a_bar_each_in_their_order():
    members = (Part(7, "Filter 7", 3.0), Part(2, "Filter 2", 1.0), Part(4, "Filter 4"))
    figure = score_bars(Parts("filter", "filters", "conv", members), "#123456")
    (bars,) = figure.data
    assert (list(bars.x), list(bars.y)) == (["Filter 7", "Filter 2"], [3.0, 1.0])
    assert bars.marker.color == "#123456"
    assert figure.layout.xaxis.title.text == "filters, strongest first"


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


def test_of_classes_that_may_hold_together_the_others_do_not_add_up():
    before = {f"class {n}": 0.9 - n / 100 for n in range(24)}
    figure = probability_bars(before, target="class 0")
    names, shares = list(figure.data[0].y)[::-1], list(figure.data[0].x)[::-1]
    assert names[-1] == "highest of 20 others"
    assert shares[-1] == pytest.approx(0.9 - 4 / 100)


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
        history_curves({"iteration": [0, 1], hostile: [1.0, 2.0]}, {}, "#123456"),
        history_curves({"a": [1.0, 2.0]}, {"a": Curve(hostile, hostile)}, "#123456"),
        score_bars(Parts(hostile, hostile, hostile, (Part(0, hostile, 1.0),)), "#123456"),
    ):
        shown = figure.to_json()
        assert "<a" not in shown
        assert "&lt;a href=" in shown

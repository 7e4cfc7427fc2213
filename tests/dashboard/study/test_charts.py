"""Figures of a study as charts: values, axes, intervals; words from outside stay words."""

import pytest

from core.studies.record import Axis, Chart, Matrix, Series
from dashboard.study import charts, figures

HOSTILE = "<b>bold</b>"


def chart(kind, *series, **more):
    return charts.chart(Chart(kind=kind, name="c", title="C", series=series, **more))


def test_bars_have_lines_to_both_ends_of_their_intervals():
    drawn = chart("bar", Series(x=("a", "b"), y=(0.5, None), low=(0.25, None), high=(1.0, None)), y=Axis(share=True))
    (bar,) = drawn.data
    assert list(bar.y) == [0.5, None]
    assert (list(bar.error_y.array), list(bar.error_y.arrayminus)) == ([0.5, None], [0.25, None])
    assert drawn.layout.yaxis.tickformat == ".0%"
    assert not drawn.layout.showlegend


def test_several_named_series_have_a_legend():
    drawn = chart("line", Series(name="one", y=(1.0, 2.0)), Series(name="other", y=(2.0, 1.0)))
    assert drawn.layout.showlegend
    assert [list(line.x) for line in drawn.data] == [[0, 1], [0, 1]]


def test_an_interval_of_a_line_is_a_band_below_it():
    drawn = chart("line", Series(name="one", x=(1.0, 2.0), y=(1.0, 2.0), low=(0.5, 1.5), high=(1.5, 2.5)))
    assert [list(trace.y) for trace in drawn.data] == [[0.5, 1.5], [1.5, 2.5], [1.0, 2.0]]
    assert drawn.data[1].fill == "tonexty"


def test_a_roc_curve_has_the_diagonal_and_both_axes_from_nothing_to_all():
    drawn = chart("roc", Series(x=(0.0, 0.2, 1.0), y=(0.0, 0.8, 1.0)), x=Axis(title="false"), y=Axis(title="true"))
    assert (drawn.layout.shapes[0].x0, drawn.layout.shapes[0].y1) == (0, 1)
    for axis in (drawn.layout.xaxis, drawn.layout.yaxis):
        assert (axis.range[0], axis.tickformat) == (0, ".0%")
        assert axis.range[1] >= 1


def test_a_box_shows_its_points_while_they_are_few():
    few, many = chart("box", Series(name="a", y=(1.0, 2.0)), Series(name="b", y=(1.0,) * 300)).data
    assert (few.boxpoints, many.boxpoints) == ("all", "outliers")
    assert not chart("box", Series(name="a", y=(1.0,)), Series(name="b", y=(1.0,))).layout.showlegend


def test_axes_have_their_ends_their_unit_and_their_scale():
    drawn = chart("points", Series(x=(1.0,), y=(2.0,)), x=Axis(title="size", unit="mm", scale="log"), y=Axis(low=0))
    assert (drawn.layout.xaxis.title.text, drawn.layout.xaxis.type) == ("size (mm)", "log")
    assert tuple(drawn.layout.yaxis.range) == (0, None)


def test_no_word_of_a_figure_is_read_as_a_tag():
    axis = Axis(title=HOSTILE, unit=HOSTILE)
    drawn = chart("bar", Series(name=HOSTILE, x=(HOSTILE,), y=(1.0,)), Series(name="b", y=(1.0,)), x=axis, y=axis)
    heat = charts.heat(matrix(rows=(HOSTILE,), columns=(HOSTILE, "b"), values=((1.0, 2.0),), x=axis, value=axis))
    boxes = chart("box", Series(name=HOSTILE, y=(1.0,)))
    for figure in (drawn, heat, boxes):
        assert "<b>" not in figure.to_json().replace("\\u003c", "<")


def matrix(**changes):
    given = {"rows": ("a", "b"), "columns": ("a", "b"), "values": ((3.0, 1.0), (0.0, None))}
    return Matrix(kind="matrix", name="m", title="M", **{**given, **changes})


def test_a_heat_map_has_its_first_row_on_top_and_its_declared_ends():
    drawn = charts.heat(matrix(value=Axis(low=-1, high=1), centre=0.5))
    assert drawn.layout.yaxis.autorange == "reversed"
    (cells,) = drawn.data
    assert (cells.zmin, cells.zmax) == (-1.0, 2.0)  # the same distance from the centre
    assert charts.ends(matrix(values=((2.0, 2.0), (2.0, 2.0)))) == (2.0, 3.0)


def test_cells_of_a_confusion_are_right_on_the_diagonal_and_stronger_the_more_of_the_row():
    (right, wrong), (none, unknown) = figures.cells(matrix())
    assert (right.main, right.share, right.hue) == ("3", 0.75, "right")
    assert (wrong.share, wrong.hue) == (0.25, "wrong")
    assert (none.hue, none.label, unknown.label) == ("none", "b, a: 0", "b, b: nothing")


def test_cells_that_diverge_have_the_other_colour_below_the_centre():
    cells = figures.cells(matrix(values=((1.0, -0.5), (0.0, 0.25)), value=Axis(low=-1, high=1), centre=0.0))
    assert [(cell.hue, cell.share) for row in cells for cell in row] == [
        ("right", 1.0),
        ("wrong", 0.5),
        ("right", 0.0),
        ("right", 0.25),
    ]


@pytest.mark.parametrize(
    ("axis", "value", "words"),
    [
        (Axis(), 1234.0, "1,234"),
        (Axis(), 0.126, "0.13"),
        (Axis(share=True), 0.126, "13%"),
        (Axis(unit="mm"), 2.5, "2.50 mm"),
    ],
)
def test_a_value_is_written_as_what_it_is(axis, value, words):
    assert figures.words(matrix(value=axis), value) == words

import numpy as np
import pytest

from dashboard.components import matrix

CLASSES = ("hand", "foot")
COUNTS = np.array([[3, 1], [0, 0]])
ROWS = frozenset({"bone", "marker"})


def test_cells_say_what_they_hold():
    (first, second), (third, _) = matrix.cells(CLASSES, COUNTS)
    assert first.label == "truth hand, predicted hand: 3 films"
    assert second.label == "truth hand, predicted foot: 1 film"
    assert third.label == third.title == "truth foot, predicted hand: no films"
    assert (first.main, first.beside, first.share, first.hue) == ("3", "75%", 0.75, "right")
    assert (second.hue, second.title) == ("wrong", "truth hand, predicted foot: 1 film, 25% of the class")


def test_a_class_without_a_film_has_no_share():
    row = matrix.cells(CLASSES, COUNTS)[1]
    assert [(cell.main, cell.beside, cell.share, cell.hue) for cell in row] == [("·", "", 0.0, "none")] * 2


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "bone",
        ["bone"],
        ["bone", "knee"],
        ["bone", "bone"],
        ["hand", "foot"],
        ["bone", 3],
        {"bone": "foot"},
        [["bone"], "foot"],
    ],
)
def test_only_the_names_of_a_cell_come_out(monkeypatch, sent):
    heard = []
    monkeypatch.setattr("streamlit.session_state", {"m": {"cell": sent}})
    matrix._notify("m", ROWS, frozenset(CLASSES), lambda *cell: heard.append(cell))
    assert heard == []


def test_a_clicked_cell_is_told(monkeypatch):
    heard = []
    monkeypatch.setattr("streamlit.session_state", {"m": {"cell": ["bone", "foot"]}})
    matrix._notify("m", ROWS, frozenset(CLASSES), lambda *cell: heard.append(cell))
    assert heard == [("bone", "foot")]


@pytest.mark.parametrize(("classes", "counts"), [(CLASSES, np.zeros((3, 3), int)), (("a", "a"), np.zeros((2, 2), int))])
def test_counts_that_do_not_fit_the_classes_are_a_mistake_of_the_page(classes, counts):
    with pytest.raises(ValueError, match="classes"):
        matrix.matrix(classes, counts, "m", label="m", on_click=lambda *cell: None)


@pytest.mark.parametrize(
    ("rows", "columns", "cells"), [("aa", "b", [["x"]] * 2), ("ab", "cc", [["x"] * 2] * 2), ("ab", "c", [["x"]])]
)
def test_cells_that_do_not_fit_rows_and_columns_are_a_mistake_of_the_page(rows, columns, cells):
    made = [[matrix.Cell(word) for word in row] for row in cells]
    with pytest.raises(ValueError, match="matrix"):
        matrix.grid(rows, columns, made, "m", label="m", on_click=lambda *cell: None)

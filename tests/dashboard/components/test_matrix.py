import numpy as np
import pytest

from dashboard.components import matrix

CLASSES = ("hand", "foot")
COUNTS = np.array([[3, 1], [0, 0]])


def test_cells_say_what_they_hold():
    (first, second), (third, _) = matrix.cells(CLASSES, COUNTS)
    assert first["label"] == "truth hand, predicted hand: 3 films"
    assert second["label"] == "truth hand, predicted foot: 1 film"
    assert third["label"] == "truth foot, predicted hand: no films"
    assert (first["share"], first["words"]) == (0.75, "75%")


def test_a_class_without_a_film_has_no_share():
    row = matrix.cells(CLASSES, COUNTS)[1]
    assert [(cell["share"], cell["words"]) for cell in row] == [(0.0, "–"), (0.0, "–")]


@pytest.mark.parametrize(
    "sent", [None, "hand", ["hand"], ["hand", "knee"], ["hand", 3], {"hand": "foot"}, [["hand"], "foot"]]
)
def test_only_the_names_of_a_cell_come_out(monkeypatch, sent):
    heard = []
    monkeypatch.setattr("streamlit.session_state", {"m": {"cell": sent}})
    matrix._notify("m", frozenset(CLASSES), lambda *cell: heard.append(cell))
    assert heard == []


def test_a_clicked_cell_is_told(monkeypatch):
    heard = []
    monkeypatch.setattr("streamlit.session_state", {"m": {"cell": ["hand", "foot"]}})
    matrix._notify("m", frozenset(CLASSES), lambda *cell: heard.append(cell))
    assert heard == [("hand", "foot")]


@pytest.mark.parametrize(("classes", "counts"), [(CLASSES, np.zeros((3, 3), int)), (("a", "a"), np.zeros((2, 2), int))])
def test_counts_that_do_not_fit_the_classes_are_a_mistake_of_the_page(classes, counts):
    with pytest.raises(ValueError, match="classes"):
        matrix.matrix(classes, counts, "m", label="m", on_click=lambda *cell: None)

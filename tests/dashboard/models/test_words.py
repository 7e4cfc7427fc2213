import pytest
from hypothesis import HealthCheck, given, settings, strategies

from dashboard.models.words import key_figure, metric_tables, one_line
from tests.core.tiny import tiny_card

CLASSES = ("hand", "foot", "knee")


def test_of_a_confusion_matrix_the_mistakes_are_named_most_often_first():
    metrics = {"test": {"films": 12, "confusion": [[3, 1, 0], [0, 4, 0], [2, 0, 2]]}}
    assert metric_tables(metrics, CLASSES) == [
        ("test", [("films", "12"), ("taken for another", "knee for hand 2, hand for foot 1")])
    ]


def test_a_network_without_a_mistake_says_so():
    metrics = {"test": {"confusion": [[3, 0, 0], [0, 4, 0], [0, 0, 2]]}}
    assert metric_tables(metrics, CLASSES) == [("test", [("taken for another", "none")])]


def test_mistakes_beyond_the_first_are_counted():
    classes = tuple("abcd")
    confusion = [[0 if row == column else 1 for column in range(4)] for row in range(4)]
    ((_, rows),) = metric_tables({"test": {"confusion": confusion}}, classes)
    assert rows[0][1].endswith("b for c 1, and 7 more")


_VALUES = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats()
    | strategies.text(max_size=300),
    lambda inner: (
        strategies.lists(inner, max_size=4)
        | strategies.dictionaries(strategies.text(max_size=5) | strategies.integers(), inner, max_size=4)
    ),
    max_leaves=15,
)
_NAMES = strategies.sampled_from(["confusion", "auc", "auc_95", "test", "train", "x_95"]) | strategies.text(
    max_size=200
)


@given(strategies.dictionaries(_NAMES, _VALUES, max_size=6))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_the_metrics_hold_they_are_told_in_rows_of_bounded_length(metrics):
    for heading, rows in metric_tables(metrics, CLASSES):
        assert isinstance(heading, str)
        for name, value in rows:
            assert len(str(name)) <= 300
            assert isinstance(value, str)
            assert len(value) <= 400


@pytest.mark.parametrize(
    ("metrics", "rows"),
    [
        ({"confusion": [[1], [2]]}, [("confusion", "[[1], [2]]")]),
        ({"confusion": []}, [("confusion", "[]")]),
        ({"confusion": [[1, 2, 3]] * 2 + ["abc"]}, [("confusion", "[[1, 2, 3], [1, 2, 3], 'abc']")]),
        ({"auc": 0.5, "auc_95": [0.4]}, [("AUC", "0.500")]),
        ({"auc": 0.5, "auc_95": 0.4}, [("AUC", "0.500")]),
        ({"auc": 0.5, "auc_95": ["low", 0.6]}, [("AUC", "0.500 (95%: low to 0.600)")]),
        ({"auc_95": [0.4, 0.6]}, [("AUC 95", "[0.4, 0.6]")]),
        ({3: 0.5, None: {"a": 1}}, [("3", "0.500")]),
    ],
)
def test_a_table_that_is_uneven_or_empty_is_shown_as_it_is_written(metrics, rows):
    assert metric_tables(metrics, CLASSES)[0] == ("", rows)


def test_of_a_card_with_more_than_anybody_reads_the_first_is_shown():
    many = {f"n{n}": n for n in range(500)}
    ((_, rows),) = metric_tables(many, CLASSES)
    assert rows[-1] == ("and more", "440 rows")
    tables = metric_tables({f"s{n}": {"a": 1} for n in range(40)}, CLASSES)
    assert tables[-1] == ("and more", [("sections", "10")])


@pytest.mark.parametrize(
    ("metrics", "figure"),
    [
        ({}, ""),
        ({"test": {"films": 12}}, ""),
        (
            {"validation": {"auc": 0.9}, "test": {"auc": 0.8, "balanced_accuracy": 0.75}},
            "balanced accuracy 0.750, test",
        ),
        ({"test": {"accuracy": 0.5, "accuracy_95": [0.4, 0.6]}}, "accuracy 0.500 (95%: 0.400 to 0.600), test"),
        ({"mae": 21.95, "psnr": 30.0}, "mean absolute error 21.950"),
        ({"test": {"accuracy": True, "auc": "high"}, "auc": 0.7}, "AUC 0.700"),
    ],
)
def test_the_key_figure_is_the_one_that_says_most_on_what_was_kept_apart(metrics, figure):
    card = tiny_card("tiny", (12, 14, 12)).model_copy(update={"metrics": metrics})
    assert key_figure(card) == figure


def test_a_line_says_what_a_model_does_and_what_it_is_fed():
    assert one_line(tiny_card("tiny", (12, 14, 12))) == "3D classifier · 12×14×12 · CN or AD"
    many = tiny_card("tiny", (16, 20)).model_copy(update={"classes": tuple("abcdefgh")})
    assert one_line(many).endswith("16×20 · 8 classes")

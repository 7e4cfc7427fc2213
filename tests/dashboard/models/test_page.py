from dashboard.models.page import metric_tables

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

import pytest

from core.models.called import called, exclude_each_other


@pytest.mark.parametrize(
    ("probabilities", "exclusive", "names"),
    [
        ({"a": 0.2, "b": 0.7, "c": 0.1}, True, ("b",)),
        ({"a": 0.34, "b": 0.33, "c": 0.33}, True, ("a",)),
        ({"a": 0.9, "b": 0.95, "c": 0.1}, False, ("b", "a")),
        ({"a": 0.1, "b": 0.2, "c": 0.1}, False, ()),
        ({"finding": 0.7}, False, ("finding",)),
        ({"finding": 0.3}, False, ()),
        ({"finding": 1.0}, False, ("finding",)),
        ({}, False, ()),
    ],
)
def test_of_classes_that_exclude_each_other_the_likeliest_is_called_and_of_others_each_that_is_likely(
    probabilities, exclusive, names
):
    assert exclude_each_other(probabilities) is exclusive
    assert called(probabilities) == names

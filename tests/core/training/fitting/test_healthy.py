import numpy as np
import pytest

from core.cohorts.cohort import Entry
from core.models.card import is_healthy_subject
from core.training.fitting.healthy import healthy_references, one_each, without_subjects


def entries(*subjects: str) -> list[Entry]:
    return [Entry(subject, f"ses-{number}", "CN") for number, subject in enumerate(subjects)]


@pytest.mark.parametrize(
    ("subjects", "count", "chosen"),
    [
        ("abcdefghi", 3, "beh"),
        ("aaaabbbc", 3, "abc"),
        ("ab", 5, "ab"),
        ("abc", 1, "b"),
        ("", 3, ""),
    ],
)
def test_the_subjects_are_different_ones_spread_over_the_list(subjects: str, count: int, chosen: str) -> None:
    found = one_each(entries(*subjects), count)
    assert "".join(entry.participant_id for entry in found) == chosen
    assert found == one_each(entries(*subjects), count)


def test_of_a_subject_with_several_sessions_it_is_the_first() -> None:
    assert [entry.session_id for entry in one_each(entries("a", "a", "b", "b"), 2)] == ["ses-0", "ses-2"]


def test_they_are_references_with_a_number_and_others_stay() -> None:
    found = healthy_references([np.zeros(2), np.ones(2)])
    assert list(found) == ["healthy_1", "healthy_2"]
    assert list(without_subjects({"healthy_mean": np.zeros(2), "support": np.ones(2), **found})) == [
        "healthy_mean",
        "support",
    ]
    assert [is_healthy_subject(name) for name in ("healthy_12", "healthy_", "healthy_mean", "support", "1")] == [
        True, False, False, False, False,
    ]  # fmt: skip

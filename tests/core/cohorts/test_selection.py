"""What ``cohort.yaml`` may say, and what goes over what."""

from pathlib import Path

import pytest

from core.cohorts.selection import CohortCard, Selection, read_cohort_card
from core.errors import BadInput


def test_choices_go_over_the_card_and_the_card_over_the_usual():
    card = CohortCard(title="T", label_column="part", minimum=3)
    merged = Selection(minimum=7, exclude="a, b").over(card.selection).over(Selection.usual())
    assert merged == Selection(
        label_column="part", subject_column="participant_id", minimum=7, exclude=("a", "b"), table="", images=""
    )


def test_a_folder_without_a_card_has_an_empty_one(tmp_path: Path):
    assert read_cohort_card(tmp_path) == CohortCard()
    (tmp_path / "cohort.yaml").write_text("")
    assert read_cohort_card(tmp_path) == CohortCard()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"title: [", "not valid YAML"),
        (b"title: " + b"[" * 5000, "not valid YAML"),
        (b"title: 2019-13-45", "not valid YAML: month must be"),
        (b"\xff\xfe", "not text in UTF-8"),
        (b"minimum: many", r"minimum: Input should be a valid integer"),
        (b"colour: red", "colour: Extra inputs"),
        (b"- a", "the whole file"),
    ],
)
def test_a_card_that_cannot_be_used_is_refused_in_one_sentence(tmp_path: Path, content: bytes, sentence: str):
    (tmp_path / "cohort.yaml").write_bytes(content)
    with pytest.raises(BadInput, match=sentence):
        read_cohort_card(tmp_path)

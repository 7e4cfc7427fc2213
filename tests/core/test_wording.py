import numpy as np
import pytest

from core.wording import percent, sentence_case, spelled_out, without_shared_lead


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "<0.1%"),
        (1e-9, "<0.1%"),
        (0.00049, "<0.1%"),
        (0.0005, "0.1%"),
        (0.034, "3.4%"),
        (0.0994, "9.9%"),
        (0.0996, "10%"),
        (0.5, "50%"),
        (0.9, "90%"),
        (0.9006, "90.1%"),
        (0.9994, "99.9%"),
        (0.9998, ">99.9%"),
        (1.0, ">99.9%"),
    ],
)
def test_a_share_is_written_without_overstating_it(share: float, words: str) -> None:
    assert percent(share) == words
    assert percent(float(np.float32(share))) == words


def test_no_share_is_written_as_all_or_nothing() -> None:
    for share in np.linspace(0, 1, 5001):
        assert percent(float(share)) not in {"0%", "100%", "0.0%", "100.0%"}


def test_only_the_first_letter_changes_its_case() -> None:
    assert sentence_case("The MRI's map", start=False) == "the MRI's map"
    assert sentence_case("the MRI's map", start=True) == "The MRI's map"


@pytest.mark.parametrize(
    ("titles", "brief"),
    [
        (["Anatomy, shallow network", "Anatomy, deeper network"], ["Shallow network", "Deeper network"]),
        (["Anatomy, shallow network"], ["Anatomy, shallow network"]),
        (["Anatomy, shallow network", "Chest, deeper network"], ["Anatomy, shallow network", "Chest, deeper network"]),
        (["Anatomy, shallow", "Anatomy"], ["Anatomy, shallow", "Anatomy"]),
        (["Anatomy, ", "Anatomy, deeper"], ["Anatomy, ", "Anatomy, deeper"]),
    ],
)
def test_a_lead_that_all_titles_share_is_left_out(titles: list[str], brief: list[str]) -> None:
    assert without_shared_lead(titles) == brief


def test_usual_abbreviations_of_classes_are_spelled_out_and_other_names_stay():
    assert [spelled_out(name) for name in ("AD", "CN", "hand")] == ["Alzheimer's disease", "cognitively normal", "hand"]

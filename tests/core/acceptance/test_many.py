"""What is said of many scans."""

import pytest

from core.acceptance import Acceptance, Sign
from core.acceptance.many import Refusals, as_row, in_a_cell, with_refusals

_BAD = Sign("space", "Place in MNI space", False, "It does not lie there.")
_WORSE = Sign("range", "Range of values", False, "Its values are too large.")
_SAID = {
    "accepted": Acceptance("accepted"),
    "unknown": Acceptance("unknown"),
    "refused": Acceptance("refused", (_BAD, _WORSE)),
}


def rows(**states):
    return [{"scan": name, **as_row(_SAID[state])} for name, state in states.items()]


def test_a_row_keeps_what_was_said_and_the_first_reason():
    assert as_row(_SAID["refused"]) == {"acceptance": "refused", "reason": "It does not lie there."}
    assert as_row(_SAID["accepted"]) == {"acceptance": "accepted", "reason": ""}


@pytest.mark.parametrize(
    ("row", "cell"),
    [
        (as_row(_SAID["refused"]), "no: It does not lie there."),
        (as_row(_SAID["accepted"]), "yes"),
        (as_row(_SAID["unknown"]), "not known"),
        ({"film": "of yesterday"}, None),
    ],
)
def test_a_cell_says_it_in_a_word(row, cell):
    assert in_a_cell(row) == cell


def test_refused_scans_are_counted_once_and_named():
    found = Refusals.of("Deep", [*rows(a="accepted", b="refused", c="accepted"), *rows(b="refused")])
    assert (found.scans, found.reasons, found.unknown, found.most) == (3, {"b": "It does not lie there."}, False, False)
    assert found.notes() == ["Not what Deep was made for: b (It does not lie there)."]


def test_of_very_many_the_first_are_named_and_the_others_counted():
    (note,) = Refusals.of("Deep", rows(**{f"n{number}": "refused" for number in range(30)})).notes()
    assert note.count("It does not lie there") == 8
    assert note.endswith("n7 (It does not lie there), and 22 more: the table marks them.")


def test_what_is_not_known_is_said():
    (note,) = Refusals.of("Deep", rows(a="unknown")).notes("film")
    assert note.startswith("It is not known what Deep was trained on: whether it can read these films")


def test_rows_of_yesterday_say_nothing():
    found = Refusals.of("Deep", [{"scan": "a"}])
    assert (found.scans, found.reasons, found.unknown, found.notes()) == (0, {}, False, [])
    assert with_refusals("A finding.", [found]) == "A finding."


def test_a_few_come_last_in_the_sentence_and_most_come_first():
    few = Refusals.of("Deep", rows(a="accepted", b="refused", c="accepted"))
    assert with_refusals("A finding.", [few]) == (
        "A finding. 1 of 3 scans is not what Deep was made for: what it says of it means nothing, and is counted all "
        "the same."
    )
    most = Refusals.of("Flat", rows(a="refused", b="refused", c="accepted"))
    assert with_refusals("A finding.", [few, most], "film") == (
        "1 of 3 films is not what Deep was made for, 2 not what Flat was made for: what is said of them means nothing, "
        "and is counted all the same. A finding."
    )
    assert with_refusals("A finding.", []) == "A finding."

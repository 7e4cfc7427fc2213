"""What is said of a scan."""

import json

from core.acceptance import HEADING, Acceptance, Sign

_GOOD = Sign("values", "Values", True, "Like the training scans.", 1.0, 2.0)
_BAD = Sign("space", "Place in MNI space", False, "It does not lie there.")


def test_a_refusal_says_why():
    refused = Acceptance("refused", (_GOOD, _BAD))
    assert refused.refused
    assert refused.sentence == f"{HEADING}: its answer means nothing. It does not lie there."
    assert refused.in_mni_space is False


def test_nothing_is_said_of_a_scan_that_is_read_and_what_is_not_known_is_said():
    assert Acceptance("accepted", (_GOOD,)).sentence == ""
    assert "not known what this model was trained on" in Acceptance("unknown").sentence
    assert Acceptance("accepted", (_GOOD,)).in_mni_space is None


def test_it_comes_back_from_a_record():
    refused = Acceptance("refused", (_GOOD, _BAD))
    assert Acceptance.of_record(json.loads(json.dumps(refused.as_record()))) == refused
    assert Acceptance.of_record(None) is None


def test_a_header_that_contradicts_leaves_a_scan_without_a_place():
    space = Sign("space", "Place in MNI space", True, "It lies there.")
    header = Sign("header", "Space named by the header", False, "The header names the scanner's space.")
    assert Acceptance("accepted", (space,)).in_mni_space is True
    assert Acceptance("refused", (space, header)).in_mni_space is False

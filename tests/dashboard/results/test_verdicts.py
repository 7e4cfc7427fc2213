import pytest

from core.explainers.extras import Verdict
from dashboard.results import verdicts


@pytest.mark.parametrize(
    ("state", "said", "title"),
    [
        ("holds", "Holds", "Heat map"),
        ("fails", "Does not hold", "Does not hold: heat map"),
        ("nothing", "Nothing to explain", "Heat map"),
        ("untested", "Not tested", "Heat map"),
    ],
)
def test_a_verdict_is_said_and_a_picture_of_what_failed_says_so_itself(state, said, title):
    verdict = Verdict(state, "By <b>which</b> checks.")
    line = verdicts.line(verdict)
    assert f"verdict {state}" in line
    assert f"<b>{said}</b>" in line
    assert "&lt;b&gt;which" in line
    assert verdicts.titled("Heat map", verdict) == title


def test_where_there_is_no_result_that_stands_in_its_place_with_what_to_try():
    missed = Verdict("fails", "Not passed: Goal reached.", "Try another μ fill.")
    assert verdicts.titled("Hidden share", missed) == "No result"
    assert "Try another μ fill." in verdicts.struck(missed)
    assert "Try another" not in verdicts.line(missed), "it stands where the map would"
    assert verdicts.struck(Verdict("fails", "Not passed: Swap test.")) == ""


@pytest.mark.parametrize(
    ("passed", "applies", "sign"),
    [
        (True, True, "✓ passed"),
        (False, True, "! failed"),
        (None, True, "· noted"),
        (None, False, "– not tested"),
    ],
)
def test_a_check_that_had_nothing_to_test_has_no_tick(passed, applies, sign):
    assert verdicts.mark({"passed": passed, "applies": applies})[1] == sign

import pytest

from dashboard.look import text


@pytest.mark.parametrize(
    ("value", "words"), [(0.5, "0.500"), (0.99998, ">0.999"), (1.0, ">0.999"), (0.0004, "<0.001"), (0.033, "0.033")]
)
def test_no_probability_is_shown_as_certain(value, words):
    assert text.probability(value) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(2.34, "2.3 s"), (42.4, "42 s"), (125, "2 min 05 s"), (3600 * 1.5, "1 h 30 min")]
)
def test_durations_are_told_in_words(seconds, words):
    assert text.duration(seconds) == words


def test_words_from_outside_never_become_html():
    hostile = "<img src=x onerror=alert(1)>"
    pieces = [
        text.tag(hostile),
        text.empty(hostile, hostile),
        text.numbers([(hostile, hostile)], hostile),
        text.quiet(hostile),
        text.escape(hostile),
    ]
    assert not any("<img" in piece for piece in pieces)

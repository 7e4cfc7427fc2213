import ast

import pytest

from core.settings import ROOT
from dashboard.look import text
from dashboard.look.text import Markup

HOSTILE = "<img src=x onerror='alert(1)'>"


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.5, "50%"), (0.99998, ">99.9%"), (1.0, ">99.9%"), (0.0004, "<0.1%"), (0.033, "3.3%"), (0.967, "96.7%")],
)
def test_no_probability_is_shown_as_certain(value, words):
    assert text.probability(value) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(2.34, "2.3 s"), (42.4, "42 s"), (125, "2 min 05 s"), (3600 * 1.5, "1 h 30 min")]
)
def test_durations_are_told_in_words(seconds, words):
    assert text.duration(seconds) == words


def test_words_from_outside_never_become_html():
    pieces = [
        text.tag(HOSTILE, HOSTILE),
        text.bold(HOSTILE),
        text.title(HOSTILE),
        text.beside(HOSTILE),
        text.facts([HOSTILE]),
        text.empty(HOSTILE, HOSTILE),
        text.numbers([(HOSTILE, HOSTILE)], HOSTILE),
        text.quiet(HOSTILE),
        text.quiet_word(HOSTILE),
        text.quiet_lines([HOSTILE]),
        text.answer(HOSTILE, HOSTILE),
    ]
    for piece in pieces:
        assert isinstance(piece, Markup)
        assert "<img" not in piece
        assert "'alert" not in piece, "a name may stand in an attribute"
        assert "&lt;img" in piece


def test_only_markup_goes_on_a_page_as_html():
    with pytest.raises(TypeError, match="only markup"):
        text.show("<b>words</b>")


def modules():
    """Every module of the dashboard and its pages: where it lies, and its syntax tree."""
    for folder in ("dashboard", "pages"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def called(tree):
    """Calls in a module: the last part of what is called, and the call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "attr", getattr(node.func, "id", "")), node


def test_html_reaches_a_page_in_one_place():
    found = [place for place, tree in modules() for name, _ in called(tree) if name == "html"]
    assert set(found) == {"dashboard/look/text.py"}


def test_nothing_is_escaped_by_hand_and_no_markdown_may_hold_html():
    for place, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {getattr(node, "module", None), *(alias.name for alias in node.names)}
                assert "html" not in names, f"{place}: dashboard.look.text escapes"
            if isinstance(node, ast.keyword):
                assert node.arg not in ("unsafe_allow_html", "unsafe_allow_javascript"), place


def test_markup_is_made_of_templates_that_stand_in_the_source():
    # of anything else nobody can see whether it was escaped
    for place, tree in modules():
        for name, call in called(tree):
            if name == "Markup":
                given = [*call.args, *(keyword.value for keyword in call.keywords)]
                assert all(isinstance(value, ast.Constant) for value in given), f"{place}:{call.lineno}"


def test_scripts_of_components_write_text_as_text():
    for script in (ROOT / "dashboard" / "components").rglob("*.js"):
        source = script.read_text(encoding="utf-8")
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "srcdoc"):
            assert way not in source, f"{script.name}: {way}"


def test_nothing_in_words_from_outside_is_read_as_markdown():
    assert text.as_markdown("Filters of layer1.0") == "Filters of layer1.0"
    assert text.as_markdown("[a](b) *c* `d` $e$ :red[f]") == r"\[a\]\(b\) \*c\* \`d\` \$e\$ \:red\[f\]"

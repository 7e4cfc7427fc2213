"""No screen knows an explainer: what is shown of one, and how, follows from what it says of itself.

Words for people may name one; code may not. A string is taken for a name wherever code could look at it, that is
everywhere but in docstrings. ``mask`` is also a kind of array and a role of a layer: there it is no explainer.
"""

import ast
from collections.abc import Iterator

import pytest

from core.explainers import explainers
from core.settings import ROOT

#: A bench names what it measures, and the command that makes the pictures of Home what it draws: neither is a screen.
EXCEPT = ("dashboard/bench/", "dashboard/home/cards.py")
#: What a parameter may pick (`core.parameters.parameter`) is no parameter's name, although some are called so.
PICKS = {"input_channel", "output_channel"}


def names() -> set[str]:
    return set(explainers())


def parameters() -> set[str]:
    """Names of parameters of two words and more: single words mean many things on a screen."""
    fields = {field for cls in explainers().values() for field in cls.parameters_model.model_fields}
    return {field for field in fields if "_" in field} - PICKS


def folders() -> tuple[str, ...]:
    """Where explainers live: what they share lies beside them."""
    return tuple({".".join(cls.__module__.split(".")[:3]) for cls in explainers().values()})


def docstrings(tree: ast.AST) -> set[int]:
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, holders)]
    first = [body[0].value for body in bodies if body and isinstance(body[0], ast.Expr)]
    return {id(value) for value in first}


def kinds_and_roles(tree: ast.AST) -> set[int]:
    """Constants that stand for a kind of array or a role of a layer."""
    found: list[ast.AST] = []
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Compare)
            and isinstance(node.left, ast.Attribute)
            and node.left.attr in ("kind", "role")
        ):
            found += node.comparators
        elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "Literal":
            found.append(node.slice)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Layer":
            found += node.args[1:2]
    return {id(inner) for node in found for inner in ast.walk(node)}


def known_by_name(source: str) -> Iterator[tuple[int, str]]:
    """Line and word wherever code knows an explainer, its module, a parameter of it or a number it records."""
    tree = ast.parse(source)
    passed = docstrings(tree) | kinds_and_roles(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom | ast.Import):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            folders = {"ibix", "mask", "deconvnet", "captum"}
            yield from (
                (node.lineno, m) for m in modules if m.startswith("core.explainers.") and m.split(".")[2] in folders
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed:
            word = node.value
            if word in names() | parameters() or "score_filter" in word or "filter_(" in word:
                yield node.lineno, word


def test_no_screen_knows_an_explainer():
    known = {}
    for path in sorted([*(ROOT / "dashboard").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(EXCEPT) and (found := list(known_by_name(path.read_text(encoding="utf-8")))):
            known[name] = found
    assert known == {}


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ('TRACER = "ibix"', "ibix"),
        ('def f(entry):\n    return entry.name == "deconvnet"', "deconvnet"),
        ('names.sort(key=lambda name: name != "mask")', "mask"),
        ('colours = {"saliency": "#fff"}', "saliency"),
        ('values["coarse_superpixels"] = 9', "coarse_superpixels"),
        ('import re\nre.compile(r"score_filter_(.+)")', "score_filter_(.+)"),
        ("from core.explainers.ibix.explainer import Ibix", "core.explainers.ibix.explainer"),
    ],
)
def test_whatever_knows_one_is_found(source, word):
    assert [found for _, found in known_by_name(source)] == [word]


@pytest.mark.parametrize(
    "source",
    [
        '"""The ibix."""',
        'x = "IBIX stands before others"',
        'y = array.kind == "mask"',
        'ok = layers[0].role in ("mask", "outline")',
        'Role = Literal["image", "mask"]',
        'Layer(reference, "mask", name=title)',
        "from core.explainers import explainers",
    ],
)
def test_words_for_people_and_kinds_of_arrays_are_no_names(source):
    assert list(known_by_name(source)) == []

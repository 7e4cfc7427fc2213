"""What the pages name must be there: modules, classes and functions by their dotted names, files by their paths."""

import importlib
import importlib.util
import re
from pathlib import Path

import pytest

from core.settings import ROOT

PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "assets" / "README.md", *(ROOT / "docs").rglob("*.md")]
)
_QUOTED = re.compile(r"`([^`\n]+)`")
_DOTTED = re.compile(r"@?((?:core|dashboard|pages)(?:\.\w+)+)")
_IMPORT = re.compile(r"^\s*from ((?:core|dashboard)[\w.]*) import (?:\(([^)]*)\)|([^\n(#]+))", flags=re.MULTILINE)
_PATH = re.compile(r"(?<![\w./])((?:core|dashboard|pages|tests|docs|assets)/[\w./*-]*)")


def dotted_names(page: Path) -> set[str]:
    """Names in backquotes, and what the code on the page imports."""
    text = page.read_text(encoding="utf-8")
    named = {name for quoted in _QUOTED.findall(text) for name in _DOTTED.findall(quoted)}
    for module, several, one in _IMPORT.findall(text):
        named |= {f"{module}.{name.split(' as ')[0].strip()}" for name in (several or one).split(",") if name.strip()}
    return named


def paths(page: Path) -> set[str]:
    """Files and folders in backquotes; those with a word in capitals stand for any name."""
    text = page.read_text(encoding="utf-8")
    found = {path for quoted in _QUOTED.findall(text) for path in _PATH.findall(quoted)}
    return {path for path in found if not re.search(r"(?<![A-Za-z])[A-Z]+(?![a-z])", path.replace("README", ""))}


def is_there(name: str) -> bool:
    """Whether a dotted name leads to a module, or to something in one."""
    module, rest = name, []
    while module:
        try:
            found = importlib.util.find_spec(module)
        except ModuleNotFoundError:
            found = None
        if found is not None:
            item = importlib.import_module(module) if rest else None
            for attribute in rest:
                fields = getattr(item, "__annotations__", {})
                if not hasattr(item, attribute):
                    return attribute in fields
                item = getattr(item, attribute)
            return True
        module, _, last = module.rpartition(".")
        rest.insert(0, last)
    return False


def test_names_that_are_not_there_are_seen():
    assert is_there("core.parameters.parameter")
    assert is_there("core.explainers.base.Explainer.quick")
    assert not is_there("core.parameters.slider")
    assert not is_there("core.nothing.parameter")
    assert not is_there("core.explainers.base.Explainer.swift")


def test_names_are_found_on_the_pages():
    architecture = ROOT / "docs" / "explanation" / "architecture.md"
    assert {"core.registry", "dashboard.trace.desk.TraceDesk.select"} <= dotted_names(architecture)
    assert "core.scans.load_scan" in dotted_names(ROOT / "README.md")
    assert "tests/core/test_house.py" in paths(architecture)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_is_there(page: Path):
    assert {name for name in dotted_names(page) if not is_there(name)} == set()
    assert {path for path in paths(page) if not list(ROOT.glob(path.rstrip("/")))} == set()

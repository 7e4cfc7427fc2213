"""The house: no circle, no crowded folder, no long file. Nobody takes what is private to another.

What imports what is checked by import-linter."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import grimp
import networkx
import pytest

from core.settings import ROOT

PACKAGES = ("core", "dashboard", "pages")
#: Loose Python files of one folder, beside its ``__init__``.
MOST_FILES = 15
MOST_LINES = 400


def circles() -> list[list[str]]:
    """Groups of modules that import each other, also inside functions and for types alone."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    arrows = networkx.DiGraph(
        (module, imported) for module in graph.modules for imported in graph.find_modules_directly_imported_by(module)
    )
    return [sorted(found) for found in networkx.strongly_connected_components(arrows) if len(found) > 1]


def test_no_circle():
    assert circles() == []


def test_no_crowded_folder():
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if path.name != "__init__.py")
    counted = Counter(str(path.parent.relative_to(ROOT)) for path in files)
    assert {folder: count for folder, count in counted.items() if count > MOST_FILES} == {}


@pytest.mark.parametrize("ending", ["py", "js"])
def test_no_long_file(ending: str):
    paths = [path for folder in (*PACKAGES, "tests") for path in (ROOT / folder).rglob(f"*.{ending}")]
    paths = [path for path in paths if "site" not in path.parts]  # what make docs builds is not ours
    lines = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    assert paths
    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}


def private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def ours(module: str) -> bool:
    return module.split(".")[0] in PACKAGES


def names_taken(path: Path, source: str) -> Iterator[str]:
    """Private names of ours that a file takes from elsewhere than its own folder, or from anything by name."""
    package = ".".join(path.parts[:-1])
    modules: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found = [(alias.name, "") for alias in node.names]
            modules |= {alias.asname or alias.name for alias in node.names if ours(alias.name)}
        elif isinstance(node, ast.ImportFrom):
            found = [(node.module or "", alias.name) for alias in node.names]
            modules |= {alias.asname or alias.name for alias in node.names if ours(node.module or "")}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            # a private name of a module or class that was imported
            if private(node.attr):
                yield f"{node.value.id}.{node.attr}"
            continue
        else:
            continue
        for module, name in found:
            if not ours(module):
                continue
            own = module == package or module.startswith(f"{package}.")
            if private(name) or (not own and any(private(part) for part in module.split("."))):
                yield f"{module}.{name}"


def test_nobody_takes_what_is_private_to_another():
    taken = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            relative = path.relative_to(ROOT)
            if found := sorted(set(names_taken(relative, path.read_text(encoding="utf-8")))):
                taken[str(relative)] = found
    assert taken == {}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from core.runs.store import _ledger", ["core.runs.store._ledger"]),
        ("from core.runs._own.part import name", ["core.runs._own.part.name"]),
        ("import core.bench._plain", ["core.bench._plain."]),
        ("from core.bench import plain\nplain._slow()", ["plain._slow"]),
        ("from core.explainers._helpers import name", []),
        ("from core.explainers.mask import __doc__", []),
        ("import os\nos._exit(0)", []),
        ("from torch.nn.modules.batchnorm import _BatchNorm", []),
        ("class A:\n    def run(self):\n        return self._own", []),
    ],
)
def test_what_is_private_to_another_is_found(source: str, found: list[str]):
    assert list(names_taken(Path("core/explainers/file.py"), source)) == found

"""The house: no circle, no crowded folder, no long file. What imports what is checked by import-linter."""

from collections import Counter

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

"""What code a run uses: what changes its meaning, and what does not."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.runs import sources
from core.runs.sources import inside, marked_by, meaning_of, used_by
from core.settings import ROOT

FILES = {
    "__init__": """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from plug.inner import late
from plug.inner import early
from plug import aside
""",
    "main": '''
"""A module."""
from typing import TYPE_CHECKING
from plug import early, late
from . import near
if TYPE_CHECKING:
    import plug.types

SIZE = 3

def run(x):
    """Run."""
    from .lazy import helper  # only when it runs
    return helper(x) + SIZE
''',
    "inner": "early = 1\nlate = 2\n",
    "near": "import plug.deep.down as down\n",
    "lazy": "import importlib\nimport numpy\nhelper = importlib.import_module('plug.named').helper\n",
    "named": "helper = abs\n",
    "aside": "x = 1\n",
    "types": "x = 1\n",
    "deep/__init__": "",
    "deep/down": "from ..starred import *\n",
    "starred": "@metric('area', compares='map')\ndef area(): ...\n",
    "broken": "def (:\n",
}
USED = {"main", "inner", "near", "lazy", "named", "deep.down", "starred"}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package that is installed and not imported."""
    folder = tmp_path / "plug"
    for name, text in FILES.items():
        file = folder / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    forget()
    yield folder
    forget()
    assert not [name for name in sys.modules if name.partition(".")[0] == "plug"]


def forget() -> None:
    """Read the sources again, as another process would."""
    for cached in (sources._read, sources._file_of, sources._folders_of):
        cached.cache_clear()


def meaning(module: str = "plug.main") -> str:
    forget()
    return meaning_of([module])


def test_a_module_uses_what_it_imports_wherever_it_does(package: Path) -> None:
    assert used_by(["plug.main"]) == {f"plug.{name}" for name in USED}


@pytest.mark.parametrize("name", sorted(USED))
def test_a_change_of_what_is_used_is_another_meaning(package: Path, name: str) -> None:
    before = meaning()
    file = package / f"{name.replace('.', '/')}.py"
    file.write_text(file.read_text() + "added = 1\n")
    assert meaning() != before


@pytest.mark.parametrize("name", ["__init__", "aside", "types", "broken", "deep/__init__"])
def test_a_change_of_what_is_not_used_changes_nothing(package: Path, name: str) -> None:
    before = meaning()
    file = package / f"{name}.py"
    file.write_text(file.read_text() + "added = 1\n")
    assert meaning() == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""A module."""', '"""Quite a module."""'),
        ('    """Run."""\n', ""),
        ("# only when it runs", "# when it runs, and no sooner"),
        ("SIZE = 3", "# how large\n\n\nSIZE = (\n    3\n)"),
        ("    import plug.types", "    import plug.types, plug.aside"),
    ],
)
def test_comments_docstrings_layout_and_types_mean_nothing(package: Path, old: str, new: str) -> None:
    before = meaning()
    file = package / "main.py"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    assert meaning() == before


@pytest.mark.parametrize(("old", "new"), [("SIZE = 3", "SIZE = 4"), ("+ SIZE", "- SIZE"), ("run(x)", "run(x=None)")])
def test_a_number_a_sign_and_a_default_mean_something(package: Path, old: str, new: str) -> None:
    before = meaning()
    file = package / "main.py"
    file.write_text(file.read_text().replace(old, new))
    assert meaning() != before


def test_a_text_that_is_no_docstring_means_something(package: Path) -> None:
    (package / "named.py").write_text("helper = 'one'\n")
    before = meaning()
    (package / "named.py").write_text("helper = 'two'\n")
    assert meaning() != before


def test_what_has_no_source_is_never_the_same_again(package: Path) -> None:
    assert meaning("plug.nowhere") != meaning("plug.nowhere")
    assert meaning("plug.broken") != meaning("plug.broken")
    assert meaning("plug.inner") == meaning("plug.inner")


def test_decorated_things_are_found_by_what_the_decorator_is_told(package: Path) -> None:
    everything = inside("plug")
    assert everything == {
        "plug",
        *(f"plug.{name.replace('/', '.')}" for name in FILES if "__init__" not in name),
        "plug.deep",
    }
    assert marked_by(everything, "metric", "area") == marked_by(everything, "metric", "map") == {"plug.starred"}
    assert marked_by(everything, "metric", "volume") == set()


def test_a_module_that_is_no_package_is_read_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "loose_plug.py").write_text("x = 1\n")
    before = meaning("loose_plug")
    assert before == meaning("loose_plug")
    (tmp_path / "loose_plug.py").write_text("x = 2\n")
    assert meaning("loose_plug") != before
    forget()


def test_the_same_code_means_the_same_in_every_process() -> None:
    code = "from core.runs.sources import meaning_of; print(meaning_of(['core.runs.kinds.explanation']))"
    command = [sys.executable, "-c", code]
    told = [
        subprocess.run(command, cwd=ROOT, env={"PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1] != b""

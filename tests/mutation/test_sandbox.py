"""Tests of a mutant run in a copy, and their end is told."""

import subprocess
from pathlib import Path

import pytest

from tests.mutation.sandbox import Outcome, Sandbox

TESTS = """
from core.thing import answer

def test_it():
    assert answer() == 1
"""


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    monkeypatch.setattr("tests.mutation.sandbox.LIBRARIES", ("json",))
    root = tmp_path / "checkout"
    for path, text in {
        "core/__init__.py": "",
        "core/thing.py": "def answer(): return 1\n",
        "tests/test_thing.py": TESTS,
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (root / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["."]\n')
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return Sandbox(root, tmp_path / "sandbox")


@pytest.mark.parametrize(
    ("changed", "ending"),
    [
        ("def answer(): return 1 + 0", "passed"),
        ("def answer(): return 2", "failed"),
        ("def answers(): return 1", "broken"),
        ("def answer():\n    while True: pass", "timeout"),
        ("import os\ndef answer(): os.kill(os.getpid(), 11)", "crashed"),
        ("import os\ndef answer(): os._exit(0)", "crashed"),
    ],
)
def test_every_ending_has_its_name(sandbox, changed, ending):
    limit = 1 if ending == "timeout" else 30  # only what never ends is waited for in vain
    assert sandbox.run(["tests/test_thing.py"], limit, ("core/thing.py", changed)).ending == ending
    assert (sandbox.copy / "core/thing.py").read_text() == "def answer(): return 1\n"


def test_an_unchanged_copy_passes_again_after_a_mutant_of_the_same_length_and_second(sandbox):
    tests = ["tests/test_thing.py"]
    assert sandbox.run(tests, 5).ending == "passed"
    found = sandbox.run(tests, 5, ("core/thing.py", "def answer(): return 7\n"))
    assert (found.ending, found.test) == ("failed", "tests/test_thing.py::test_it")
    again = sandbox.run(tests, 5)
    assert (again.ending, list(again.seconds)) == ("passed", tests)
    assert not (sandbox.root / "core" / "__pycache__").exists()


def test_nothing_to_run_is_no_pass(sandbox):
    assert sandbox.run([], 5) == Outcome("none")

"""What works here: as a table, as JSON, and by the exit code."""

import json

import pytest

from core.command_line import examination
from core.command_line.examination import CheckUp, State
from core.command_line.main import main

FINE = CheckUp("store", State.FINE, "0.10 of 5 GB used")
LIMITED = CheckUp("chromium", State.LIMITED, "not found", "install it")
BROKEN = CheckUp("models", State.BROKEN, "the library is empty", "run `make assets`")


@pytest.fixture
def found(monkeypatch):
    def find(*checks):
        monkeypatch.setattr(examination, "examine", lambda: list(checks))

    return find


def test_what_is_limited_is_told_and_works(found, capsys):
    found(FINE, LIMITED)
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert "✓" in printed
    assert "→ chromium: install it" in printed
    assert printed.endswith("Lightbox works here.\n")


def test_what_is_broken_is_told_and_ends_with_one(found, capsys):
    found(FINE, BROKEN)
    assert main(["doctor"]) == 1
    printed = capsys.readouterr().out
    assert "✗" in printed
    assert "→ models: run `make assets`" in printed
    assert printed.endswith("mend what is marked with ✗.\n")


@pytest.mark.parametrize(("check", "code"), [(LIMITED, 0), (BROKEN, 1)])
def test_scripts_read_the_same(found, capsys, check, code):
    found(FINE, check)
    assert main(["doctor", "--json"]) == code
    told = json.loads(capsys.readouterr().out)
    assert told["usable"] is (code == 0)
    assert told["checks"] == [FINE.as_dict(), check.as_dict()]

"""Every key of the viewer is told to people: on the screen and in the reference."""

import re

import pytest

from core.settings import ROOT

STATIC = ROOT / "dashboard" / "components" / "viewer" / "static"
KEYS = re.findall(
    r'[{,]\s*"?([a-z0-9.<>?])"?: "\w+"', (STATIC / "keys.js").read_text(encoding="utf-8").split("const COMMANDS")[1]
)


def test_the_keys_are_found():
    assert {"v", "f", "m", ".", "0", "?"} <= set(KEYS)
    assert len(KEYS) == len(set(KEYS)) > 25


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_in_the_reference_and_on_the_screen(key):
    reference = (ROOT / "docs" / "reference" / "viewer.md").read_text(encoding="utf-8").split("## Mouse and keys")[1]
    screen = (STATIC / "controls" / "help.js").read_text(encoding="utf-8")
    named = re.compile(rf"(?<![\w]){re.escape(key.upper())}(?![\w])")
    assert named.search(reference)
    assert key == "?" or named.search(screen)

"""What the library offers by name."""

import re
import subprocess
import sys
import typing

import pytest

import core.networks
from core.settings import ROOT

PAGE = ROOT / "docs" / "reference" / "networks.md"


def test_every_public_name_is_there_and_no_other():
    for name in core.networks.__all__:
        assert getattr(core.networks, name) is not None
    assert set(core.networks._HOMES) == set(core.networks.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        _ = core.networks.nothing


def test_the_page_of_documentation_names_each_of_them():
    text = PAGE.read_text(encoding="utf-8")
    code = {name for piece in re.findall(r"`([^`]+)`", text) for name in re.findall(r"\w+", piece)}
    assert set(core.networks.__all__) <= code
    for word in (*typing.get_args(core.networks.Engine), *typing.get_args(core.networks.Precision)):
        assert f'`"{word}"`' in text


def test_naming_it_does_not_bring_torch():
    code = "import sys, core.networks; from core.networks import convolutions; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

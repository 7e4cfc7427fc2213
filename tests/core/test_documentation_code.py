"""The pages on how to write something: their code is laid into empty folders, installed, and followed line by line.

A fenced block with ``title="FILE"`` is a file; a block ``sh`` holds commands, and those between belong to the page.
"""

import inspect
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from core.models import load_model
from core.models.zoo import build
from core.parameters import parameter
from core.settings import ROOT

HOW_TO = ROOT / "docs" / "how-to"
PAGES = sorted(path for path in HOW_TO.glob("write-*.md"))
_BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


def files_of(page: Path) -> dict[str, str]:
    """Files that a page says to write, name → content."""
    return {name: text for _, name, text in _BLOCK.findall(page.read_text(encoding="utf-8")) if name}


def commands_of(page: Path) -> list[str]:
    """Commands that a page says to type, in their order."""
    text = page.read_text(encoding="utf-8")
    return [line for kind, name, block in _BLOCK.findall(text) if kind == "sh" for line in block.splitlines()]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Path]:
    """The folder that each page leads to."""
    parent = tmp_path_factory.mktemp("written")
    for page in PAGES:
        for name, content in files_of(page).items():
            path = parent / page.stem / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    return {page: parent / page.stem for page in PAGES}


@pytest.fixture(scope="module")
def site(folders: dict[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every page's package, installed at once: what an environment with all of them holds."""
    target = tmp_path_factory.mktemp("site")
    offline = ["--no-deps", "--no-index", "--no-build-isolation", "--no-compile"]
    command = [sys.executable, "-m", "pip", "install", "--quiet", *offline, "--target", str(target)]
    done = subprocess.run([*command, *map(str, folders.values())], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def test_there_is_a_page_for_each_kind_of_thing():
    kinds = {"explainer", "architecture", "metric", "model-format", "recipe", "study", "worker"}
    assert kinds <= {page.stem.removeprefix("write-an-").removeprefix("write-a-") for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_can_be_followed(page: Path, folders: dict[Path, Path], site: Path, tmp_path: Path):
    path = os.pathsep.join([str(ROOT), str(site)])
    own = {"PYTHONPATH": path, "LIGHTBOX_STORE_PATH": str(tmp_path / "store"), "OMP_NUM_THREADS": "1"}
    commands = [line for line in commands_of(page) if not line.startswith("pip install")]
    assert commands
    for line in commands:
        python = shlex.quote(sys.executable)
        called = re.sub(r"(?<!\S)lightbox ", f"{python} -P -m core ", re.sub(r"(?<!\S)python ", f"{python} ", line))
        assert called != line
        done = subprocess.run(
            called,
            shell=True,
            cwd=folders[page],
            env={**os.environ, **own},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"


def test_a_checkpoint_becomes_a_model_as_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    code = files_of(HOW_TO / "bring-a-model.md")["convert.py"]
    network = build("anatomy-cnn", {"shape": [64, 64], "classes": 2, "variant": "shallow"})
    monkeypatch.chdir(tmp_path)
    torch.save(network.state_dict(), "checkpoint.pt")
    exec(code, {})
    made = load_model(tmp_path / "models" / "my-model")
    assert made.card.classes == ("Hand", "Knee")
    for name, weights in network.state_dict().items():
        assert torch.equal(weights, made.network.state_dict()[name])


def test_every_argument_of_a_parameter_is_on_its_page():
    text = (ROOT / "docs" / "reference" / "parameters.md").read_text(encoding="utf-8")
    named = {
        name
        for names in re.findall(r"^\| (`[^|]+`) \|", text, flags=re.MULTILINE)
        for name in re.findall(r"`(\w+)`", names)
    }
    assert named == set(inspect.signature(parameter).parameters) - {"default", "help"}
    (example,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    exec(example, {})

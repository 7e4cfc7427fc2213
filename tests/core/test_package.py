"""The package as somebody gets it: built, unpacked elsewhere, and used from a directory that holds traps."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from core import VERSION
from core.settings import ROOT

PACKAGES = ("core", "dashboard", "pages", "assets")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pip(*arguments: object, **variables: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *map(str, arguments)]
    done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("wheel")
    # nothing is left beside the sources
    (made / "build.cfg").write_text(f"[build]\nbuild_base = {made}/build\n[egg_info]\negg_base = {made}\n")
    variables = {"DIST_EXTRA_CONFIG": str(made / "build.cfg")}
    pip("wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", made, ROOT, **variables)
    (path,) = made.glob("lightbox-*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    pip("install", "--no-deps", "--no-index", "--no-compile", "--target", folder, wheel)
    return folder


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A working directory in which somebody has packages of the same names."""
    for name in ("core", "dashboard", "pages"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise ImportError('this is not Lightbox')\n")
    return tmp_path


def variables_of(installed: Path, elsewhere: Path) -> dict[str, str]:
    own = {"PYTHONPATH": str(installed), "LIGHTBOX_STORE_PATH": str(elsewhere / "store"), "OMP_NUM_THREADS": "1"}
    return {**os.environ, **own}


def outcome(installed: Path, elsewhere: Path, *arguments: object) -> str:
    command = [sys.executable, *map(str, arguments)]
    variables = variables_of(installed, elsewhere)
    done = subprocess.run(command, cwd=elsewhere, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_version_stands_in_one_place(wheel: Path) -> None:
    assert wheel.name == f"lightbox-{VERSION}-py3-none-any.whl"
    assert "version" not in PROJECT["project"]


def test_every_file_of_the_product_is_in_the_wheel(wheel: Path) -> None:
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()]
    wanted = {path.relative_to(ROOT).as_posix() for path in paths if not {"__pycache__", "site"} & {*path.parts}}
    found = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    site = {name for name in found if name.startswith("dashboard/site/")}
    assert {"dashboard/.streamlit/config.toml", "assets/models/t1-t2-phantom/weights.safetensors"} <= found
    assert found - site == wanted
    assert {"dashboard/site/index.html", "dashboard/site/how-to/explain-a-scan/index.html"} <= site


def test_the_wheel_asks_for_what_requirements_pins(wheel: Path) -> None:
    unpacked = zipfile.ZipFile(wheel)
    (name,) = (name for name in unpacked.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = message_from_bytes(unpacked.read(name))
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if line and not line.startswith("#")]
    assert "torch==2.13.0" in pinned
    assert sorted(metadata.get_all("Requires-Dist")) == sorted(pinned)
    assert metadata["License-Expression"] == "Apache-2.0"
    assert "lightbox serve" in metadata.get_payload()


def test_what_builds_the_package_is_what_the_environment_has() -> None:
    pinned = {line for path in ROOT.glob("requirements*.txt") for line in path.read_text(encoding="utf-8").splitlines()}
    assert set(PROJECT["build-system"]["requires"]) <= pinned


def test_the_readmes_example_runs_outside_the_checkout(installed: Path, elsewhere: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    said = outcome(installed, elsewhere, "-P", "-c", f"{example}\nimport core\nprint(core.__file__)")
    assert "takes AD from" in said
    assert said.splitlines()[-1] == str(installed / "core" / "__init__.py")


def test_the_doctor_finds_everything_from_any_directory(installed: Path, elsewhere: Path) -> None:
    examined = json.loads(outcome(installed, elsewhere, installed / "bin" / "lightbox", "doctor", "--json"))
    states = {check["name"]: check["state"] for check in examined["checks"]}
    assert examined["usable"]
    assert states["model alzheimer-phantom"] == states["demo scans"] == states["cohorts"] == "fine"


def test_the_demo_is_explained_from_any_directory(installed: Path, elsewhere: Path) -> None:
    given = ["assets/scans/ad-slice.png", "--model", "alzheimer-phantom-slice", "--explainer", "saliency"]
    outcome(installed, elsewhere, installed / "bin" / "lightbox", "explain", *given, "--out", "result")
    record = json.loads((elsewhere / "result" / "explanation.json").read_text())
    assert record["versions"]["lightbox"] == VERSION
    assert (elsewhere / "result" / record["arrays"]["map"]).is_file()


def test_the_script_speaks_by_its_own_name(installed: Path, elsewhere: Path) -> None:
    assert outcome(installed, elsewhere, installed / "bin" / "lightbox", "--help").startswith("usage: lightbox ")
    assert outcome(ROOT, elsewhere, "-P", "-m", "core", "--help").startswith("usage: python -m core ")


def test_the_app_starts_from_any_directory(installed: Path, elsewhere: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(installed / "bin" / "lightbox"), "serve", "--port", str(port)]
    with (elsewhere / "log").open("w") as log:
        variables = variables_of(installed, elsewhere)
        app = subprocess.Popen(command, cwd=elsewhere, env=variables, stdout=log, stderr=log)
    try:
        answer = _answer(f"http://127.0.0.1:{port}/_stcore/health", app)
    finally:
        app.terminate()
        app.wait(20)
    assert answer == "ok", (elsewhere / "log").read_text()
    # the store is opened by what the app imports: our packages, not those of the directory
    assert (elsewhere / "store").is_dir()


def _answer(address: str, app: "subprocess.Popen[bytes]") -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until and app.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5) as response:
                return response.read().decode()
        except OSError:
            time.sleep(0.2)
    return "no answer"

"""A package from outside, really installed: everything it brings is listed, runs, and is known in worker processes."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from core.settings import ROOT

SAMPLE = ROOT / "tests" / "sample_plugin"
SCAN = ROOT / "assets" / "scans" / "t1-slice-1.png"
ORIGIN = "sample-plugin 1.0"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package is installed."""
    built, target = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("site")
    # nothing is left beside the sources
    (built / "build.cfg").write_text(f"[build]\nbuild_base = {built}/build\n[egg_info]\negg_base = {built}\n")
    offline = ["--no-deps", "--no-index", "--no-build-isolation", "--no-compile", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", "--quiet", *offline, "--target", str(target), str(SAMPLE)]
    variables = {**os.environ, "DIST_EXTRA_CONFIG": str(built / "build.cfg")}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def said(site: Path, folder: Path, code: str) -> str:
    """What a program says that runs where the package is installed."""
    own = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(site)]), "LIGHTBOX_STORE_PATH": str(folder / "store")}
    done = subprocess.run(
        [sys.executable, "-P", "-c", textwrap.dedent(code)],
        cwd=folder,
        env={**os.environ, **own, "LIGHTBOX_MODELS_DIR": str(folder / "models"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


_ASK = """
import contextlib, io, json, sys
from core.command_line.main import main

def ask(*arguments):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = main([*map(str, arguments)])
    assert code == 0, (arguments, code)
    return out.getvalue()

def ask_json(*arguments):
    return json.loads(ask(*arguments, "--json"))
"""


@pytest.fixture(scope="module")
def used(site: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What the commands say, one after the other in one process; torch is imported once."""
    folder = tmp_path_factory.mktemp("used")
    (folder / "models").mkdir()
    code = f"""
    kinds = ("explainers", "recipes", "studies", "benches", "pages", "commands", "metrics", "architectures")
    told = {{"torch": {{}}}}
    for kind in kinds:
        rows = ask_json("list", kind)
        told[kind] = {{row["name"]: row["plugin"] for row in rows if row["plugin"]}}
        told["torch"][kind] = "torch" in sys.modules
    told["trained"] = ask_json("train", "sample-drawn", "--out", "models/sample-mean", "--param", "seed=3")
    told["models"] = [row["name"] for row in ask_json("models")]
    import numpy
    region = numpy.zeros((232, 200), bool)
    region[100:120, 100:120] = True
    numpy.save("region.npy", region)
    scan = {str(SCAN)!r}
    told["predicted"] = ask_json("predict", scan, "--model", "sample-mean")
    given = ("--explainer", "sample-brightness", "--param", "power=2", "--region", "region.npy")
    told["explained"] = ask_json("explain", scan, "--model", "sample-mean", *given, "--out", "out")
    given = ("--model", "sample-mean", "--cohort", {str(SCAN.parent)!r}, "--out", "counted")
    told["studied"] = ask_json("study", "sample-count", *given)
    told["bench"] = ask_json("bench", "sample")
    told["greeting"] = ask("sample-greeting", "world")
    told["doctor"] = {{check["name"]: (check["state"], check["detail"]) for check in ask_json("doctor")["checks"]}}
    print(json.dumps(told))
    """
    return json.loads(said(site, folder, _ASK + textwrap.dedent(code)))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("explainers", "sample-brightness"),
        ("recipes", "sample-drawn"),
        ("studies", "sample-count"),
        ("benches", "sample"),
        ("pages", "sample"),
        ("commands", "sample-greeting"),
        ("metrics", "sample-peak-inside"),
        ("architectures", "sample-mean"),
    ],
)
def test_what_it_brings_is_listed_with_the_package_it_comes_from(used, kind, name):
    assert used[kind] == {name: ORIGIN}


def test_torch_comes_only_with_the_architectures(used):
    assert [kind for kind, there in used["torch"].items() if there] == ["architectures"]


def test_its_recipe_makes_a_model_of_its_architecture_that_is_used_like_the_others(used):
    assert (
        used["trained"]["training"]["command"] == "python -m core train sample-drawn --out sample-mean --param seed=3"
    )
    assert "sample-mean" in used["models"]
    assert used["predicted"]["probabilities"].keys() == {"dark", "bright"}


def test_its_explainer_takes_its_parameter_and_its_metric_stands_in_the_record(used):
    assert used["explained"]["explainer"] == "sample-brightness"
    assert used["explained"]["parameters"] == {"power": 2.0}
    assert used["explained"]["preset"] == "plain"
    assert used["explained"]["numbers"].keys() == {"region_share", "region_area", "sample-peak-inside"}


def test_its_study_bench_and_command_run(used):
    assert used["studied"]["numbers"]["scans"] == len(list(SCAN.parent.glob("*.png")))
    assert used["bench"]["rows"][0]["ratio"] == 0.5
    assert used["greeting"] == "Hello world.\n"


def test_the_doctor_names_it_and_finds_nothing_wrong(used):
    assert used["doctor"]["plug-ins"] == ["fine", ORIGIN]
    assert not [detail for state, detail in used["doctor"].values() if detail.startswith("left out")]


def test_a_worker_process_knows_its_explainer(site, tmp_path):
    code = f"""
    from core.runs import ExplanationSpec, LOCAL_OWNER, manager
    from core.scans import load_scan

    if __name__ == "__main__":
        runs = manager()
        shelf = runs.store.of(LOCAL_OWNER)
        scan = shelf.add_scan(load_scan({str(SCAN.parent / "ad-slice.png")!r}))
        asked = ExplanationSpec(scan=scan, model="alzheimer-phantom-slice", explainer="sample-brightness")
        run_id = runs.submit(asked)
        run = runs.wait(run_id, LOCAL_OWNER, timeout=120)
        print(run.status, run.message, shelf.explanation(run_id).explainer)
        runs.close()
    """
    assert said(site, tmp_path, code).split() == ["done", "sample-brightness"]


def test_its_page_is_drawn_and_leads_on_its_sliders_are_there_and_the_server_has_no_torch(site, tmp_path):
    code = f"""
    import sys
    from streamlit.testing.v1 import AppTest

    if __name__ == "__main__":
        app = AppTest.from_file({str(ROOT / "dashboard" / "app.py")!r}, default_timeout=90).run()
        from dashboard.frame.opening import _GO_TO
        from dashboard.frame.pages import pages
        from dashboard.intake import catalogue
        print(list(pages())[-2:])
        print([control.name for control in catalogue.explainer_entries()["sample-brightness"].controls])
        print([found.value for found in app.error], "torch" in sys.modules)
        app.session_state[_GO_TO] = ("sample", {{}})
        app.run()
        print([found.value for found in app.markdown][:2])
        app.button[0].click().run()
        shown = [found.value for found in app.markdown]
        print("## Plug-ins" in shown)
        from dashboard.backend import pool
        pool.close()
    """
    assert said(site, tmp_path, code).splitlines() == [
        "['models', 'sample']",
        "['power']",
        "[] False",
        "['### Sample', 'A page from outside.']",
        "True",
    ]

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.bench import bench_names
from core.command_line.commands import COMMANDS
from core.command_line.parser import make_parser
from core.settings import ROOT
from tests.core.plugging import write_package

NAMES = {"serve", "doctor", "models", "explainers", "predict", "explain", "train", "study", "bench", "runs", "list"}


def parse(*arguments):
    return make_parser().parse_args(arguments)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["dream"], "invalid choice: 'dream'"),
        (["predict", "scan.nii"], "--model"),
        (["predict", "", "--model", "m"], "the path is empty"),
        (["explain", "scan.nii", "--model", "m", "--explainer", "mask"], "--out"),
        (["train", "autoencoder"], "--out"),
        (["bench"], "name"),
    ],
)
def test_what_is_not_understood_is_one_sentence_and_exit_code_2(capsys, arguments, said):
    with pytest.raises(SystemExit) as left:
        parse(*arguments)
    error = capsys.readouterr().err
    assert left.value.code == 2
    assert said in error
    assert error.endswith("(--help tells what there is)\n")
    assert error.count("\n") == 1


def test_help_on_benchmarks_names_every_one(capsys):
    with pytest.raises(SystemExit):
        parse("bench", "--help")
    assert ", ".join(bench_names()) in capsys.readouterr().out


def test_each_command_is_a_file_and_carried_out_by_its_own_function():
    assert set(COMMANDS.names()) >= NAMES
    chosen = parse("runs", "17", "--json")
    assert chosen.run is COMMANDS.get("runs").run
    assert (chosen.command, chosen.id, chosen.json, chosen.debug) == ("runs", "17", True, False)


@pytest.mark.parametrize(
    ("called", "said"), [("/usr/bin/lightbox", "lightbox"), ("/somewhere/core/__main__.py", "python -m core")]
)
def test_help_speaks_of_the_program_as_it_was_called(monkeypatch, called, said):
    monkeypatch.setattr(sys, "argv", [called])
    assert make_parser().format_usage() == f"usage: {said} [-h] COMMAND ...\n"


#: What the command of a plug-in is, and whether it can be used.
OWN = """'''Say 100 % of it.'''
def add_options(parser):
    parser.add_argument("--loud", action="store_true")
def run(chosen):
    print("HELLO" if chosen.loud else "hello")
    return 3
"""
CLASHING = OWN.replace("--loud", "--json")


def test_a_command_of_a_plug_in_is_one_like_the_others_and_a_broken_one_does_not_stop_them(tmp_path):
    points = {"commands.greet": "greeting", "commands.clash": "clashing", "commands.doctor": "greeting"}
    points["commands.mute"] = "mute"
    files = {"greeting.py": OWN, "clashing.py": CLASHING, "mute.py": OWN.replace("Say 100 % of it.", "")}
    write_package(tmp_path, "greetings", points, files)

    def ask(*arguments):
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        command = [sys.executable, "-m", "core", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)

    helped = ask("--help")
    assert (helped.returncode, helped.stderr) == (0, "")
    assert "say 100 % of it" in helped.stdout
    assert "clash" not in helped.stdout
    assert "what works here" in helped.stdout
    greeted = ask("greet", "--loud")
    assert (greeted.returncode, greeted.stdout) == (3, "HELLO\n")
    told = ask("list", "commands").stderr
    assert "commands.clash of greetings 1.0 is left out: it is no command (ArgumentError" in told
    assert "commands.doctor of greetings 1.0 is left out: the name 'doctor' is taken" in told
    assert "commands.mute of greetings 1.0 is left out: its docstring does not say" in told


def test_a_path_of_the_demo_is_found_where_it_is_not(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    there = "assets/scans/ad-slice.png"
    assert parse("predict", there, "--model", "m").scan == ROOT / there
    asked = parse("explain", there, "--model", "m", "--explainer", "e", "--out", "o", "--region", there)
    assert asked.region == ROOT / there
    assert parse("predict", "assets/no-such.png", "--model", "m").scan == Path("assets/no-such.png")
    (tmp_path / "assets/scans").mkdir(parents=True)
    (tmp_path / there).touch()
    assert parse("predict", there, "--model", "m").scan == Path(there)

from pathlib import Path

import pytest

from core.bench import bench_names
from core.command_line.arguments import parser_of
from core.settings import ROOT

NAMES = ("serve", "doctor", "models", "explainers", "predict", "explain", "train", "study", "bench", "runs")


def parse(*arguments):
    return parser_of(dict.fromkeys(NAMES, len)).parse_args(arguments)


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


def test_each_command_is_carried_out_by_its_own_function():
    functions = {name: lambda chosen, name=name: name for name in NAMES}
    chosen = parser_of(functions).parse_args(["runs", "17", "--json"])
    assert chosen.command(chosen) == "runs"
    assert (chosen.id, chosen.json, chosen.debug) == ("17", True, False)


def test_a_path_of_the_demo_is_found_where_it_is_not(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    there = "assets/scans/ad-slice.png"
    assert parse("predict", there, "--model", "m").scan == ROOT / there
    assert parse("predict", "assets/no-such.png", "--model", "m").scan == Path("assets/no-such.png")
    (tmp_path / "assets/scans").mkdir(parents=True)
    (tmp_path / there).touch()
    assert parse("predict", there, "--model", "m").scan == Path(there)

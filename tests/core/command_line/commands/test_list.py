"""What there is: every kind with its names, from the same place that answers when a name is wrong."""

import json
import subprocess
import sys

import pytest

from core.bench import bench_names
from core.command_line.listings import everything_left_out, kinds, rows
from core.command_line.main import main
from core.errors import BadInput
from core.settings import ROOT
from core.studies import get_study

SOME = {
    "explainers": {"mask", "saliency", "ibix"},
    "models": {"alzheimer-phantom", "t1-t2-phantom"},
    "recipes": {"classifier", "pix2pix", "demo"},
    "studies": {"anatomy", "group-trace"},
    "cohorts": {"radiographs"},
    "benches": {"mask", "viewer"},
    "architectures": {"block-cnn", "pix2pix-unet"},
    "metrics": {"likeness", "region_share"},
    "formats": {"card-folder"},
    "run-kinds": {"explanation", "study", "training"},
    "workers": {"inline", "process"},
    "commands": {"list", "doctor"},
}


@pytest.mark.parametrize("kind", SOME)
def test_every_kind_lists_what_there_is(kind, capsys):
    assert main(["list", kind, "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {row["name"] for row in listed} >= SOME[kind]
    assert all(row.get("summary") or row["title"] for row in listed)
    assert main(["list", kind]) == 0
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} == {row["name"] for row in listed}


def test_without_a_kind_the_kinds_are_listed(capsys):
    assert main(["list"]) == 0
    assert capsys.readouterr().out.split() == kinds()
    assert set(kinds()) >= SOME.keys()


def test_a_kind_that_is_none_is_answered_with_those_there_are(capsys):
    assert main(["list", "dreams"]) == 2
    assert capsys.readouterr().err.startswith("There is no kind 'dreams'; there is architectures, benches")


@pytest.mark.parametrize("kind", ["models", "explainers"])
def test_the_older_commands_tell_the_same(kind, capsys):
    main([kind, "--json"])
    before = json.loads(capsys.readouterr().out)
    main(["list", kind, "--json"])
    now = json.loads(capsys.readouterr().out)
    assert [{key: row[key] for key in old} for row, old in zip(now, before, strict=True)] == before


def test_a_wrong_name_is_answered_with_the_listed_ones():
    with pytest.raises(BadInput) as told:
        get_study("grid")
    listed, _ = rows("studies")
    assert str(told.value) == f"There is no study 'grid'; there is {', '.join(row['name'] for row in listed)}."


def test_nothing_of_the_products_own_is_left_out():
    assert everything_left_out() == []
    assert [row["name"] for row in rows("benches")[0]] == bench_names()


def test_listing_does_not_import_torch():
    code = (
        "import sys; from core.command_line.main import main; "
        f"[main(['list', kind]) for kind in {sorted(SOME.keys() - {'architectures', 'recipes', 'studies'})}]; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.DEVNULL).returncode == 0

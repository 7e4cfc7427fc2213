"""Options that several commands share, and what they stand for."""

import argparse
import os
from pathlib import Path

import pytest

from core.command_line.options import (
    add_cohort,
    add_keeping,
    add_parameters,
    cohort_folder,
    given_only,
    given_path,
    key_values,
    writable_folder,
)
from core.errors import BadInput
from core.parameters import Parameters, parameter
from core.settings import ROOT


def test_parameters_are_names_and_values_as_they_were_typed():
    parser = argparse.ArgumentParser()
    add_parameters(parser)
    given = parser.parse_args(["--param", "a=1", "--param", "b=x=y", "--param", "c="]).param
    assert key_values(given) == {"a": "1", "b": "x=y", "c": ""}
    assert parser.parse_args([]).param == []


@pytest.mark.parametrize("word", ["null", "none", "None"])
def test_nothing_is_written_in_three_ways(word):
    assert key_values([f"a={word}"]) == {"a": None}


@pytest.mark.parametrize("pair", ["alone", "=value", "", "="])
def test_what_is_no_pair_is_refused(pair):
    with pytest.raises(BadInput, match=r"--param takes name=value \(given: "):
        key_values([pair])


def test_the_last_of_two_values_counts():
    assert key_values(["a=1", "a=2"]) == {"a": "2"}


def test_one_cannot_keep_nothing_and_compute_it_again():
    parser = argparse.ArgumentParser()
    add_keeping(parser)
    assert (parser.parse_args([]).store, parser.parse_args([]).again) == (True, False)
    assert parser.parse_args(["--no-store"]).store is False
    assert parser.parse_args(["--again"]).again is True
    with pytest.raises(SystemExit):
        parser.parse_args(["--no-store", "--again"])


def test_a_path_below_assets_is_the_demos_unless_there_is_an_own_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    demo = "assets/scans/ad-moderate.nii.gz"
    assert given_path(demo) == ROOT / demo
    (tmp_path / "assets" / "scans").mkdir(parents=True)
    (tmp_path / demo).touch()
    assert given_path(demo) == Path(demo)
    assert given_path("assets/scans/nowhere.nii") == Path("assets/scans/nowhere.nii")
    assert given_path("elsewhere.nii") == Path("elsewhere.nii")
    with pytest.raises(argparse.ArgumentTypeError, match="the path is empty"):
        given_path("")


def test_a_cohort_is_a_folder_or_a_name_of_the_library(tmp_path):
    parser = argparse.ArgumentParser()
    add_cohort(parser, "studies")
    assert cohort_folder(parser.parse_args([]).cohort) is None
    assert cohort_folder(tmp_path) == tmp_path
    found = cohort_folder(Path("radiographs"))
    assert found is not None and found.is_dir()
    with pytest.raises(BadInput, match=r"^The cohort folder ghost is not there; in the library: .*radiographs"):
        cohort_folder(Path("ghost"))


class Settings(Parameters):
    """Of nothing."""

    share: float = parameter(0.5, "A share.")
    names: tuple[str, ...] = parameter((), "Names.")
    file: Path | None = parameter(None, "A file.")
    left: int = parameter(3, "Left alone.")


def test_equal_requests_are_written_equally(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    chosen = Settings(share=2.5, names=("a", "b"), file=Path("marks.npy"))
    kept = given_only(chosen, {"share": "25e-1", "names": "a, b", "file": "marks.npy"})
    assert kept == {"share": 2.5, "names": "a,b", "file": str(tmp_path / "marks.npy")}


def test_a_folder_is_made_and_goes_again_when_nothing_came_of_it(tmp_path):
    made = tmp_path / "some" / "out"
    with writable_folder(made) as out:
        assert out.is_dir()
    assert not made.exists()
    with writable_folder(made) as out:
        (out / "map.nii.gz").touch()
    assert made.is_dir()
    with writable_folder(made):
        pass
    assert made.is_dir()
    (tmp_path / "there").mkdir()
    with writable_folder(tmp_path / "there"):
        pass
    assert (tmp_path / "there").is_dir()


def test_a_folder_that_cannot_be_made_or_written_is_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match=r"^--out .*file cannot be made"), writable_folder(tmp_path / "file"):
        pass
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(BadInput, match=r"^--out .* cannot be written"), writable_folder(tmp_path):
        pass

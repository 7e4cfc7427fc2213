from collections.abc import Iterator
from pathlib import Path

import pytest

import core.command_line.examination
from core.command_line.examination import State, examine
from core.command_line.main import main
from core.settings import settings


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LIGHTBOX_STORE_PATH", str(tmp_path / "store"))
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


def states() -> dict[str, tuple[State, str, str]]:
    return {check.name: (check.state, check.detail, check.mend) for check in examine()}


def test_everything_that_can_break_is_looked_at() -> None:
    assert {
        "versions",
        "settings",
        "worker",
        "device",
        "explainers",
        "demo scans",
        "cohorts",
        "atlas",
        "store",
        "chromium",
    } <= states().keys()


def test_a_worker_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert states()["worker"] == (State.FINE, "A process for each run, forked from one that has torch imported", "")
    monkeypatch.setenv("LIGHTBOX_WORKER", "cluster")
    settings.cache_clear()
    state, detail, _ = states()["worker"]
    assert state is State.BROKEN
    assert detail.startswith("There is no worker 'cluster'; there is inline, process")


def test_a_model_that_does_not_load_is_named_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "library" / "broken").mkdir(parents=True)
    (tmp_path / "library" / "broken" / "card.yaml").write_text("name: [")
    monkeypatch.setenv("LIGHTBOX_MODELS_DIR", str(tmp_path / "library"))
    settings.cache_clear()
    state, detail, mend = states()["model broken"]
    assert state is State.BROKEN
    assert "not valid YAML" in detail
    assert mend
    assert main(["doctor"]) == 1
    assert "mend what is marked" in capsys.readouterr().out


def test_a_cohort_whose_card_is_broken_and_a_missing_folder_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cohorts" / "broken").mkdir(parents=True)
    (tmp_path / "cohorts" / "broken" / "cohort.yaml").write_text("title: [")
    monkeypatch.setenv("LIGHTBOX_COHORTS_DIR", str(tmp_path / "cohorts"))
    settings.cache_clear()
    found = states()
    assert found["cohort broken"][0] is State.LIMITED
    assert "not valid YAML" in found["cohort broken"][1]
    assert "broken" in found["cohorts"][1]
    monkeypatch.setenv("LIGHTBOX_COHORTS_DIR", str(tmp_path / "nowhere"))
    settings.cache_clear()
    assert "LIGHTBOX_COHORTS_DIR" in states()["cohorts folder"][2]


def test_a_store_that_cannot_be_used_is_said_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LIGHTBOX_STORE_PATH", str(tmp_path / "file" / "store"))
    settings.cache_clear()
    state, detail, _ = states()["store"]
    assert state is State.BROKEN
    assert "LIGHTBOX_STORE_PATH" in detail


def test_a_wrong_setting_does_not_stop_the_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTBOX_WORKER_SLOTS", "many")
    settings.cache_clear()
    found = states()
    assert found["settings"][0] is State.BROKEN
    assert "LIGHTBOX_WORKER_SLOTS" in found["settings"][1]
    assert found["versions"][0] is State.FINE


def test_a_low_disk_is_a_limit_and_not_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core.command_line.examination, "_LOW_DISK", 10**18)
    state, _, mend = states()["store"]
    assert state is State.LIMITED
    assert "free some disk space" in mend


def test_a_package_that_is_missing_breaks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core.command_line.examination, "_PACKAGES", ("numpy", "no-such-package"))
    state, detail, mend = states()["packages"]
    assert state is State.BROKEN
    assert "no-such-package" in detail
    assert "make setup" in mend


def test_a_models_folder_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTBOX_MODELS_DIR", str(tmp_path / "nowhere"))
    settings.cache_clear()
    state, detail, mend = states()["models folder"]
    assert state is State.LIMITED
    assert "nowhere is not there" in detail
    assert "LIGHTBOX_MODELS_DIR" in mend

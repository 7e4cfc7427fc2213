import os
from pathlib import Path

import numpy as np
import pytest

from core.errors import Cancelled
from core.progress import Progress
from core.runs.store import ledger, live
from core.runs.store.live import (
    CANCEL,
    HEARTBEAT,
    HISTORY,
    Heartbeat,
    LiveWriter,
    heartbeat_age,
    read_history,
    read_live,
    read_preview,
    write_preview_grid,
)
from core.scans.grid import Grid
from tests.core.runs.waiting import until


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_before_the_first_report_nothing_is_claimed(tmp_path: Path) -> None:
    found = read_live(tmp_path)
    assert (found.fraction, found.message, found.eta_seconds, found.history) == (0.0, "", None, {})
    assert read_preview(tmp_path) is None


def test_the_eta_follows_the_pace_of_the_work_and_not_of_the_loading_before_it(tmp_path: Path) -> None:
    clock = Clock()
    write = LiveWriter(tmp_path, clock)
    write(Progress(0.0, "loading"))
    clock.now += 50
    for step in range(1, 5):
        write(Progress(step / 10, f"step {step}"))
        clock.now += 2
    found = read_live(tmp_path)
    assert found.message == "step 4"
    assert found.eta_seconds == pytest.approx(12.0)
    assert found.elapsed == pytest.approx(56.0)


def test_every_row_of_history_arrives_although_writing_is_throttled(tmp_path: Path) -> None:
    clock = Clock()
    write = LiveWriter(tmp_path, clock)
    for step in range(100):
        write(Progress(0.1 + step / 1000, "", {"iteration": step, "loss": 1.0}))
        clock.now += 0.01
    assert 0 < len(read_live(tmp_path).history["iteration"]) < 100
    write(Progress(1.0, "done"))
    assert read_live(tmp_path).history["iteration"] == list(range(100))


def test_previews_are_written_twice_a_second_at_most(tmp_path: Path) -> None:
    clock = Clock()
    write = LiveWriter(tmp_path, clock)
    versions = set()
    for step in range(100):
        write(Progress(0.0, "", preview=np.full((2, 2), step, dtype=np.float64)))
        versions.add(read_live(tmp_path).preview_version)
        clock.now += 0.125
    assert versions == {str(number) for number in range(1, 26)}
    preview = read_preview(tmp_path)
    assert preview is not None
    assert preview.values.dtype == np.float32
    assert preview.values[0, 0] == 96


def test_a_preview_says_where_it_lies(tmp_path: Path) -> None:
    write = LiveWriter(tmp_path)
    write_preview_grid(tmp_path, Grid((2, 3), np.diag([3.0, 3, 3, 1])))
    write(Progress(0.0, preview=np.zeros((2, 3), np.float32)))
    preview = read_preview(tmp_path)
    assert preview is not None
    assert preview.grid is not None
    assert preview.grid.same_as(Grid((2, 3), np.diag([3.0, 3, 3, 1])))


def test_a_row_that_is_being_written_is_left_for_the_next_look(tmp_path: Path) -> None:
    (tmp_path / HISTORY).write_text('{"loss": 1.0}\n{"loss": 0.5, "p": 0.1}\n{"loss": 0.')
    assert read_history(tmp_path) == {"loss": [1.0, 0.5], "p": [None, 0.1]}


def test_values_that_json_does_not_know_become_null(tmp_path: Path) -> None:
    LiveWriter(tmp_path)(Progress(1.0, "", {"loss": float("nan"), "p": np.float32(0.5)}))  # type: ignore[dict-item]
    assert read_history(tmp_path) == {"loss": [None], "p": [0.5]}


def test_a_cancel_file_stops_the_work_at_its_next_report(tmp_path: Path) -> None:
    write = LiveWriter(tmp_path)
    write(Progress(0.1))
    (tmp_path / CANCEL).touch()
    with pytest.raises(Cancelled):
        write(Progress(0.2))


def test_a_second_start_does_not_show_the_first_ones_progress(tmp_path: Path) -> None:
    LiveWriter(tmp_path)(Progress(1.0, "done", {"loss": 1.0}, np.zeros((2, 2), np.float32)))
    LiveWriter(tmp_path)
    assert read_live(tmp_path).message == ""
    assert read_preview(tmp_path) is None


def test_a_heart_beats_again_and_again_until_its_worker_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_HEARTBEAT_EVERY", 0.02)
    assert heartbeat_age(tmp_path) == float("inf")
    with Heartbeat(tmp_path):
        for _ in range(3):
            os.utime(tmp_path / HEARTBEAT, (0, 0))
            until(lambda: heartbeat_age(tmp_path) < 60, 10)
    assert heartbeat_age(tmp_path) == float("inf")


def test_a_heart_beats_often_enough_not_to_be_taken_for_dead() -> None:
    assert 0 < live._HEARTBEAT_EVERY < ledger._SILENT_SECONDS / 5

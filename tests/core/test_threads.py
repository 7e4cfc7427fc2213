"""Cores of this process, threads of a run."""

import os
from collections.abc import Iterator

import pytest

from core.settings import settings
from core.threads import threads_of_a_run, usable_cores


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.parametrize(
    ("cores", "slots", "threads"), [(1, 1, 1), (2, 1, 1), (8, 1, 7), (8, 2, 3), (8, 7, 1), (8, 64, 1)]
)
def test_a_core_is_left_to_the_server_and_the_others_are_shared(
    monkeypatch: pytest.MonkeyPatch, cores: int, slots: int, threads: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(cores)), raising=False)
    monkeypatch.delenv("LIGHTBOX_THREADS", raising=False)
    assert usable_cores() == cores
    assert threads_of_a_run(slots) == threads


def test_what_the_settings_say_goes_over_the_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTBOX_THREADS", "5")
    assert threads_of_a_run() == threads_of_a_run(4) == 5


def test_without_affinity_the_machine_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert usable_cores() == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores() == 1

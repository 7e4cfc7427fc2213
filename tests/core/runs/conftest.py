"""A store, and a manager for each worker."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.runs.execution.base import Worker
from core.runs.execution.inline import InlineWorker
from core.runs.execution.manager import RunManager
from core.runs.execution.process import ProcessWorker
from core.runs.store.store import RunStore

TOYS = "tests.core.runs.toykinds"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    opened = RunStore.open(tmp_path / "store")
    yield opened
    opened.close()


def make_worker(name: str, store: RunStore) -> Worker:
    return InlineWorker(store) if name == "inline" else ProcessWorker(store.root, modules=(TOYS,))


@pytest.fixture
def start_manager(store: RunStore) -> Iterator[Callable[..., RunManager]]:
    """Makes managers that are closed when the test ends: ``start_manager("process", slots=2)``."""
    made: list[RunManager] = []

    def start(worker: str = "inline", **options: int) -> RunManager:
        manager = RunManager(store, make_worker(worker, store), **options)
        made.append(manager)
        return manager

    yield start
    for manager in made:
        manager.close()

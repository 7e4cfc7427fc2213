"""One process a file: what a file does to its own harms no other."""

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from core.errors import BadInput, LightboxError
from core.scans import budget
from core.settings import settings
from dashboard.backend import apart, pool
from dashboard.backend.turns import Turns


def refuse():
    raise BadInput("This is not an image that is read: give another.")


def fail():
    raise ZeroDivisionError("no sentence")


def end_by(number):
    os.kill(os.getpid(), number)


def compute_for_ever():
    while True:
        sum(range(1000))


def hang_in_a_library():
    # computes without ever coming back to Python, as a decoder that loops would
    values = np.ones((3000, 3000))
    while True:
        values = np.sort(values @ values, axis=None).reshape(3000, 3000)


def take(megabytes):
    return int(np.ones(megabytes * 2**20, np.uint8).sum())


@pytest.fixture(autouse=True)
def processes(monkeypatch):
    monkeypatch.setenv("LIGHTBOX_WORKER", "process")
    settings.cache_clear()
    turns = apart._turns
    turns.cache_clear()
    yield
    pool.close()
    settings.cache_clear()
    turns.cache_clear()


@pytest.fixture
def hurried(monkeypatch):
    monkeypatch.setattr(budget, "SECONDS", 1.0)
    monkeypatch.setattr(apart, "_GRACE", 1.0)


def test_every_file_has_a_process_of_its_own():
    first, second = apart.ask("a", 1, os.getpid), apart.ask("a", 1, os.getpid)
    assert len({first, second, os.getpid()}) == 3


def test_the_process_is_gone_with_its_answer():
    number = apart.ask("a", 1, os.getpid)
    assert not Path(f"/proc/{number}").exists()


def test_a_refusal_arrives_as_it_was_raised():
    with pytest.raises(BadInput, match="give another"):
        apart.ask("a", 1, refuse)


def test_a_fault_of_ours_arrives_with_its_traceback():
    with pytest.raises(ZeroDivisionError) as fault:
        apart.ask("a", 1, fail)
    assert "in fail" in str(fault.value.__cause__)


@pytest.mark.parametrize(
    ("number", "words"), [(signal.SIGSEGV, "crashed on it"), (signal.SIGABRT, "crashed"), (signal.SIGKILL, "memory")]
)
def test_a_crash_is_one_sentence(number, words):
    with pytest.raises(BadInput, match=words):
        apart.ask("a", 1, end_by, number)


@pytest.mark.parametrize("endless", [compute_for_ever, hang_in_a_library])
def test_what_computes_for_ever_is_ended_and_the_limit_is_named(hurried, endless):
    with pytest.raises(BadInput, match="more than 1 seconds of computing, the limit for less than 1 MB"):
        apart.ask("a", 1, endless)


def test_what_sleeps_for_ever_is_ended(hurried, monkeypatch):
    monkeypatch.setattr(apart, "PATIENCE", 1.0)
    started = time.monotonic()
    with pytest.raises(BadInput, match="more than 1 seconds"):
        apart.ask("a", 1, time.sleep, 300)
    assert time.monotonic() - started < 30


def test_more_memory_than_allowed_is_a_sentence_and_the_limit_grows_with_the_file():
    with pytest.raises(BadInput, match=r"more than 1\.1 GB of memory"):
        apart.ask("a", 1, take, 1100)
    assert apart.ask("a", 40 * 2**20, take, 1100) == 1100 * 2**20


def test_a_slow_file_of_one_session_leaves_the_files_of_another_alone(hurried):
    refused = []

    def slow():
        with pytest.raises(BadInput, match="seconds of computing") as refusal:
            apart.ask("slow", 1, compute_for_ever)
        refused.append(refusal)

    threads = [threading.Thread(target=slow) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        assert apart.ask("healthy", 1, take, 1) == 2**20
    for thread in threads:
        thread.join(60)
    assert len(refused) == 2


def test_files_wait_for_their_turn(monkeypatch):
    asked = []

    class Counted(Turns):
        def turn(self, session, memory):
            asked.append((session, memory))
            return super().turn(session, memory)

    monkeypatch.setattr(apart, "_turns", lambda: Counted(1, 2**33))
    apart.ask("mine", 3 * 2**20, os.getpid)
    assert asked == [("mine", budget.Budget(3 * 2**20).memory)]


def test_inline_asks_right_here(monkeypatch):
    monkeypatch.setenv("LIGHTBOX_WORKER", "inline")
    settings.cache_clear()
    assert apart.ask("a", 1, os.getpid) == os.getpid()


def test_a_process_that_cannot_be_started_is_an_error_and_gives_its_turn_back(monkeypatch):
    def no_room(*_, **__):
        raise OSError("no room for another process")

    turns = Turns(1, 2**33)
    monkeypatch.setattr(apart, "_turns", lambda: turns)
    with monkeypatch.context() as full:
        full.setattr(pool.context(), "Process", no_room, raising=False)
        with pytest.raises((OSError, LightboxError)):
            apart.ask("a", 1, os.getpid)
    assert apart.ask("a", 1, os.getpid) != os.getpid()

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from core.errors import BadInput, LightboxError
from core.settings import ROOT, settings
from dashboard.backend import pool


def refuse():
    raise BadInput("This is not an image that is read: give another.")


def wait_and_name(seconds):
    time.sleep(seconds)
    return os.getpid()


def crash():
    os.abort()


@pytest.fixture(autouse=True)
def processes(monkeypatch):
    monkeypatch.setenv("LIGHTBOX_WORKER", "process")
    settings.cache_clear()
    yield
    pool.close()
    settings.cache_clear()


def test_questions_are_answered_in_another_process():
    assert pool.ask(os.getpid) != os.getpid()


def test_one_and_the_same_process_answers_where_that_is_asked():
    first = pool.ask_same(os.getpid)
    assert {pool.ask_same(os.getpid) for _ in range(4)} == {first} != {os.getpid()}


def test_a_crash_leaves_the_other_pool_alone():
    first = pool.ask_same(os.getpid)
    with pytest.raises(LightboxError, match="stopped unexpectedly"):
        pool.ask(crash)
    assert pool.ask_same(os.getpid) == first


def test_a_refusal_arrives_as_it_was_raised():
    with pytest.raises(BadInput, match="give another"):
        pool.ask(refuse)


def test_a_crash_is_one_sentence_and_the_next_question_is_answered():
    with pytest.raises(LightboxError, match="stopped unexpectedly"):
        pool.ask(crash)
    assert pool.ask(os.getpid) != os.getpid()


def test_a_question_that_takes_too_long_is_given_up(monkeypatch):
    pool.ask(os.getpid)
    monkeypatch.setattr(pool, "PATIENCE", 0.5)
    started = time.monotonic()
    with pytest.raises(LightboxError, match="no answer"):
        pool.ask(time.sleep, 30)
    assert time.monotonic() - started < 10


def test_a_crash_of_one_question_is_not_said_of_another():
    """Both share the pool's processes: each is asked again alone, and only the culprit is refused."""
    pool.ask(os.getpid)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(pool.ask(wait_and_name, 1.0))) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    with pytest.raises(LightboxError, match="stopped unexpectedly"):
        pool.ask(crash)
    for thread in threads:
        thread.join(60)
    assert len(answers) == 2
    assert os.getpid() not in answers


def test_a_process_that_died_in_the_night_is_replaced():
    os.kill(pool.ask_same(os.getpid), signal.SIGKILL)
    time.sleep(0.5)
    assert pool.ask_same(os.getpid) != os.getpid()


def test_inline_asks_right_here(monkeypatch):
    monkeypatch.setenv("LIGHTBOX_WORKER", "inline")
    settings.cache_clear()
    assert pool.ask(os.getpid) == os.getpid()


def test_the_processes_end_with_a_killed_server():
    code = textwrap.dedent(
        """
        import os, signal
        from dashboard.backend import pool
        if __name__ == "__main__":
            print(pool.ask(os.getpid), flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    answerer = int(ended.stdout)
    deadline = time.monotonic() + 10
    while _runs(answerer):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False

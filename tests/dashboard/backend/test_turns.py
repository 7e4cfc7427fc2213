import threading

import pytest

from dashboard.backend.turns import Turns


class Reader:
    """Somebody who waits for a turn in a thread of its own, and holds it until told."""

    def __init__(self, turns, session, memory=1):
        self.has, self.done = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._hold, args=(turns, session, memory), daemon=True)
        self.thread.start()

    def _hold(self, turns, session, memory):
        with turns.turn(session, memory):
            self.has.set()
            self.done.wait(20)

    def end(self):
        self.done.set()
        self.thread.join(20)


def waiting(turns, count):
    """Until so many wait: threads start in any order."""
    for _ in range(2000):
        with turns._changed:
            if len(turns._waiting) == count:
                return
        threading.Event().wait(0.005)
    raise AssertionError("they do not wait")


def test_another_session_goes_before_all_the_other_files_of_the_first():
    turns = Turns(1, 100)
    first = Reader(turns, "many")
    assert first.has.wait(20)
    queued = []
    for number, session in enumerate(["many", "many", "many", "one"], start=1):
        queued.append(Reader(turns, session))
        waiting(turns, number)
    first.end()
    assert queued[3].has.wait(20)
    assert not any(reader.has.is_set() for reader in queued[:3])
    for reader in (queued[3], *queued[:3]):
        assert reader.has.wait(20)
        reader.end()


def test_a_session_has_one_turn_at_a_time_and_others_have_theirs():
    turns = Turns(4, 100)
    slow, second, other = Reader(turns, "a"), Reader(turns, "a"), Reader(turns, "b")
    assert slow.has.wait(20) or second.has.wait(20)
    assert other.has.wait(20)
    assert [slow.has.is_set(), second.has.is_set()].count(True) == 1
    for reader in (other, *sorted((slow, second), key=lambda reader: not reader.has.is_set())):
        assert reader.has.wait(20)
        reader.end()


def test_what_does_not_fit_into_memory_waits_and_lets_smaller_ones_pass():
    turns = Turns(4, 10)
    large = Reader(turns, "a", 9)
    assert large.has.wait(20)
    second, small = Reader(turns, "b", 9), Reader(turns, "c", 1)
    assert small.has.wait(20)
    assert not second.has.is_set()
    large.end()
    small.end()
    assert second.has.wait(20)
    second.end()


def test_alone_anybody_may_take_more_than_there_is_for_all():
    turns = Turns(4, 10)
    with turns.turn("a", 1000):
        pass


def test_an_error_gives_the_turn_back():
    turns = Turns(1, 10)
    for _ in range(3):
        with pytest.raises(ValueError, match="broken"), turns.turn("a", 1):
            raise ValueError("broken")
    assert turns._running == turns._waiting == []

"""Whose file is read next: one at a time of each session, so that nobody waits behind all the files of another."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(eq=False)
class _Ticket:
    session: str
    memory: int


class Turns:
    """A fair queue. Safe to share between threads.

    Of those who wait, the one whose session was served longest ago comes next; of one session, who came first. A
    session has one turn at a time. All that have theirs share the memory; what does not fit lets smaller ones pass.

    Parameters
    ----------
    most : int
        Turns at the same time.
    memory : int
        Bytes that all who have their turn may take together. Alone, anybody may take more.
    """

    def __init__(self, most: int, memory: int) -> None:
        self._most, self._memory = most, memory
        self._changed = threading.Condition()
        self._waiting: list[_Ticket] = []
        self._running: list[_Ticket] = []
        self._served: dict[str, int] = {}
        self._number = itertools.count(1)

    @contextmanager
    def turn(self, session: str, memory: int) -> Iterator[None]:
        """Wait for a turn of `session` that may take `memory` bytes, and hold it."""
        ticket = _Ticket(session, memory)
        with self._changed:
            self._waiting.append(ticket)
            try:
                self._changed.wait_for(lambda: self._next() is ticket)
            finally:
                self._waiting.remove(ticket)
            self._running.append(ticket)
            self._served[session] = next(self._number)
            # room may be left for others
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._running.remove(ticket)
                self._forget()
                self._changed.notify_all()

    def _next(self) -> _Ticket | None:
        if len(self._running) >= self._most:
            return None
        busy = {ticket.session for ticket in self._running}
        left = self._memory - sum(ticket.memory for ticket in self._running)
        fitting = [
            ticket
            for ticket in self._waiting
            if ticket.session not in busy and (ticket.memory <= left or not self._running)
        ]
        return min(fitting, key=lambda ticket: self._served.get(ticket.session, 0), default=None)

    def _forget(self) -> None:
        """Sessions come and go: one that asks for nothing need not be remembered once all others are done, too."""
        if not self._waiting and not self._running:
            self._served.clear()

"""What reading one upload may take of time and memory, whatever its format: asked by every reader, known by none.

A file can be small and honest in every header and still keep a reader busy for minutes: twenty thousand tiny images, a
comment of 60 MB, a header made of nothing but empty elements. One budget for all that was given together is what no
format can get round. It grows with what was given, so that large scans are read and small files do not hold up others.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import NoReturn

from core.errors import BadInput

MEGABYTE = 2**20
#: Seconds of computing that any upload may take, more for each megabyte given, and the most.
SECONDS, SECONDS_PER_MEGABYTE, MOST_SECONDS = 10.0, 1.0, 300.0
#: Seconds on the clock for one second of computing: others keep the machine busy, and disks are slow.
PATIENCE = 6.0
#: Bytes of memory that any upload may take beside the program itself, and how many more for each byte given.
MEMORY_BYTES, MEMORY_PER_BYTE = 2**30, 16
#: Share of the machine's memory that an upload may take at most.
MEMORY_SHARE = 0.5

_CGROUP = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


class Budget:
    """Time and memory for reading what was given together.

    Parameters
    ----------
    given : int
        Bytes, as they were given (packed, where they were).
    """

    def __init__(self, given: int) -> None:
        self.given = given
        self.seconds = min(SECONDS + SECONDS_PER_MEGABYTE * given / MEGABYTE, MOST_SECONDS)
        self.memory = int(min(MEMORY_BYTES + MEMORY_PER_BYTE * given, MEMORY_SHARE * machine_memory()))
        self.unpacked: dict[object, int] = {}
        self.refusal: BadInput | None = None
        self._thread = threading.get_ident()
        self._computed, self._started = time.thread_time(), time.monotonic()

    @property
    def out_of_time(self) -> str:
        """The sentence for when the time is spent."""
        return (
            f"Reading this takes more than {self.seconds:.0f} seconds of computing, the limit for {self._size}: "
            "give one series, or fewer files at once."
        )

    @property
    def seconds_left(self) -> float:
        """Seconds on the clock until the budget is spent; not below 0."""
        return max(0.0, PATIENCE * self.seconds - (time.monotonic() - self._started))

    def check_time(self) -> None:
        """Go on, or refuse when the time is spent.

        Raises
        ------
        BadInput
        """
        if self.refusal is not None:
            raise BadInput(str(self.refusal))
        computed = time.thread_time() - self._computed if threading.get_ident() == self._thread else 0.0
        if computed > self.seconds or not self.seconds_left:
            self.refuse(self.out_of_time)

    def refuse(self, sentence: str) -> NoReturn:
        """Refuse all that was given, also where a reader would leave out the one file and go on with the others.

        Raises
        ------
        BadInput
        """
        self.refusal = BadInput(sentence)
        raise self.refusal

    def check_memory(self, needed: int) -> None:
        """Refuse what would take `needed` bytes of memory, before it is taken.

        Raises
        ------
        BadInput
        """
        if needed > self.memory:
            raise BadInput(
                f"Reading this takes {needed / 1e9:.2g} GB of memory and the limit for {self._size} is "
                f"{self.memory / 1e9:.2g} GB: crop it, make it smaller, or give fewer files at once."
            )

    @property
    def _size(self) -> str:
        return f"{self.given / MEGABYTE:.0f} MB" if self.given >= MEGABYTE else "less than 1 MB"


_active: ContextVar[Budget | None] = ContextVar("budget of what is being read", default=None)


@contextmanager
def within_budget(given: int) -> Iterator[Budget]:
    """Everything read inside is read within one budget; inside another budget, within that one.

    Parameters
    ----------
    given : int
        Bytes, as they were given.

    Raises
    ------
    BadInput
        At the end, when the budget was spent and a reader went on without the file at which that happened.
    """
    outer = _active.get()
    if outer is not None:
        yield outer
        return
    budget = Budget(given)
    token = _active.set(budget)
    try:
        yield budget
        if budget.refusal is not None:
            # part of what was given must not pass for all of it
            raise budget.refusal
    finally:
        _active.reset(token)


def current_budget() -> Budget | None:
    """The budget that what is being read has to keep to; None outside of reading."""
    return _active.get()


def spend() -> None:
    """Called by readers in every loop over what a file says there is.

    Raises
    ------
    BadInput
        When the time for this upload is spent.
    """
    budget = _active.get()
    if budget is not None:
        budget.check_time()


def check_memory(needed: int) -> None:
    """Refuse what would take more memory than this upload may.

    Raises
    ------
    BadInput
    """
    budget = _active.get()
    if budget is not None:
        budget.check_memory(needed)


@lru_cache(maxsize=1)
def machine_memory() -> int:
    """Bytes of memory that this machine or container has."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for file in _CGROUP:
        try:
            memory = min(memory, int(file.read_text()))
        except (OSError, ValueError):  # no such group, or "max"
            continue
    return memory

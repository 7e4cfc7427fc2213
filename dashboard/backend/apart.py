"""Foreign files are read in a process of their own, with limits of its own: whatever is in them, only it ends.

The limits are those of `core.scans.budget`, which readers keep to by themselves and answer in a sentence; the process
makes sure of them where a reader hangs in a library. Neighbours notice nothing, and wait in a fair queue.
"""

import os
import resource
import signal
from collections.abc import Callable
from functools import lru_cache
from multiprocessing.connection import Connection
from multiprocessing.pool import ExceptionWithTraceback  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from core.errors import BadInput, LightboxError
from core.scans.budget import PATIENCE, Budget, machine_memory
from dashboard.backend import pool
from dashboard.backend.turns import Turns

#: Files read at the same time, of as many sessions.
PROCESSES = 4
#: Share of the machine's memory for all of them together.
_SHARE_OF_ALL = 0.75
#: Seconds of computing, and on the clock, beyond what the reader allows itself before the process is ended.
_GRACE = 5.0

P = ParamSpec("P")
R = TypeVar("R")


def ask(session: str, given: int, function: Callable[P, R], *arguments: P.args, **keywords: P.kwargs) -> R:
    """Call a module-level `function` in a process of its own and wait for what it returns.

    With ``LIGHTBOX_WORKER=inline`` it is called right here.

    Parameters
    ----------
    session : str
        Who asks; sessions take turns.
    given : int
        Bytes of the files that it reads: the limits grow with them (`core.scans.budget`).
    function, arguments, keywords
        What to call.

    Raises
    ------
    BadInput
        When it took more time or memory than files of this size may, or crashed.
    LightboxError
        And whatever else the function raises.
    """
    if not pool.is_apart():
        return function(*arguments, **keywords)
    budget = Budget(given)
    with _turns().turn(session, budget.memory):
        return _call(budget, function, arguments, keywords)


def _call(budget: Budget, function: Callable[..., R], arguments: Any, keywords: Any) -> R:
    context = pool.context()
    receiver, sender = context.Pipe(duplex=False)
    limits = (budget.memory, budget.seconds)
    process = context.Process(target=_answer, args=(sender, limits, function, arguments, keywords), daemon=True)
    try:
        process.start()
        sender.close()
        if not receiver.poll(PATIENCE * budget.seconds + _GRACE):
            raise BadInput(budget.out_of_time)
        try:
            answered, value = receiver.recv()
        except (EOFError, OSError):
            process.join(_GRACE)
            raise BadInput(_why_ended(process.exitcode, budget)) from None
    finally:
        if process.pid is not None:
            process.kill()
            process.join()
            process.close()
        receiver.close()
    if not answered:
        raise value
    result: R = value
    return result


def _why_ended(code: int | None, budget: Budget) -> str:
    if code == -signal.SIGXCPU:
        return budget.out_of_time
    if code == -signal.SIGKILL:
        # the system ends who takes the memory of all
        return f"Reading this took more memory than is left, {budget.memory / 1e9:.2g} GB at most: give less of it."
    return "The library that reads this file crashed on it: the file is damaged, export it again."


def _answer(
    sender: Connection, limits: tuple[int, float], function: Callable[..., Any], arguments: Any, named: Any
) -> None:
    """The process: limit itself, answer, end."""
    pool.end_with_server()
    memory, seconds = limits
    # a process that is ended leaves no image of its memory, with a patient in it, on the disk
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    before = _address_space()
    if before is not None:
        _limit(resource.RLIMIT_AS, before + memory)
    _limit(resource.RLIMIT_CPU, int(_computed() + seconds + _GRACE) + 1)
    try:
        answer = (True, function(*arguments, **named))
    except MemoryError:
        answer = (
            False,
            BadInput(
                f"Reading this takes more than {memory / 1e9:.2g} GB of memory, the limit for a file of its size: "
                "crop it, make it smaller, or give fewer files at once."
            ),
        )
    except LightboxError as problem:
        answer = (False, problem)
    except Exception as problem:
        answer = (False, ExceptionWithTraceback(problem, problem.__traceback__))
    sender.send(answer)
    sender.close()


def _limit(what: int, value: int) -> None:
    """Set the soft limit, which decoding processes started from here inherit and may only lower."""
    _, hard = resource.getrlimit(what)
    resource.setrlimit(what, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _address_space() -> int | None:
    """Bytes of address space that this process has before it reads anything; None where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except FileNotFoundError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def _computed() -> float:
    """Seconds of computing by this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


@lru_cache(maxsize=1)
def _turns() -> Turns:
    return Turns(PROCESSES, int(_SHARE_OF_ALL * machine_memory()))

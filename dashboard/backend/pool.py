"""Work that must not happen in the server: whatever needs torch, which stays out of the server's memory.

What crashes takes its own process with it, not the server. Foreign files have one each: `dashboard.backend.apart`.
"""

import multiprocessing
import multiprocessing.connection
import os
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from multiprocessing.context import ForkServerContext
from typing import Any, ParamSpec, TypeVar

from core.errors import LightboxError
from core.settings import settings

#: Two, so that one session's large upload does not hold up another's prediction.
PROCESSES = 2
#: Longest a page waits for an answer, seconds.
PATIENCE = 120.0

_lock = threading.Lock()
#: The pools by what they are for; ``same`` has one process, which finds again what it kept.
_SIZES = {"any": PROCESSES, "same": 1}
_pools: dict[str, ProcessPoolExecutor] = {}
#: Imported once, so that the process of an upload starts within milliseconds.
_BEFOREHAND = ("dashboard.backend.questions", "core.scans", "core.runs.store.store", "pydicom", "nibabel", "PIL.Image")

P = ParamSpec("P")
R = TypeVar("R")


def ask(function: Callable[P, R], *arguments: P.args, **keywords: P.kwargs) -> R:
    """Call a module-level `function` in another process and wait for what it returns.

    With ``LIGHTBOX_WORKER=inline`` it is called right here.

    Raises
    ------
    LightboxError
        When the process died on it, alone, or did not answer in `PATIENCE` seconds; and whatever the function raises.
    """
    return _ask("any", function, *arguments, **keywords)


def ask_same(function: Callable[P, R], *arguments: P.args, **keywords: P.kwargs) -> R:
    """`ask`, always in one and the same process: a model or an answer that it kept is there the next time."""
    return _ask("same", function, *arguments, **keywords)


def _ask(pool: str, function: Callable[P, R], *arguments: P.args, **keywords: P.kwargs) -> R:
    if not is_apart():
        return function(*arguments, **keywords)
    asked, answer = _submit(pool, function, *arguments, **keywords)
    try:
        return answer.result(timeout=PATIENCE)
    except (BrokenProcessPool, CancelledError):
        # somebody's question ended the process that all share: asked again alone, it shows whether it was this one
        _forget(pool, asked)
        return _ask_alone(function, *arguments, **keywords)
    except TimeoutError as problem:
        _forget(pool, asked)
        raise _no_answer() from problem


def _ask_alone(function: Callable[P, R], *arguments: P.args, **keywords: P.kwargs) -> R:
    alone = _new_pool(1)
    try:
        return alone.submit(function, *arguments, **keywords).result(timeout=PATIENCE)
    except BrokenProcessPool as problem:
        raise LightboxError("This stopped unexpectedly: memory ran out, or a library crashed on it.") from problem
    except TimeoutError as problem:
        raise _no_answer() from problem
    finally:
        _end(alone)


def _no_answer() -> LightboxError:
    return LightboxError(f"There was no answer after {PATIENCE:.0f} seconds: try a smaller image.")


def is_apart() -> bool:
    """Whether questions are answered in another process, beside whatever runs in this one."""
    return settings().worker != "inline"


def warm_up(function: Callable[P, object], *arguments: P.args, **keywords: P.kwargs) -> None:
    """Start a process and call `function` there, without waiting: it is ready when the first question comes."""
    if is_apart():
        _submit("any", function, *arguments, **keywords)


def start_same(function: Callable[P, R], *arguments: P.args, **keywords: P.kwargs) -> "Future[R] | None":
    """`ask_same` without waiting; None where there is no other process, and nothing is done then."""
    return _submit("same", function, *arguments, **keywords)[1] if is_apart() else None


def close(*names: str) -> None:
    """End the processes of the pools named (all, by default); the next question starts new ones."""
    with _lock:
        ended = [_pools.pop(name) for name in (names or tuple(_pools)) if name in _pools]
    for pool in ended:
        _end(pool)


def _forget(name: str, pool: ProcessPoolExecutor) -> None:
    """End the processes of `pool`; another that has its name by now is left alone."""
    with _lock:
        if _pools.get(name) is pool:
            del _pools[name]
    _end(pool)


def _end(pool: ProcessPoolExecutor) -> None:
    for process in list((pool._processes or {}).values()):
        process.terminate()
    pool.shutdown(wait=False, cancel_futures=True)


def _submit(
    name: str, function: Callable[..., R], *arguments: Any, **keywords: Any
) -> "tuple[ProcessPoolExecutor, Future[R]]":
    with _lock:
        for _ in range(2):
            if name not in _pools:
                _pools[name] = _new_pool(_SIZES[name])
            pool = _pools[name]
            try:
                return pool, pool.submit(function, *arguments, **keywords)
            except BrokenProcessPool:
                # its process died with nobody asking
                del _pools[name]
        raise LightboxError("No process can be started to answer this: memory may have run out.")


def _new_pool(processes: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(processes, mp_context=context(), initializer=end_with_server)


@lru_cache(maxsize=1)
def context() -> ForkServerContext:
    """How processes are started: from a small process that has imported what reads files, and nothing of the server."""
    chosen = multiprocessing.get_context("forkserver")
    chosen.set_forkserver_preload(list(_BEFOREHAND))
    return chosen


def end_with_server() -> None:
    """A worker would outlive a server that is killed: each watches it and ends with it."""
    os.environ["OMP_NUM_THREADS"] = "1"
    server = multiprocessing.parent_process()
    assert server is not None

    def watch() -> None:
        multiprocessing.connection.wait([server.sentinel])
        os._exit(0)

    threading.Thread(target=watch, daemon=True, name="watch server").start()

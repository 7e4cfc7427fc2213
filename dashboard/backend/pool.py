"""Work that must not happen in the server: reading foreign files, and whatever needs torch.

A decoder that crashes takes its own process with it, not the server, and torch stays out of the server's memory.
"""

import multiprocessing
import multiprocessing.connection
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
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

P = ParamSpec("P")
R = TypeVar("R")


def ask(function: Callable[P, R], *arguments: P.args, **keywords: P.kwargs) -> R:
    """Call a module-level `function` in another process and wait for what it returns.

    With ``LIGHTBOX_WORKER=inline`` it is called right here.

    Raises
    ------
    LightboxError
        When the process died or did not answer in `PATIENCE` seconds; and whatever the function raises.
    """
    return _ask("any", function, *arguments, **keywords)


def ask_same(function: Callable[P, R], *arguments: P.args, **keywords: P.kwargs) -> R:
    """`ask`, always in one and the same process: a model or an answer that it kept is there the next time."""
    return _ask("same", function, *arguments, **keywords)


def _ask(pool: str, function: Callable[P, R], *arguments: P.args, **keywords: P.kwargs) -> R:
    if not is_apart():
        return function(*arguments, **keywords)
    try:
        return _submit(pool, function, *arguments, **keywords).result(timeout=PATIENCE)
    except BrokenProcessPool as problem:
        close(pool)
        raise LightboxError(
            "Reading this stopped unexpectedly: the file may be damaged, or memory ran out."
        ) from problem
    except TimeoutError as problem:
        close(pool)
        raise LightboxError(f"There was no answer after {PATIENCE:.0f} seconds: try a smaller image.") from problem


def is_apart() -> bool:
    """Whether questions are answered in another process, beside whatever runs in this one."""
    return settings().worker != "inline"


def warm_up(function: Callable[P, object], *arguments: P.args, **keywords: P.kwargs) -> None:
    """Start a process and call `function` there, without waiting: it is ready when the first question comes."""
    if is_apart():
        _submit("any", function, *arguments, **keywords)


def start_same(function: Callable[P, R], *arguments: P.args, **keywords: P.kwargs) -> "Future[R] | None":
    """`ask_same` without waiting; None where there is no other process, and nothing is done then."""
    return _submit("same", function, *arguments, **keywords) if is_apart() else None


def close(*names: str) -> None:
    """End the processes of the pools named (all, by default); the next question starts new ones."""
    with _lock:
        ended = [_pools.pop(name) for name in (names or tuple(_pools)) if name in _pools]
    for pool in ended:
        for process in list((pool._processes or {}).values()):
            process.terminate()
        pool.shutdown(wait=False, cancel_futures=True)


def _submit(pool: str, function: Callable[..., R], *arguments: Any, **keywords: Any) -> "Future[R]":
    with _lock:
        if pool not in _pools:
            context = multiprocessing.get_context("forkserver")
            _pools[pool] = ProcessPoolExecutor(_SIZES[pool], mp_context=context, initializer=_end_with_server)
        return _pools[pool].submit(function, *arguments, **keywords)


def _end_with_server() -> None:
    """A pool's workers would outlive a server that is killed: each watches it and ends with it."""
    os.environ["OMP_NUM_THREADS"] = "1"
    server = multiprocessing.parent_process()
    assert server is not None

    def watch() -> None:
        multiprocessing.connection.wait([server.sentinel])
        os._exit(0)

    threading.Thread(target=watch, daemon=True, name="watch server").start()

"""Superpixels one after another, or several at a time on the cores there are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import torch

from core.explainers.ibix.equations import RegionSums
from core.explainers.ibix.mapping import Mapper, Step

#: Sums of one superpixel, by a mapper; the step is told after each chunk of jitters.
Work = Callable[[Mapper, int, Step | None], RegionSums]
#: Superpixels and their sums; to be closed by whoever stops before the end.
Results = Generator[tuple[int, RegionSums], None, None]


def one_by_one(mapper: Mapper, work: Work, order: Sequence[int], told: Callable[[float], None]) -> Results:
    """Superpixels of `order` in turn, each with all of torch's threads; told of progress inside each of them."""
    for done, k in enumerate(order):
        yield k, work(mapper, k, partial(_tell_share, told, done, len(order)))


def side_by_side(mapper: Mapper, work: Work, order: Sequence[int], told: Callable[[float], None]) -> Results:
    """Superpixels of `order` in turn, several worked on at once with one of torch's threads each.

    The layers' windows are so small that threads inside one operation mostly wait for each other.
    """
    threads = torch.get_num_threads()
    if threads == 1 or len(order) < 2:
        yield from one_by_one(mapper, work, order, told)
        return
    own = threading.local()

    def begin() -> None:
        torch.set_num_threads(1)
        own.mapper = mapper.one_of(threads)
        mappers.append(own.mapper)

    def ask(k: int) -> RegionSums:
        return work(own.mapper, k, None)

    mappers: list[Mapper] = []
    pool = ThreadPoolExecutor(threads, thread_name_prefix="superpixels", initializer=begin)
    try:
        futures = [pool.submit(ask, k) for k in order]
        for done, (k, future) in enumerate(zip(order, futures, strict=True)):
            sums = future.result()
            told((done + 1) / len(order))
            yield k, sums
    finally:
        pool.shutdown(cancel_futures=True)
        mapper.evaluations += sum(one.evaluations for one in mappers)
        # threads that torch starts later take the number that was set last, in whichever thread
        torch.set_num_threads(threads)


def _tell_share(told: Callable[[float], None], done: int, count: int, share: float, _: object) -> None:
    told((done + share) / count)

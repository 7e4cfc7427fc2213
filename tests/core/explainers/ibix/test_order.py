import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn

from core.errors import BadInput, Cancelled
from core.explainers import explain
from core.explainers.ibix.order import one_by_one, side_by_side
from core.progress import Progress
from tests.core.explainers import regressors
from tests.core.explainers.regressors import region, scan, smooth

SHAPE = (24, 28)
MARKED = region(SHAPE, slice(8, 14), slice(10, 16))


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def superpixel_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("superpixels")]


def backward(network: nn.Module, report=None, **values: object):
    given = {"region": MARKED, "direction": "backward", "levels": "1", "jitters": 4, "superpixels": 60, **values}
    if report is not None:
        given["report"] = report
    return explain(scan(SHAPE), regressors.model(network), "ibix", **given)


class Broken:
    """Stands for a mapper; its copies count what they ask."""

    def __init__(self) -> None:
        self.evaluations = 0

    def one_of(self, count: int) -> "Broken":
        return Broken()


def test_the_map_is_the_same_bit_for_bit_with_one_thread_and_with_two(two_threads):
    network = smooth(2)
    side = backward(network)
    torch.set_num_threads(1)
    alone = backward(network)
    np.testing.assert_array_equal(side.arrays["map"].values, alone.arrays["map"].values)
    names = ("superpixels_evaluated", "superpixels_skipped", "evaluations")
    assert [side.numbers[n] for n in names] == [alone.numbers[n] for n in names]
    assert side.numbers["evaluations"] == 4 * side.numbers["superpixels_evaluated"]


def test_every_superpixel_is_worked_on_once_and_told_in_the_order_asked_for(two_threads):
    asked, told = [], []

    def work(mapper, k, step):
        asked.append((k, threading.current_thread().name.startswith("superpixels"), torch.get_num_threads()))
        mapper.evaluations += 1
        return k

    mapper = Broken()
    order = [5, 3, 9, 0, 7]
    assert list(side_by_side(mapper, work, order, told.append)) == [(k, k) for k in order]
    assert sorted(asked) == [(k, True, 1) for k in sorted(order)]
    assert told == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert mapper.evaluations == 5
    assert torch.get_num_threads() == 2


def test_an_error_in_one_superpixel_comes_through_and_leaves_no_thread_and_the_number_of_threads_as_it_was(two_threads):
    def work(mapper, k, step):
        mapper.evaluations += 1
        if k == 2:
            raise BadInput("The model has no finite answer.")
        return k

    mapper = Broken()
    with pytest.raises(BadInput, match="no finite answer"):
        list(side_by_side(mapper, work, range(200), lambda share: None))
    assert torch.get_num_threads() == 2
    assert not superpixel_threads()
    assert mapper.evaluations < 200


def test_who_cancels_waits_for_the_superpixels_at_work_and_no_others(two_threads):
    calls: list[Progress] = []

    def report(progress: Progress) -> None:
        calls.append(progress)
        if "superpixel" in progress.message:
            raise Cancelled

    with pytest.raises(Cancelled):
        backward(smooth(2), report, superpixels=300)
    assert "superpixel" in calls[-1].message
    assert calls[-1].fraction < 0.9
    assert torch.get_num_threads() == 2
    assert not superpixel_threads()


def test_whoever_stops_before_the_end_leaves_the_number_of_threads_as_it_was(two_threads):
    results = side_by_side(Broken(), lambda mapper, k, step: k, range(50), lambda share: None)
    assert next(results) == (0, 0)
    results.close()
    assert torch.get_num_threads() == 2
    assert not superpixel_threads()


def test_an_answer_that_is_not_finite_is_refused_in_threads_too(two_threads):
    class Fragile(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.log(1.0 - x)

    with pytest.raises(BadInput, match="no finite answer to the changed scan"):
        backward(Fragile(), jitter_percent=90.0)
    assert torch.get_num_threads() == 2


def test_with_one_thread_of_torch_superpixels_follow_each_other_with_progress_inside_each():
    told: list[float] = []

    def work(mapper, k, step):
        step(0.5, None)
        return k

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        assert [k for k, _ in side_by_side(Broken(), work, [4, 2], told.append)] == [4, 2]
        assert [k for k, _ in one_by_one(Broken(), work, [1], told.append)] == [1]
    finally:
        torch.set_num_threads(before)
    assert told == [0.25, 0.75, 0.5]


def test_two_traces_at_once_leave_the_number_of_threads_as_it_was(two_threads):
    # two pages of one process trace at once, each with threads of its own
    network, maps, failed = smooth(2), [], []
    expected = backward(network).arrays["map"].values

    def trace() -> None:
        try:
            maps.extend(backward(network).arrays["map"].values for _ in range(3))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=trace) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len(maps) == 6
    for found in maps:
        np.testing.assert_array_equal(found, expected)
    assert not superpixel_threads()


def test_threads_that_start_later_have_all_of_torchs_threads_again(two_threads):
    found = []
    list(side_by_side(Broken(), lambda mapper, k, step: k, [1, 2, 3], lambda share: None))
    later = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert found == [2]

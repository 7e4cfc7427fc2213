import time
from concurrent.futures import Future

import numpy as np
import pytest

from core.errors import BadInput
from dashboard.trace.desk import Sketch
from dashboard.trace.questions import QuickMap, _round_step


def test_a_coarse_map_is_waited_for_once_and_taken_whenever_it_comes():
    coming: Future[QuickMap] = Future()
    sketch = Sketch("{}", coming)
    started = time.perf_counter()
    assert sketch.arrived(0.2) is None
    assert time.perf_counter() - started >= 0.2
    started = time.perf_counter()
    assert sketch.arrived(30.0) is None
    assert time.perf_counter() - started < 5
    found = QuickMap(np.zeros((2, 2), np.float32), 0.1)
    coming.set_result(found)
    assert sketch.arrived(0.2) is found


@pytest.mark.parametrize(("problem", "logged"), [(BadInput("Mark another place."), 0), (ZeroDivisionError(), 1)])
def test_a_coarse_map_that_fails_is_left_to_the_run_to_speak_of(problem, logged, caplog):
    coming: Future[QuickMap] = Future()
    coming.set_exception(problem)
    sketch = Sketch("{}", coming)
    assert sketch.arrived(1.0) is None
    assert sketch.arrived(1.0) is None
    assert len(caplog.records) == logged


@pytest.mark.parametrize(("least", "step"), [(0.03, 0.05), (0.5, 0.5), (0.51, 1.0), (1.2, 2.0), (9.0, 10.0)])
def test_distances_move_in_round_steps(least, step):
    assert _round_step(least) == pytest.approx(step)

from types import SimpleNamespace

import pytest

from core.runs import Live, Status
from dashboard.results import answer


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "Saving"), (0.0, "Saving"), (0.4, "Saving"), (3.0, "Saving · about 3.0 s left")],
)
def test_what_is_left_is_said_while_there_is_time_to_read_it(seconds, words):
    run = SimpleNamespace(cancelling=False, status=Status.RUNNING)
    live = Live(fraction=0.9, message="saving", elapsed=1.0, eta_seconds=seconds)
    assert answer.progress_text(run, live) == words

from types import SimpleNamespace

import pytest

from core.acceptance import Acceptance, Sign
from core.runs import Live, Status
from dashboard.backend.questions import Prediction
from dashboard.results import answer


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "Saving"), (0.0, "Saving"), (0.4, "Saving"), (3.0, "Saving · about 3.0 s left")],
)
def test_what_is_left_is_said_while_there_is_time_to_read_it(seconds, words):
    run = SimpleNamespace(cancelling=False, status=Status.RUNNING)
    live = Live(fraction=0.9, message="saving", elapsed=1.0, eta_seconds=seconds)
    assert answer.progress_text(run, live) == words


def _prediction(state, **probabilities):
    sign = Sign("layout", "Layout", state != "refused", "What lies where in it is unlike the training scans.")
    return Prediction(probabilities, (), (), Acceptance(state, (sign,)))


def test_the_line_says_what_the_model_says_before_anything_else():
    line = str(answer.prediction_line(_prediction("accepted", CN=0.97, AD=0.03)))
    assert line.index("The model says") < line.index("cognitively normal") < line.index("97.0%")
    assert "CN 97.0%, AD 3.0%" in line
    assert "<s>" not in line
    film = str(answer.prediction_line(_prediction("unknown", hand=0.2, foot=0.7, elbow=0.1)))
    assert film.index("foot</span>") < film.index("foot 70%, hand 20%, elbow 10%")


def test_of_a_scan_that_the_model_cannot_read_the_number_is_struck_out():
    line = str(answer.prediction_line(_prediction("refused", CN=0.0001, AD=0.9999)))
    assert "<s><span class='said'>Alzheimer&#39;s disease</span> <span class='probability'>&gt;99.9%</span></s>" in line
    assert "means nothing" in line
    assert "<s>" in answer.said_line({"CN": 0.1, "AD": 0.9}, refused=True)
    assert "<s>" not in answer.said_line({"CN": 0.1, "AD": 0.9}, refused=False)
    assert answer.said_line({}, refused=True) == ""


def test_many_classes_are_counted():
    many = {f"class {number}": 1 / 30 for number in range(30)}
    assert answer.all_classes(many).endswith("and 20 more")


def test_a_regressor_says_no_class():
    assert "The model says" not in answer.prediction_line(_prediction("accepted"))

import re
from types import SimpleNamespace

import pytest

from core.acceptance import Acceptance, Sign
from core.reports.explanation import StoredExplanation
from core.runs import Live, Status
from dashboard.backend.questions import Prediction
from dashboard.results import answer
from tests.core.tiny import tiny_card


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
    assert line.index("The model says:") < line.index("cognitively normal") < line.index("(97.0%)")
    assert "Cognitively normal 97.0%, Alzheimer&#39;s disease 3.0%." in line
    assert "<s>" not in line
    film = str(answer.prediction_line(_prediction("unknown", hand=0.2, foot=0.7, elbow=0.1)))
    assert film.index("foot</span>") < film.index("Foot 70%, hand 20%, elbow 10%")


def test_a_class_is_called_as_its_model_calls_it_with_its_name_behind():
    card = tiny_card("toy", (8, 8)).model_copy(update={"class_titles": {"CN": "healthy <b>"}})
    line = str(answer.prediction_line(_prediction("accepted", CN=0.97, AD=0.03), card))
    assert "<span class='said'>healthy &lt;b&gt;</span> <span class='code'>CN</span>" in line
    plain = str(answer.said({"hand": 0.7, "foot": 0.3}))
    assert "code" not in plain  # a name that is a word already is not said twice


def test_of_a_scan_that_the_model_cannot_read_the_number_is_struck_out():
    line = str(answer.prediction_line(_prediction("refused", CN=0.0001, AD=0.9999)))
    assert re.search(r"<s><span class='said'>Alzheimer&#39;s disease</span>.*\(&gt;99.9%\)</span></s>", line)
    assert "means nothing" in line


def _explanation(before, after, target="AD", explainer="mask", verdict="holds", checks=None, **record):
    found = {
        "explainer": explainer,
        "target": target,
        "model": "m",
        "sentence": "Hiding <it> helps.",
        "technical": "In 9 steps.",
        "scores": {"before": before, "after": after},
        "parameters": {"hide_share": 5.0},
        "numbers": {"hidden_share": 0.1, "hidden_cm3": 1.84},
        "verdict": {"state": verdict, "sentence": "By <checks>."},
        "checks": [_CHECK] if checks is None else checks,
        "history": {},
        "parts": None,
        **record,
    }
    return StoredExplanation(found, {})


_CHECK = {"name": "swap", "title": "Swap test", "value": 0.1, "sentence": "As before.", "passed": True, "applies": True}


def test_a_result_says_whether_it_holds_what_the_model_says_and_what_that_became_in_one_unit():
    found = _explanation({"CN": 0.0004, "AD": 0.9996}, {"CN": 0.967, "AD": 0.033})
    line = str(answer.result_line(found))
    said = ["✓</i> Holds", "The model says:", "Alzheimer&#39;s disease", "&gt;99.9%", "With 1.8 cm³ hidden:", "3.3%"]
    places = [
        line.index(words) for words in (*said, "Hiding &lt;it&gt; helps.", "In 9 steps.", "Swap test", "As before.")
    ]
    assert places == sorted(places)
    assert "Asked about" not in line
    assert not re.search(r"P\(|0\.\d\d\d|<s>", line)
    assert re.search(r"<details class='checks-line'><summary>.*Swap test.*</summary>.*As before.*</details>", line)


def test_a_class_that_the_model_does_not_say_is_named_beside_what_it_says():
    line = str(
        answer.result_line(_explanation({"CN": 0.97, "AD": 0.03}, {"CN": 0.99, "AD": 0.01}, explainer="saliency"))
    )
    said = [
        "cognitively normal",
        "97.0%",
        "Asked about",
        "Alzheimer&#39;s disease",
        "3.0%",
        "With the map&#39;s top 5% replaced:",
    ]
    places = [line.index(words) for words in said]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("explainer", "numbers", "words"),
    [
        ("mask", {"hidden_share": 0.0, "hidden_cm3": 0.0}, None),
        ("saliency", {"hidden_share": 0.0}, None),
        ("gone", {}, "After the change:"),
    ],
)
def test_where_nothing_was_changed_nothing_is_said_to_have_come_of_it(explainer, numbers, words):
    line = str(
        answer.result_line(
            _explanation({"AD": 0.9, "CN": 0.1}, {"AD": 0.5, "CN": 0.5}, explainer=explainer, numbers=numbers)
        )
    )
    assert ("50%" in line) == (words is not None)
    assert words is None or words in line


def test_a_result_that_means_nothing_or_is_none_has_no_number_to_believe():
    found = _explanation({"CN": 0.0, "AD": 1.0}, {"CN": 0.97, "AD": 0.03})
    refused = str(answer.result_line(found, refused=True))
    assert "Means nothing" in refused and "Holds" not in refused.split("<details")[0]
    assert refused.count("<s>") == 2
    withheld = _explanation({"CN": 0.0, "AD": 1.0}, {"CN": 0.97, "AD": 0.03}, verdict="fails")
    withheld.record["verdict"]["remedy"] = "Try more."
    line = str(answer.result_line(withheld))
    assert "! </i>" not in line and "Does not hold" in line
    assert line.count("<s>") == 1  # what the model says stands; what came of a mask that is none does not
    unchecked = str(answer.result_line(_explanation({"AD": 0.9}, None, explainer="ibix", checks=[])))
    assert "chip" not in unchecked and "details" not in unchecked


def test_an_answer_that_is_an_image_has_a_sentence_alone():
    found = _explanation(None, None, target=None, checks=[])
    del found.record["scores"]
    line = str(answer.result_line(found))
    assert "figure" not in line
    assert "Hiding &lt;it&gt; helps." in line


def test_many_classes_are_counted():
    many = {f"class {number}": 1 / 30 for number in range(30)}
    assert answer.all_classes(many).endswith("and 20 more")


def test_a_regressor_says_no_class():
    assert "The model says" not in answer.prediction_line(_prediction("accepted"))

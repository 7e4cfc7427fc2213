"""From a stored run back to what was laid out."""

from types import SimpleNamespace

import pytest

from core.errors import BadInput
from dashboard.desk import Desk
from dashboard.intake.request import lay_out


@pytest.mark.parametrize(
    ("model", "explainer", "sentence"),
    [
        ("elsewhere/own-model", "saliency", "asked own-model, which is not in the library"),
        ("alzheimer-phantom", "gone", "explainer that is no longer installed"),
    ],
)
def test_a_run_that_cannot_be_laid_out_as_it_was_is_refused_and_leaves_the_desk(model, explainer, sentence):
    laid = Desk()
    run = SimpleNamespace(id="0" * 16, request={"scan": "0" * 64, "model": model, "explainer": explainer})
    with pytest.raises(BadInput, match=sentence):
        lay_out(laid, run)
    assert laid == Desk()

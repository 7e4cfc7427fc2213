"""What a page says of a scan that a model cannot read."""

import pytest

from core.acceptance import Acceptance, Sign
from dashboard.backend.questions import Prediction
from dashboard.look import text
from dashboard.results import gate

_BAD = Sign("space", "Place in MNI space", False, "It does not lie <there>.")


def _said(state, *signs):
    return Prediction({"CN": 0.4, "AD": 0.6}, (), (), Acceptance(state, signs))


@pytest.fixture
def shown(monkeypatch):
    found = []
    monkeypatch.setattr(text, "show", lambda markup, **_: found.append(str(markup)))
    return found


def test_a_refusal_is_a_banner_with_its_reasons(shown):
    gate.show_refusal(_said("refused", _BAD))
    (banner,) = shown
    assert "role='alert'" in banner
    assert "This scan is not what the model was made for." in banner
    assert "It does not lie &lt;there&gt;." in banner


@pytest.mark.parametrize("said", [None, _said("accepted"), _said("unknown"), Prediction({}, (), ())])
def test_nothing_is_said_of_any_other(shown, said):
    gate.show_refusal(said)
    assert shown == []


def test_several_networks_share_a_banner(shown):
    gate.show_refusals({"One": _said("refused", _BAD), "Two": _said("accepted")})
    assert "not what 1 of 2 networks were made for" in shown[0]
    assert "One: It does not lie" in shown[0]
    assert "Two:" not in shown[0]
    gate.show_refusals({"Two": _said("accepted")})
    assert len(shown) == 1


def test_a_model_without_statistics_says_so():
    assert gate.unknown(_said("unknown")) == ["nothing is known of what this model was trained on"]
    assert gate.unknown(_said("accepted")) == []

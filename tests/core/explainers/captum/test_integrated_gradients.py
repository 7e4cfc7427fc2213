from dataclasses import replace

import numpy as np

from core.explainers.captum.integrated_gradients import IntegratedGradients
from core.explainers.hiding import fill_image
from tests.core.explainers.toys import randomised_drop
from tests.oracles import maps as oracle


def test_integrated_gradients_are_the_path_integral_and_add_up(question):
    parameters = IntegratedGradients.parameters(values={"steps": 64, "baseline": "healthy_mean"})
    found = IntegratedGradients().attribute(question, parameters)
    baseline = fill_image(question.model, question.prepared, "healthy_mean")
    expected = oracle.integrated_gradients(question.model.network, question.prepared.tensor, baseline, 1, 400)[0]
    np.testing.assert_allclose(found.values, expected, atol=0.03 * np.abs(expected).max())
    (check,) = IntegratedGradients().checks(question, parameters, found.values)
    assert check.passed
    (wrong,) = IntegratedGradients().checks(question, parameters, found.values * 1.2)
    assert not wrong.passed


def test_nothing_to_share_out_adds_up_emptily(question):
    parameters = IntegratedGradients.parameters(values={"baseline": "healthy_mean"})
    baseline = fill_image(question.model, question.prepared, "healthy_mean")
    same = replace(question, prepared=replace(question.prepared, tensor=baseline))
    (check,) = IntegratedGradients().checks(same, parameters, np.zeros(baseline.shape[2:], np.float32))
    assert (check.passed, check.applies) == (None, False)
    assert check.sentence.startswith("Not applicable: scan and baseline have the same logit.")
    (wrong,) = IntegratedGradients().checks(same, parameters, np.ones(baseline.shape[2:], np.float32))
    assert wrong.passed is False


def test_integrated_gradients_change_less_since_they_carry_the_scans_difference_to_the_baseline(trained):
    """Their page says so: the factor scan − baseline is in the map whatever the weights are."""
    assert 0.2 < randomised_drop(trained, "integrated_gradients") < randomised_drop(trained, "saliency")

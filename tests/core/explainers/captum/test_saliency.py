import numpy as np
import pytest

from core.explainers.captum.saliency import Saliency
from tests.oracles import maps as oracle


def test_saliency_is_the_gradient_of_the_logit(question):
    x, network = question.prepared.tensor, question.model.network
    signed = Saliency().attribute(question, Saliency.parameters(values={"signed": True}))
    np.testing.assert_allclose(signed.values, oracle.gradient(network, x, 1)[0], atol=1e-5)
    place = np.unravel_index(np.abs(signed.values).argmax(), signed.values.shape)
    assert signed.values[place] == pytest.approx(oracle.finite_difference(network, x, 1, place, 1e-2), rel=0.1)
    size = Saliency().attribute(question, Saliency.parameters())
    np.testing.assert_allclose(size.values, np.abs(signed.values), atol=1e-6)
    assert (signed.diverging, size.diverging) == (True, False)

import pytest
import torch
from torch import nn

from core.errors import BadInput
from core.explainers._responses import WholeResponses, at, responses_for
from tests.core.explainers.regressors import Opaque, smooth


def test_batches_answer_what_the_network_says_to_each_changed_input():
    network = smooth(2, channels=2).eval()
    x, window = torch.rand(1, 2, 12, 12), (slice(2, 5), slice(4, 10))
    values = torch.rand(21, 2, 3, 6)
    responses = WholeResponses(network, x, 10**9)
    box, answers = responses.changed(window, values)
    assert box == responses.footprint(window) == (slice(0, 12), slice(0, 12))
    with torch.no_grad():
        torch.testing.assert_close(responses.output, network(x))
        for value, answer in zip(values, answers, strict=True):
            changed = x.clone()
            changed[0, :, 2:5, 4:10] = value
            torch.testing.assert_close(answer, network(changed)[0])


def test_a_batch_is_as_small_as_memory_asks_for():
    x = torch.rand(1, 1, 32, 32)
    network = smooth(2)
    assert WholeResponses(network, x, 1).batch == 1
    assert WholeResponses(network, x, 10**9).batch > 1
    # a callable that tells nothing of its layers is taken to need more
    assert WholeResponses(lambda t: network(t), x, 10**6).batch < WholeResponses(network, x, 10**6).batch


def test_answers_without_space_have_an_empty_window():
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    responses = WholeResponses(network, torch.rand(1, 1, 4, 4), 10**6)
    box, answers = responses.changed((slice(0, 1), slice(0, 1)), torch.rand(5, 1, 1, 1))
    assert box == ()
    assert answers.shape == (5, 3)
    assert at(responses.output[0], box).shape == (3,)


def test_the_engine_follows_the_network_and_says_why_not():
    x = torch.rand(1, 1, 16, 16)
    assert responses_for(smooth(2), x, 10**8).reason is None
    assert responses_for(Opaque(smooth(2)), x, 10**8).reason
    assert responses_for(smooth(2), x, 10**8, "batches").reason
    with pytest.raises(BadInput, match="engine"):
        responses_for(Opaque(smooth(2)), x, 10**8, "windows")

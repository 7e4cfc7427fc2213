import pytest
import torch
from torch import nn

from core.errors import BadInput
from core.models.zoo import build
from core.networks.choosing import responses_for
from core.networks.responses import WholeResponses, at, too_large
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


def test_as_many_are_asked_at_once_as_memory_holds():
    x, one = torch.rand(1, 1, 32, 32), 4 * 32 * 32
    # of a network of one layer nothing is known; of one with more, what its layers answer
    for network, weight in (
        (nn.ReLU(), 64 * one),
        (nn.Sequential(nn.ReLU(), nn.Conv2d(1, 2, 1)), one + 2 * one + 2 * one),
    ):
        for memory, batch in ((3 * weight, 3), (3 * weight - 1, 2), (weight - 1, 1), (100 * weight, 8)):
            assert WholeResponses(network, x, memory).batch == batch


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


class Mixing(nn.Module):
    """What it says to one image depends on the others of the batch."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(x - 0.5 * x.mean(dim=0, keepdim=True))


class Joining(nn.Module):
    """Answers a batch with one large image."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(x).reshape(1, 1, -1, 12)


class Single(nn.Module):
    """Written for one image."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.view(1, 1, 12, 12) * 2


class Counting(nn.Module):
    """Answers otherwise each time."""

    count = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.count += 1
        return x * self.count


@pytest.mark.parametrize(
    ("network", "words"), [(Mixing(), "beside others"), (Joining(), "beside others"), (Single(), "no batches")]
)
def test_a_network_whose_images_know_of_each_other_is_asked_one_at_a_time(network, words):
    # its map depended on how many changed scans happened to lie in a batch
    x, values = torch.rand(1, 1, 12, 12), torch.rand(5, 1, 2, 2)
    responses = WholeResponses(network, x, 10**9)
    assert responses.batch == 1
    assert words in responses.warnings[0]
    _, answers = responses.changed((slice(0, 2), slice(0, 2)), values)
    for value, answer in zip(values, answers, strict=True):
        changed = x.clone()
        changed[..., :2, :2] = value
        torch.testing.assert_close(answer, network(changed)[0])


def test_a_network_that_answers_otherwise_each_time_is_warned_of():
    responses = WholeResponses(Counting(), torch.rand(1, 1, 12, 12), 10**9)
    assert "differently each time" in responses.warnings[0]
    assert not WholeResponses(smooth(2).eval(), torch.rand(1, 1, 12, 12), 10**9).warnings


@pytest.mark.parametrize("engine", ["windows", "batches"])
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_answers_are_the_same_to_the_last_bit_however_changes_are_parted(engine, size):
    # chunks follow the clock, and a convolution rounds one image alone otherwise than several: no map came twice
    network = build("autoencoder", {}).eval().requires_grad_(False)
    x, values = torch.rand(1, 1, 48, 40), torch.rand(8, 1, 9, 9)
    window = (slice(20, 29), slice(16, 25))
    responses = responses_for(network, x, 2**28, engine)
    together = responses.changed(window, values)[1].clone()
    parts = [responses.changed(window, values[start : start + size])[1].clone() for start in range(0, 8, size)]
    assert torch.equal(torch.cat(parts), together)


def test_what_fits_exactly_is_not_too_large_and_the_rest_is_told_in_megabytes():
    assert too_large(2**20, 2**20) == ()
    assert "takes about 3 MB" in too_large(3 * 2**20, 2**20)[0]


def test_weighing_a_network_leaves_nothing_hooked_to_it():
    network = smooth(2).eval()
    WholeResponses(network, torch.rand(1, 1, 12, 12), 10**9)
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize("engine", ["windows", "batches"])
def test_a_model_that_needs_more_for_one_image_than_all_work_may_take_is_told(engine):
    x, network = torch.rand(1, 1, 64, 64), smooth(2).eval()
    assert any("more than memory_mb" in words for words in responses_for(network, x, 1000, engine).warnings)
    assert not responses_for(network, x, 10**9, engine).warnings

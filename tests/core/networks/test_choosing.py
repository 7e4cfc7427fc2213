"""Windows where they hold, whole inputs where they do not, and never a traceback between them."""

import pytest
import torch
from torch import nn

from core.errors import BadInput
from core.networks.choosing import responses_for
from core.networks.responses import at
from core.networks.windows.engine import WindowResponses
from core.networks.windows.local import Convolution
from tests.core.networks.userland import MAKERS, userland

MEMORY = 64 * 2**20
WINDOW = (slice(3, 8), slice(2, 6))


def _patches_classifier() -> nn.Module:
    """Reads patches of 4×4 and drops what is left over, as ConvNeXt and ViT do."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 8, 4, stride=4), nn.GELU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2)
    ).eval()


@pytest.mark.parametrize("engine", ["auto", "windows"])
def test_a_change_where_no_filter_reads_leaves_the_answer_as_it_was(engine):
    network, x = _patches_classifier(), torch.rand(1, 1, 35, 35)
    responses = responses_for(network, x, MEMORY, engine)
    assert responses.reason is None
    for window in [(slice(33, 35), slice(0, 35)), (slice(32, 35), slice(32, 35))]:
        for _ in range(3):
            # memory that was used before must not pass for an answer
            torch.full((3, 2), 1e30)
            box, answers = responses.changed(window, torch.rand(3, 1, *(s.stop - s.start for s in window)))
            assert box == ()
            assert torch.equal(answers, responses.output.repeat(3, 1))


def test_an_image_answer_has_an_empty_window_where_no_filter_reads():
    network = nn.Sequential(nn.Conv2d(1, 2, 4, stride=4), nn.ReLU()).eval()
    responses = responses_for(network, torch.rand(1, 1, 10, 10), MEMORY)
    box, answers = responses.changed((slice(8, 10), slice(8, 10)), torch.rand(2, 1, 2, 2))
    assert (box, answers.shape) == ((slice(0, 0), slice(0, 0)), (2, 2, 0, 0))


@pytest.mark.parametrize("name", MAKERS)
def test_a_network_as_people_write_them_is_answered_rightly_whatever_engine(name):
    network, x = userland(name).double(), torch.randn(1, 1, 17, 19, dtype=torch.float64)
    responses = responses_for(network, x, MEMORY)
    kept = x.clone()
    values = torch.randn(3, 1, 5, 4, dtype=torch.float64)
    box, answers = responses.changed(WINDOW, values)
    assert torch.equal(x, kept)
    for value, answer in zip(values, answers, strict=True):
        changed = x.clone()
        at(changed, WINDOW).copy_(value)
        # whole images are answered in float32
        close = 1e-8 if responses.reason is None else 1e-5
        torch.testing.assert_close(answer.double(), at(network(changed)[0], box), rtol=close, atol=close)


def test_layers_with_worked_out_weights_are_followed_in_windows():
    for name in ("weight norm", "weight norm of old", "spectral norm", "spectral norm of old", "transposed in groups"):
        assert responses_for(userland(name), torch.randn(1, 1, 17, 19), MEMORY).reason is None, name


def _failing_after(monkeypatch, calls):
    """A layer's window that cannot be worked out from its `calls`-th use on."""
    real, done = Convolution.compute, []

    def compute(self, patch, start, box):
        done.append(1)
        if len(done) > calls:
            raise IndexError("index out of range in self")
        return real(self, patch, start, box)

    monkeypatch.setattr(Convolution, "compute", compute)


def test_windows_that_fail_at_once_become_whole_images_with_the_reason(monkeypatch):
    network, x = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU()).eval(), torch.rand(1, 1, 15, 15)
    _failing_after(monkeypatch, 0)
    assert "failed with IndexError: index out of range in self" in str(responses_for(network, x, MEMORY).reason)
    with pytest.raises(BadInput, match="take engine=auto or batches"):
        responses_for(network, x, MEMORY, "windows")


def test_windows_that_fail_later_become_whole_images_from_then_on(monkeypatch):
    network, x = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU()).eval(), torch.rand(1, 1, 15, 15)
    responses, strict = (responses_for(network, x, MEMORY, engine) for engine in ("auto", "windows"))
    values = torch.rand(3, 1, 5, 4)
    box, good = responses.changed(WINDOW, values)
    assert responses.reason is None
    _failing_after(monkeypatch, 0)
    again, answers = responses.changed(WINDOW, values)
    # the same region goes on with the same window of the answer; others get all of it
    assert again == box
    torch.testing.assert_close(answers, good)
    assert "IndexError" in str(responses.reason)
    other = (slice(0, 2), slice(0, 2))
    assert responses.footprint(other) == responses.changed(other, torch.rand(1, 1, 2, 2))[0] == (slice(0, 15),) * 2
    with pytest.raises(BadInput, match="take engine=auto or batches"):
        strict.changed(WINDOW, values)


def test_a_machine_without_memory_is_no_reason_to_ask_whole_images(monkeypatch):
    def compute(self, patch, start, box):
        raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")

    network, x = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU()).eval(), torch.rand(1, 1, 15, 15)
    monkeypatch.setattr(Convolution, "compute", compute)
    with pytest.raises(RuntimeError, match="out of memory"):
        WindowResponses(network, x, MEMORY)

"""Networks in windows against the whole network in float64."""

import torch
from torch import nn

from core.networks.windows.engine import WindowResponses

MEMORY = 64 * 2**20


class Function(nn.Module):
    """A network written as one function, with layers it may use."""

    def __init__(self, function, **layers):
        super().__init__()
        self.function = function
        for name, layer in layers.items():
            if isinstance(layer, nn.Module):
                self.add_module(name, layer)
            else:
                self.register_buffer(name, layer)

    def forward(self, x):
        return self.function(self, x)


def windows_of(shape, seed=0, drawn=3):
    """All of the grid, one sample at each end, and some drawn."""
    generator = torch.Generator().manual_seed(seed)
    boxes = [
        tuple(slice(0, n) for n in shape),
        tuple(slice(0, 1) for _ in shape),
        tuple(slice(n - 1, n) for n in shape),
        tuple(slice(n // 2, n // 2 + 1) for n in shape),
    ]
    for _ in range(drawn):
        box = []
        for n in shape:
            a, b = sorted(torch.randint(0, n, (2,), generator=generator).tolist())
            box.append(slice(a, b + 1))
        boxes.append(tuple(box))
    return boxes


def ready(network, seed=0):
    """float64, eval, every weight and statistic drawn."""
    torch.manual_seed(seed)
    network = network.double().eval()
    for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
        if tensor.is_floating_point():
            tensor.data = torch.rand_like(tensor) + 0.5 if "var" in name else 0.5 * torch.randn_like(tensor)
    return network


def assert_exact(network, shape, channels=2, seed=0, windows=None, x=None):
    network = ready(network, seed)
    if x is None:
        x = torch.randn(1, channels, *shape, dtype=torch.float64)
    untouched = x.clone()
    responses = WindowResponses(network, x, MEMORY)
    assert torch.equal(x, untouched)
    original = network(x.clone())
    torch.testing.assert_close(responses.output, original, rtol=1e-9, atol=1e-11)
    local = 0
    for window in windows or windows_of(shape, seed):
        values = torch.randn(3, channels, *(a.stop - a.start for a in window), dtype=torch.float64)
        kept = values.clone()
        footprint = responses.footprint(window)
        box, answers = responses.changed(window, values)
        assert torch.equal(values, kept)
        if footprint is None:
            assert answers.shape == (3, original.shape[1], *[0] * len(shape))
        else:
            assert footprint == box
            local += box != tuple(slice(0, n) for n in original.shape[2:])
        for value, answer in zip(values, answers, strict=True):
            changed = x.clone()
            changed[(0, slice(None), *window)] = value
            expected = original.clone()
            if footprint is not None:
                expected[(0, slice(None), *box)] = answer
            torch.testing.assert_close(expected, network(changed), rtol=1e-9, atol=1e-10)
    return responses, local


def drawn(seed, **ranges):
    """One number of each range, per axis."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: int(low + torch.randint(0, high - low + 1, (1,), generator=generator))
        for name, (low, high) in ranges.items()
    }

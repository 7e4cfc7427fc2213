"""A network's quick copy for loops that ask it hundreds of times."""

from dataclasses import dataclass, field
from typing import Literal
from weakref import WeakKeyDictionary

import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from core.networks.folding import fold_batch_norm
from core.networks.tracing import copy_of

Precision = Literal["auto", "float32", "bfloat16"]
_Shape = tuple[int, ...]
_State = tuple[tuple[int, int], ...]

#: largest differences between the folded copy and the network that rounding explains, relative to how much the answer
#: changes with the input, and to the answer
_OF_CHANGE, _OF_ANSWER = 1e-3, 1e-5
#: whether folding held: by network, the state of its weights, and the shape of its input
_HELD: WeakKeyDictionary[nn.Module, dict[tuple[_State, _Shape], bool]] = WeakKeyDictionary()


@dataclass(eq=False)
class FastNetwork:
    """Copy of a network with batch norms folded, in the precision and memory layout that this device likes.

    Calling it takes float32 and gives float32 logits; inside it works in `dtype`. Scores that leave an explainer are
    always computed again by the untouched network.

    The first input of each shape is also given to the network itself, beside a noisy one: where their answers differ by
    more than rounding, the copy is one without anything folded from then on.
    """

    module: nn.Module
    dtype: torch.dtype
    layout: torch.memory_format
    network: nn.Module
    _compared: set[_Shape] = field(default_factory=set, repr=False)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (N, classes), float32, of inputs (N, C, *spatial)."""
        shape = tuple(x.shape[1:])
        if shape not in self._compared:
            exact = self.module if self.dtype == torch.float32 else None
            if not _folding_holds(self.network, x, exact):
                self.module = _cast(copy_of(self.network).eval().requires_grad_(False), self.dtype, self.layout)
            self._compared.add(shape)
        return self.module(self.ready(x)).float()

    def ready(self, x: torch.Tensor) -> torch.Tensor:
        """`x` in this network's precision and layout: calling with such a tensor converts nothing."""
        return x.to(self.dtype, memory_format=self.layout)


def fast_network(network: nn.Module, dimensions: int, precision: Precision = "auto") -> FastNetwork:
    """Quick copy of `network`.

    Parameters
    ----------
    network : torch.nn.Module
        Not changed.
    dimensions : {2, 3}
        Spatial dimensions of its input.
    precision : {"auto", "float32", "bfloat16"}
        auto takes bfloat16 on a CPU with instructions for it (3 to 4 times faster there), else float32.
    """
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    half = (chosen_precision(device) if precision == "auto" else precision) == "bfloat16"
    dtype = torch.bfloat16 if half else torch.float32
    # channels last pays in bfloat16 only: in float32 it was no faster on a CPU
    last = torch.channels_last_3d if dimensions == 3 else torch.channels_last
    layout = last if half else torch.contiguous_format
    return FastNetwork(_cast(fold_batch_norm(network), dtype, layout), dtype, layout, network)


def _cast(module: nn.Module, dtype: torch.dtype, layout: torch.memory_format) -> nn.Module:
    """`module` in a precision, its convolutions' weights in a layout."""
    kinds = {torch.channels_last: nn.Conv2d, torch.channels_last_3d: nn.Conv3d}
    module = module.to(dtype=dtype)
    for part in module.modules():
        if layout in kinds and isinstance(part, kinds[layout]) and not is_parametrized(part):
            part.weight.data = part.weight.data.contiguous(memory_format=layout)
    return module


@torch.no_grad()
def _folding_holds(network: nn.Module, x: torch.Tensor, folded: nn.Module | None) -> bool:
    """Whether the folded copy answers to the first of `x`, and to it with noise, as the network does.

    `folded` is that copy, where there is one in float32.
    """
    known = _HELD.setdefault(network, {})
    place = (_state(network), tuple(x.shape[1:]))
    if place not in known:
        first = x[:1].float()
        span = float(first.max() - first.min()) or 1.0
        noise = torch.randn(first.shape, generator=torch.Generator().manual_seed(0)).to(first.device)
        known[place] = _alike(network, folded or fold_batch_norm(network), torch.cat([first, first + span * noise]))
    return known[place]


def _alike(network: nn.Module, folded: nn.Module, inputs: torch.Tensor) -> bool:
    training = network.training
    expected = (copy_of(network).eval() if training else network)(inputs.clone())
    try:
        found = folded(inputs.clone())
    except Exception:  # code of the network that reads what was folded away
        return False
    if found.shape != expected.shape:
        return False
    change = float((expected[:1] - expected[1:]).abs().max())
    allowed = _OF_CHANGE * change + _OF_ANSWER * float(expected.abs().max())
    return bool((found - expected).abs().max() <= allowed)


def _state(network: nn.Module) -> _State:
    """What changes when weights are replaced or written into."""
    tensors = [*network.parameters(), *network.buffers()]
    return tuple((t.data_ptr(), 0 if t.is_inference() else t._version) for t in tensors)


def chosen_precision(device: torch.device) -> Literal["float32", "bfloat16"]:
    """What ``precision="auto"`` is on a device."""
    return "bfloat16" if device.type == "cpu" and _cpu_has_bfloat16() else "float32"


def _cpu_has_bfloat16() -> bool:
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def unchanged_known(network: FastNetwork, x: torch.Tensor) -> nn.Module:
    """`network` for inputs made from `x`: those equal to `x` in every voxel get its answer without asking again."""

    class Known(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.answer = network(x)

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            changed = (inputs != x).flatten(1).any(dim=1)
            answers = self.answer.repeat(len(inputs), 1)
            if changed.any():
                answers[changed] = network(inputs[changed])
            return answers

    return Known()

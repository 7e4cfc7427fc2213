"""What a network's own layers make of an input, a few numbers a channel."""

from collections.abc import Callable
from contextlib import ExitStack

import numpy as np
import torch
from torch import nn

#: Most layers that are looked at, evenly spread over the network, the last one always.
_MOST_LAYERS = 4


def chosen_layers(names: tuple[str, ...]) -> tuple[str, ...]:
    """Of the feature layers of a card those that are looked at."""
    if len(names) <= _MOST_LAYERS:
        return names
    places = np.linspace(0, len(names) - 1, _MOST_LAYERS + 1).round().astype(int)[1:]
    return tuple(names[place] for place in places)


@torch.inference_mode()
def pooled_features(network: nn.Module, layers: tuple[str, ...], tensor: torch.Tensor) -> np.ndarray:
    """Mean and standard deviation of every channel of `layers`, for each input of a batch.

    Parameters
    ----------
    network : torch.nn.Module
        In eval mode.
    layers : tuple of str
        Dotted names of layers that answer with one tensor (N, C, *spatial).
    tensor : torch.Tensor, float32, shape (N, C, *spatial)
        As the network is fed; it is left as it is.

    Returns
    -------
    numpy.ndarray, float64, shape (N, number of features)
    """
    found: dict[str, torch.Tensor] = {}
    modules = dict(network.named_modules())
    device = next((weight.device for weight in network.parameters()), torch.device("cpu"))
    with ExitStack() as hooks:
        for name in layers:
            handle = modules[name].register_forward_hook(_keeper(found, name))
            hooks.callback(handle.remove)
        network(tensor.to(device, copy=True))
    return np.concatenate([_pooled(found[name]) for name in layers], axis=1)


def _keeper(found: dict[str, torch.Tensor], name: str) -> Callable[[nn.Module, object, torch.Tensor], None]:
    """A hook that keeps what a layer answers, under its name."""

    def keep(_module: nn.Module, _inputs: object, answer: torch.Tensor) -> None:
        found[name] = answer.detach()

    return keep


def _pooled(answer: torch.Tensor) -> np.ndarray:
    flat = answer.float().flatten(2) if answer.ndim > 2 else answer.float()[:, :, None]
    spread = flat.std(dim=2, unbiased=False)
    return torch.cat([flat.mean(dim=2), spread], dim=1).cpu().numpy().astype(np.float64)

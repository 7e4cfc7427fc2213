"""Asking networks: the same answers as the network itself, quicker, and compared with it before they are used.

A library of its own, that knows nothing of explanations. What others may use is what this package names; it is
imported when it is first used, so that naming it does not bring torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.networks.choosing import Engine, responses_for
    from core.networks.fast import FastNetwork, Precision, chosen_precision, fast_network, unchanged_known
    from core.networks.feature_maps import last_feature_map
    from core.networks.folding import fold_batch_norm
    from core.networks.geometry import Sampling, at_full_resolution, layer_sampling
    from core.networks.history import operations_of
    from core.networks.layers import convolutions
    from core.networks.responses import Box, Responses, WholeResponses, at
    from core.networks.tracing import copy_of, graph_of, has_hooks, twin
    from core.networks.windows.engine import Unwindowable, WindowResponses

__all__ = [
    "Box",
    "Engine",
    "FastNetwork",
    "Precision",
    "Responses",
    "Sampling",
    "Unwindowable",
    "WholeResponses",
    "WindowResponses",
    "at",
    "at_full_resolution",
    "chosen_precision",
    "convolutions",
    "copy_of",
    "fast_network",
    "fold_batch_norm",
    "graph_of",
    "has_hooks",
    "last_feature_map",
    "layer_sampling",
    "operations_of",
    "responses_for",
    "twin",
    "unchanged_known",
]

_MODULES = {
    "choosing": ("Engine", "responses_for"),
    "fast": ("FastNetwork", "Precision", "chosen_precision", "fast_network", "unchanged_known"),
    "feature_maps": ("last_feature_map",),
    "folding": ("fold_batch_norm",),
    "geometry": ("Sampling", "at_full_resolution", "layer_sampling"),
    "history": ("operations_of",),
    "layers": ("convolutions",),
    "responses": ("Box", "Responses", "WholeResponses", "at"),
    "tracing": ("copy_of", "graph_of", "has_hooks", "twin"),
    "windows.engine": ("Unwindowable", "WindowResponses"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)

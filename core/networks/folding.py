"""Fold batch normalisation into the convolution before it: the same function of the input, fewer passes over memory."""

from collections import Counter

import torch
from torch import fx, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.nn.utils.parametrize import is_parametrized

from core.networks.tracing import copy_of, graph_of, has_hooks, twin

_CONVOLUTIONS = {nn.Conv1d, nn.Conv2d, nn.Conv3d}
_TRANSPOSED = {nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d}
_NORMS = {nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d}


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """Copy of `network` in eval mode with convolution → batch norm pairs made one convolution.

    A pair is folded where the network's graph proves that it is one: each of the two runs once, the norm alone reads
    what the convolution answers, and nothing else reads their weights. Everything else stays as it is: layers with
    hooks or weights that are worked out (weight and spectral norm), shared ones, and all of a network that torch.fx
    cannot follow. Names of the remaining layers stay; a folded norm becomes `torch.nn.Identity`.

    A graph may still tell another story than the network's code: `core.networks.fast_network` compares their answers.

    Parameters
    ----------
    network : torch.nn.Module
        Any network; it is not changed.

    Returns
    -------
    torch.nn.Module
        Same outputs up to rounding, weights without gradients.
    """
    folded = copy_of(network).eval().requires_grad_(False)
    for first, second in _pairs(folded):
        made = convolution_with_norm(folded.get_submodule(first), folded.get_submodule(second))
        if made is not None:
            _put(folded, first, made.requires_grad_(False))
            _put(folded, second, nn.Identity())
    return folded


def convolution_with_norm(convolution: nn.Module, norm: nn.Module) -> nn.Module | None:
    """One convolution that does what `convolution` and the batch norm after it do; None where that is not known.

    Parameters
    ----------
    convolution, norm : torch.nn.Module
        In eval mode; not changed.
    """
    if not isinstance(convolution, _ConvNd) or not isinstance(norm, _BatchNorm) or type(norm) not in _NORMS:
        return None
    transposed = type(convolution) in _TRANSPOSED and convolution.groups == 1
    if not (type(convolution) in _CONVOLUTIONS or transposed) or any(map(has_hooks, (convolution, norm))):
        return None
    if not isinstance(norm.running_mean, torch.Tensor) or not isinstance(norm.running_var, torch.Tensor):
        return None
    if any(map(is_parametrized, (convolution, norm))) or norm.num_features != convolution.out_channels:
        return None
    return fuse_conv_bn_eval(convolution, norm, transpose=transposed)


def _pairs(network: nn.Module) -> list[tuple[str, str]]:
    """Names of convolutions and norms of which the graph says that they are pairs."""
    try:
        graph = graph_of(twin(network))
    except Exception:  # any code of the network may have run: what cannot be followed is left alone
        return []
    calls = Counter(str(node.target) for node in graph.nodes if node.op == "call_module")
    read = {str(node.target).rpartition(".")[0] for node in graph.nodes if node.op == "get_attr"}
    found = []
    for node in graph.nodes:
        norm = next(iter(node.users)) if node.op == "call_module" and len(node.users) == 1 else None
        if norm is None or not _takes_only(norm, node):
            continue
        names = (str(node.target), str(norm.target))
        if all(calls[name] == 1 and name not in read for name in names):
            found.append(names)
    return found


def _takes_only(node: fx.Node, source: fx.Node) -> bool:
    return node.op == "call_module" and node.args == (source,) and not node.kwargs


def _put(network: nn.Module, name: str, module: nn.Module) -> None:
    """Replace a layer wherever it hangs in `network`."""
    parent, _, attribute = name.rpartition(".")
    network.get_submodule(parent)._modules[attribute] = module

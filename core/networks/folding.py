"""Fold batch normalisation into the convolution before it: the same function of the input, fewer passes over memory."""

import copy
from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """Copy of `network` in eval mode with every convolution → batch norm pair of a `Sequential` made one convolution.

    Names of the remaining layers stay as they are; a folded norm becomes `torch.nn.Identity`. Pairs outside a
    `Sequential` are left alone: their order in ``forward`` cannot be known from the outside.

    Parameters
    ----------
    network : torch.nn.Module
        Any network; it is not changed.

    Returns
    -------
    torch.nn.Module
        Same outputs up to rounding, weights without gradients.
    """
    folded = copy.deepcopy(network).eval().requires_grad_(False)
    sequences = [module for module in folded.modules() if isinstance(module, nn.Sequential)]
    for sequence in sequences:
        layers = sequence._modules
        for first, second in pairwise(list(layers)):
            convolution, norm = layers[first], layers[second]
            if isinstance(norm, _NORMS) and isinstance(convolution, _CONVOLUTIONS) and norm.track_running_stats:
                layers[first] = fuse_conv_bn_eval(convolution, norm).requires_grad_(False)
                layers[second] = nn.Identity()
    return folded

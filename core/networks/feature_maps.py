"""The layer whose map tells most of what a network saw and where: the last spatial one that its answer rests on."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from core.networks.history import Called, History, calls_of, once, shape_of_node
from core.networks.layers import convolutions

_SAME = (nn.Identity, _DropoutNd)
#: operations with weights: what comes after the last of them only reads off the answer
_WEIGHTED = ("ConvolutionBackward", "AddmmBackward", "MmBackward", "BmmBackward")
#: what turns a map into a gate for another one
_GATES = ("SigmoidBackward", "HardsigmoidBackward", "SoftmaxBackward")
_FOUND: WeakKeyDictionary[nn.Module, dict[tuple[int, ...], str | None]] = WeakKeyDictionary()


def last_feature_map(network: nn.Module, x: torch.Tensor) -> str | None:
    """Name of the layer that gives the last map over space which the answer rests on.

    In a plain chain that is the last convolution before space is summed up; where branches join afterwards (residual
    and dense blocks, Inception) it is the group of layers whose answer is the joined map. Never a gate of such a map
    (squeeze and excitation, spatial attention), a shortcut beside it, the convolution that only makes classes of it,
    or a head that the answer does not depend on.

    Parameters
    ----------
    network : torch.nn.Module
        In eval mode; it is asked once for each shape.
    x : torch.Tensor, shape (1, C, *spatial)
        Any input of the right shape.

    Returns
    -------
    str or None
        Name of a layer that runs once; None where there is no such layer. (A network without a derivative, or whose
        layers give no tensors, gives its last convolution.)
    """
    known, shape = _FOUND.setdefault(network, {}), tuple(x.shape[1:])
    if shape not in known:
        known[shape] = _found(network, x)
    return known[shape]


def _found(network: nn.Module, x: torch.Tensor) -> str | None:
    names = convolutions(network)
    calls, answer, watched = calls_of(network, x)
    if not isinstance(answer, torch.Tensor) or answer.grad_fn is None:
        return names[-1] if names else None
    chosen = _Maps(calls, answer, watched).chosen()
    return chosen.name if chosen is not None else None


class _Maps:
    """Which layers of a network that was asked once gave maps over space, and how they hang together."""

    def __init__(self, calls: list[Called], answer: torch.Tensor, x: torch.Tensor) -> None:
        self._history = History(answer.grad_fn, x)
        self._position, self._users = self._history.position, self._history.users()
        self._cuts = self._history.cuts()
        self._classes = int(answer.shape[1]) if answer.ndim > 1 else 1
        self._maps = [
            call
            for call in once(calls).values()
            if call.name and call.node in self._position and len(call.shape) == x.ndim and math.prod(call.shape[2:]) > 1
        ]
        convolutions_ = [call for call in self._maps if isinstance(call.layer, nn.Conv2d | nn.Conv3d)]
        features = [call for call in convolutions_ if not self._only_classes(call) and not self._gate(call)]
        self._convolutions = features or convolutions_

    def chosen(self) -> Called | None:
        """The layer."""
        through = self._last(call for call in self._convolutions if call.node in self._cuts)
        start = -1 if through is None else self._at(through)
        later = [call for call in self._convolutions if self._at(call) > start]
        if not later:
            return through
        end = max(map(self._at, later))
        joint = next((n for n in self._history.order if n in self._cuts and self._position[n] >= end), None)
        joined = self._after(joint) if joint is not None else None
        return joined or self._main_branch(through, later, joint)

    def _after(self, joint: Any) -> Called | None:
        """The last layer that gives the joined map, or what norms and activations make of it; the widest such group."""
        size, at = shape_of_node(joint)[2:], self._position[joint]
        given = [
            call
            for call in self._maps
            if call.node in self._cuts
            and self._at(call) >= at
            and call.shape[2:] == size
            and not isinstance(call.layer, _SAME)
            and not self._only_classes(call)
        ]
        last = self._last(given)
        # groups end after the layers inside them, with the same answer
        return last and [call for call in given if call.node is last.node][-1]

    def _main_branch(self, through: Called | None, later: list[Called], joint: Any) -> Called | None:
        """Where no layer gives the joined map: the branch with most layers, of those as wide as that map."""
        wide = [call for call in later if joint is not None and call.shape == shape_of_node(joint)]
        if not wide and through is not None and all(call.shape[2:] == through.shape[2:] for call in later):
            return through
        depths = self._depths()
        return max(wide or later, key=lambda call: depths[call.node])

    def _depths(self) -> dict[Any, int]:
        """Most convolutions on a way from the input to each operation."""
        found: dict[Any, int] = {}
        for node in self._history.order:
            before = [found[source] for source, _ in self._history.sources[node]]
            found[node] = max(before, default=0) + node.name().startswith("ConvolutionBackward")
        return found

    def _only_classes(self, call: Called) -> bool:
        """Whether a convolution makes the classes: as many channels as those, and nothing learnt after it."""
        if call.shape[1] != self._classes:
            return False
        reached, waiting = set(), list(self._users.get(call.node, ()))
        while waiting:
            node = waiting.pop()
            if node not in reached:
                reached.add(node)
                waiting.extend(self._users[node])
        return not any(node.name().startswith(_WEIGHTED) for node in reached)

    def _gate(self, call: Called) -> bool:
        """Whether a layer's answer is only used to weight another one."""
        users = self._users[call.node]
        return bool(users) and all(user.name().startswith(_GATES) for user in users)

    def _at(self, call: Called) -> int:
        return self._position[call.node]

    def _last(self, calls: Iterable[Called]) -> Called | None:
        return max(calls, key=self._at, default=None)

"""What a network did with one input, operation by operation, as autograd keeps it: no code need be followed for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from core.networks.tracing import twin


class History:
    """The operations that lead from an input to one tensor, in an order in which they can have run.

    Parameters
    ----------
    end : torch.Tensor
        What was made of `x`.
    x : torch.Tensor
        A leaf that keeps a gradient.

    Attributes
    ----------
    order : list of autograd nodes
        The input's own first; empty where nothing leads from `x` to `end`.
    sources : dict of node to list of (node, int)
        What each reads that depends on `x`: the node that made it, and which of that node's outputs it is.
    """

    def __init__(self, end: Any, x: torch.Tensor) -> None:
        self.order: list[Any] = []
        self.sources: dict[Any, list[tuple[Any, int]]] = {}
        if end is not None:
            self._walk(end, x)
        self.position = {node: number for number, node in enumerate(self.order)}

    def cuts(self) -> set[Any]:
        """Operations that everything passes which leads from the input to the end."""
        furthest = dict.fromkeys(self.order, 0)
        for node in self.order:
            for source, _ in self.sources[node]:
                furthest[source] = max(furthest[source], self.position[node])
        found, reached = set(), 0
        for node in self.order:
            if reached <= self.position[node] and len(node._input_metadata) == 1:
                found.add(node)
            reached = max(reached, furthest[node])
        return found

    def users(self) -> dict[Any, list[Any]]:
        """What reads the answer of each operation."""
        found: dict[Any, list[Any]] = {node: [] for node in self.order}
        for node in self.order:
            for source, _ in self.sources[node]:
                found[source].append(node)
        return found

    def _walk(self, end: Any, x: torch.Tensor) -> None:
        """Depth first, without recursion: networks are deeper than Python's stack."""
        leads: dict[Any, bool] = {}
        waiting = [(end, False)]
        while waiting:
            node, seen = waiting.pop()
            if node in leads:
                continue
            if not seen:
                waiting.append((node, True))
                waiting.extend((source, False) for source, _ in node.next_functions if source is not None)
                continue
            own = [(s, number) for s, number in node.next_functions if s is not None and leads.get(s, False)]
            leads[node] = bool(own) or getattr(node, "variable", None) is x
            if leads[node]:
                self.order.append(node)
                self.sources[node] = own


def shape_of_node(node: Any, output: int = 0) -> tuple[int, ...]:
    """Shape of what an operation answered."""
    return tuple(node._input_metadata[output].shape)


@dataclass(frozen=True, eq=False)
class Called:
    """One call of a layer.

    Parameters
    ----------
    name : str
        The layer's; empty for the network itself.
    layer : torch.nn.Module
    node : autograd node or None
        Of its answer; None where that does not depend on the input.
    shape : tuple of int
        Of its answer.
    """

    name: str
    layer: nn.Module
    node: Any
    shape: tuple[int, ...]


def calls_of(network: nn.Module, x: torch.Tensor) -> tuple[list[Called], torch.Tensor, torch.Tensor]:
    """Ask a network once, and see which layers answered.

    Parameters
    ----------
    network : torch.nn.Module
        In eval mode. It is asked through a copy that shares its weights.
    x : torch.Tensor, shape (1, C, *spatial)

    Returns
    -------
    calls : list of Called
        In the order in which they were done; answers that are not one tensor are left out.
    answer, watched : torch.Tensor
        The network's answer, and the copy of `x` that it depends on.
    """
    asked, found = twin(network), []

    def note(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(layer: nn.Module, inputs: Any, answer: Any) -> None:
            if isinstance(answer, torch.Tensor):
                # now: what works in place afterwards makes another answer of it
                found.append(Called(name, layer, answer.grad_fn, tuple(answer.shape)))

        return hook

    for name, layer in asked.named_modules():
        layer.register_forward_hook(note(name))
    with torch.inference_mode(False), torch.enable_grad():
        watched = x.detach().clone().requires_grad_(True)
        # a copy: code that works in place may not write on what is watched
        answer = asked(watched.clone())
    return found, answer, watched


def operations_of(network: nn.Module, x: torch.Tensor) -> tuple[Counter[str], list[nn.Module]]:
    """What ran between an input and a network's answer, also where its code cannot be traced.

    Parameters
    ----------
    network, x
        As in `calls_of`.

    Returns
    -------
    operations : Counter of str
        Names of torch's derivatives (``ReluBackward0`` …), and how often each is passed.
    layers : list of torch.nn.Module
        The layers whose answers are on the way, once for each call; layers of a copy of `network`.
    """
    calls, answer, watched = calls_of(network, x)
    history = History(answer.grad_fn, watched)
    return Counter(node.name() for node in history.order), [c.layer for c in calls if c.node in history.position]


def once(calls: list[Called]) -> Mapping[str, Called]:
    """Calls of the layers that were called a single time, by name."""
    names = [call.name for call in calls]
    return {call.name: call for call in calls if names.count(call.name) == 1}

"""What was followed compared with what the network does: a graph can lack what code does with real tensors only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import fx, nn
from torch.overrides import TorchFunctionMode

from core.explainers.deconvnet.chain import Chain, NotAChainError
from core.networks import twin

#: largest difference that rounding explains, relative to the largest value
_ROUNDING = 1e-4
#: so that what a network draws at random is the same both times
_SEED = 0


@torch.no_grad()
def compare(network: nn.Module, chain: Chain, x: torch.Tensor) -> None:
    """See that every layer on the way is given by the network what the followed graph gives it.

    Where the way ends in a function, which no hook can be set on, the network must give its value somewhere.

    Parameters
    ----------
    network : torch.nn.Module
        In eval mode; asked once, through a copy that shares its weights.
    chain : Chain
        What was followed of it.
    x : torch.Tensor, shape (1, C, *spatial)
        An input; not written into.

    Raises
    ------
    NotAChainError
        When they differ.
    """
    on_the_way = {str(node.target) for node in chain.nodes if node.op == "call_module"}
    last = chain.nodes[-1]
    followed = _Followed(fx.GraphModule(twin(network), chain.graph), on_the_way, last.name)
    try:
        with _seeded(x):
            followed.run(x.clone())
    except (RuntimeError, TypeError, ValueError, LookupError, AttributeError, AssertionError) as error:
        if "memory" in str(error):
            raise
        raise NotAChainError("does not run the way its code says when torch.fx reads it") from error
    real = twin(network)
    given = iter(followed.given)

    def check(name: str, inputs: tuple[Any, ...]) -> None:
        expected = next(given, None)
        if expected is None or expected[0] != name or not _alike(inputs[0], expected[1]):
            raise NotAChainError(f"gives {name} other values than its code says when torch.fx reads it")

    modules = dict(real.named_modules())
    for name in on_the_way:
        modules[name].register_forward_pre_hook(lambda _, inputs, name=name: check(name, inputs))
    looking = _Looking(followed.value)
    with _seeded(x), looking:
        real(x.clone())
    if next(given, None) is not None:
        raise NotAChainError("leaves out layers that its code names when torch.fx reads it")
    if last.op != "call_module" and not looking.found:
        raise NotAChainError(f"never has the values that {last.name} has when torch.fx reads its code")


class _Followed(fx.Interpreter):
    """Runs a graph and keeps what some of its layers are given, call by call, and the value of one operation."""

    def __init__(self, module: fx.GraphModule, layers: set[str], kept: str) -> None:
        super().__init__(module)
        self._layers, self._kept = layers, kept
        self.given: list[tuple[str, torch.Tensor]] = []
        self.value: Any = None

    def run_node(self, n: fx.Node) -> Any:
        """See `torch.fx.Interpreter.run_node`."""
        value = super().run_node(n)
        if n.name == self._kept:
            self.value = value.clone()
        return value

    def call_module(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """See `torch.fx.Interpreter.call_module`."""
        if target in self._layers:
            # a copy: a layer in place would change what is kept
            self.given.append((target, args[0].clone()))
        return super().call_module(target, args, kwargs)


class _Looking(TorchFunctionMode):
    """Looks for a value among those that torch's functions give."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self._value, self.found = value, False

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """See `torch.overrides.TorchFunctionMode`."""
        given = func(*args, **(kwargs or {}))
        if not self.found and isinstance(given, torch.Tensor):
            self.found = _alike(given, self._value)
        return given


@contextmanager
def _seeded(x: torch.Tensor) -> Iterator[None]:
    with torch.random.fork_rng(devices=[x.device] if x.device.type == "cuda" else []):
        torch.manual_seed(_SEED)
        yield


def _alike(one: torch.Tensor, other: Any) -> bool:
    if not isinstance(other, torch.Tensor) or one.shape != other.shape:
        return False
    largest = float(other.abs().max()) if other.numel() else 0.0
    return torch.allclose(one, other, rtol=0, atol=_ROUNDING * largest, equal_nan=True)

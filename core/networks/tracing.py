"""The operations of a network as a graph, by torch.fx, made safe beside other threads."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any

import torch
from torch import fx, nn

#: While torch.fx traces it replaces methods of every module in the process: two tracings at once restore each other's.
_ONE_AT_A_TIME = threading.Lock()


class _StandIn(fx.Proxy):
    """Stands for a tensor while a network is traced, and passes for one where its code asks ``isinstance``."""

    #: asked by ``isinstance`` of a parameter or buffer, as when a module keeps what it saw
    _is_param = False
    _is_buffer = False

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return torch.Tensor


class _OwnThreadTracer(fx.Tracer):
    """Traces what its own thread calls; networks that other threads ask meanwhile work as ever."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """See `torch.fx.Tracer.call_module`."""
        if threading.get_ident() != self._thread:
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        """See `torch.fx.Tracer.getattr`."""
        if threading.get_ident() != self._thread:
            return attr_val
        return super().getattr(attr, attr_val, parameter_proxy_cache)


class _PassingTracer(_OwnThreadTracer):
    """Traces with stand-ins that pass for tensors: guards of the code go the way that they go with real ones."""

    def proxy(self, node: fx.Node) -> fx.Proxy:
        """See `torch.fx.Tracer.proxy`."""
        return _StandIn(node, self)

    def create_arg(self, a: Any) -> Any:
        """See `torch.fx.Tracer.create_arg`."""
        return a.node if type(a) is _StandIn else super().create_arg(a)


def graph_of(network: nn.Module) -> fx.Graph:
    """Trace `network`; whatever its code raises comes through.

    What stands for a tensor passes for one with ``isinstance``, unless the code cannot be traced like that. Code can
    still tell: whoever relies on a graph compares what it says with what the network does.

    Parameters
    ----------
    network : torch.nn.Module
        Code that keeps something on the module keeps a stand-in for a tensor there: give `twin` of a network that is
        used afterwards.
    """
    with _ONE_AT_A_TIME:
        try:
            return _PassingTracer().trace(network)
        except Exception:  # any code of the network may have run, and have asked a stand-in what only a tensor knows
            return _OwnThreadTracer().trace(network)


def twin(network: nn.Module) -> nn.Module:
    """A copy that shares the weights: what its code writes on the copy leaves the network as it was."""
    return copy.deepcopy(network, {**_kept(network), **{id(weight): weight for weight in network.parameters()}})


def copy_of(network: nn.Module) -> nn.Module:
    """A copy with weights of its own, also of a network that keeps what it saw when it was differentiated."""
    return copy.deepcopy(network, _kept(network))


def _kept(network: nn.Module) -> dict[int, torch.Tensor]:
    """What the modules keep beside weights that cannot be copied, answers with a history, without that history."""
    values = [value for module in network.modules() for value in vars(module).values()]
    held = [v for value in values for v in (value.values() if isinstance(value, dict) else _listed(value))]
    return {id(v): v.detach() for v in held if isinstance(v, torch.Tensor) and not v.is_leaf}


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def has_hooks(module: nn.Module) -> bool:
    """Whether code is hooked on `module` that may change its answer, its weights while it answers, or gradients.

    A hook that says of itself that it does not, by an attribute ``keeps_answer``, is none.
    """
    kinds = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)
    return any(not getattr(hook, "keeps_answer", False) for hooks in kinds for hook in hooks.values())

"""The operations of a network as a graph, by torch.fx, made safe beside other threads."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import fx, nn

#: While torch.fx traces it replaces methods of every module in the process: two tracings at once restore each other's.
_ONE_AT_A_TIME = threading.Lock()


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


def graph_of(network: nn.Module) -> fx.Graph:
    """Trace `network`; whatever its code raises comes through.

    What stands for a tensor passes for one where the code of its layers asks ``isinstance``, unless it cannot be traced
    like that. Code can still tell: whoever relies on a graph compares what it says with what the network does.

    Parameters
    ----------
    network : torch.nn.Module
        Code that keeps something on the module keeps a stand-in for a tensor there: give `twin` of a network that is
        used afterwards.
    """
    with _ONE_AT_A_TIME:
        try:
            with _stand_ins_pass(network):
                return _OwnThreadTracer().trace(network)
        except Exception:  # any code of the network may have run, and have asked a stand-in what only a tensor knows
            return _OwnThreadTracer().trace(network)


@contextmanager
def _stand_ins_pass(network: nn.Module) -> Iterator[None]:
    """Put another ``isinstance`` into the modules where the forward methods of `network` are written.

    A stand-in with ``__class__`` of a tensor would do without, and takes torch's own compiled code in: it crashes.
    """
    found = (getattr(type(module).forward, "__globals__", None) for module in network.modules())
    spaces = {id(space): space for space in found if space and not str(space.get("__name__")).startswith("torch.")}
    changed = [space for space in spaces.values() if "isinstance" not in space]
    for space in changed:
        space["isinstance"] = _isinstance
    try:
        yield
    finally:
        for space in changed:
            del space["isinstance"]


def _isinstance(value: Any, kinds: Any) -> bool:
    return isinstance(value, kinds) or (isinstance(value, fx.Proxy) and issubclass(torch.Tensor, kinds))


def twin(network: nn.Module) -> nn.Module:
    """A copy that shares the weights: what its code writes on the copy leaves the network as it was."""
    try:
        return copy.deepcopy(network, {**_kept(network), **{id(weight): weight for weight in network.parameters()}})
    except Exception:  # what cannot be copied (a lock, a file) may be kept by any code
        return _built_again(network, lambda weight: weight)


def copy_of(network: nn.Module) -> nn.Module:
    """A copy with weights of its own, whatever else the network keeps."""
    try:
        return copy.deepcopy(network, _kept(network))
    except Exception:  # see `twin`
        return _built_again(network, lambda weight: nn.Parameter(weight.detach().clone(), weight.requires_grad))


def _built_again(network: nn.Module, weight_of: Callable[[nn.Parameter], nn.Parameter]) -> nn.Module:
    """The same modules anew, with what they keep beside weights, buffers and modules shared."""
    weights = {id(weight): weight_of(weight) for weight in network.parameters()}
    modules: dict[int, nn.Module] = {}
    for module in network.modules():
        made = module.__class__.__new__(module.__class__)
        kept = {
            name: copy.copy(value) if isinstance(value, dict | list) else value for name, value in vars(module).items()
        }
        kept["_parameters"] = {name: w if w is None else weights[id(w)] for name, w in module._parameters.items()}
        kept["_buffers"] = {name: b if b is None else b.clone() for name, b in module._buffers.items()}
        made.__dict__.update(kept)
        modules[id(module)] = made
    for module in network.modules():
        inside = {name: m if m is None else modules[id(m)] for name, m in module._modules.items()}
        modules[id(module)].__dict__["_modules"] = inside
    return modules[id(network)]


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

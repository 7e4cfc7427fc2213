"""From a network to the plain chain of steps that leads from its input to one layer, by its module graph."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from core.explainers.deconvnet.steps import Convolution, Linear, MaxPool, Rectifier, Same, Scaling, Step
from core.networks import graph_of, has_hooks, twin

_MAX_POOLS = (nn.MaxPool2d, nn.MaxPool3d)
_ADAPTIVE_MAX_POOLS = (nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d)
_LINEAR = (nn.AvgPool2d, nn.AvgPool3d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d, nn.ZeroPad2d, nn.ZeroPad3d)
_RECTIFIERS = (nn.ReLU, nn.LeakyReLU)
_SAME = (nn.Identity, _DropoutNd)
_RECTIFIER_NAMES = {"relu", "leaky_relu"}
_SAME_NAMES = {"clone", "contiguous", "detach", "float"}
_DROPOUT_NAMES = {"dropout", "dropout2d", "dropout3d", "feature_dropout"}
_LINEAR_NAMES = {"avg_pool2d", "avg_pool3d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "neg"}
_MAX_POOL_NAMES: dict[str, Callable[..., Any]] = {
    "max_pool2d": functional.max_pool2d,
    "max_pool3d": functional.max_pool3d,
}
_POOL_ARGUMENTS = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
_IN_PLACE_OPERATORS = {"iadd", "isub", "imul", "itruediv"}
_ARITHMETIC = {"add", "sub", "mul", "truediv", "div", "multiply", "subtract", "divide", "true_divide"}


class NotAChainError(Exception):
    """What stands in the way, as the end of a sentence that begins with "this network"."""


class NoSuchLayerError(Exception):
    """The layer named is no part of the network that the input reaches."""


@dataclass(frozen=True, eq=False)
class Chain:
    """The way from a network's input to one layer and the norm and rectifier that directly follow it.

    Parameters
    ----------
    nodes : tuple of torch.fx.Node
        Operations in the order they run; each takes the one before it and nothing else that depends on the input.
    modules : mapping of str to torch.nn.Module
        The network's layers by name; others of the same names may stand in for them.
    constants : mapping of torch.fx.Node to Any
        Values that do not depend on the input.
    graph : torch.fx.Graph
        All of the network's operations.
    unhookable : bool
        Whether a rectifier on the way works in place, serves in several places, is leaky or called as a function.
    """

    nodes: tuple[fx.Node, ...]
    modules: Mapping[str, nn.Module]
    constants: Mapping[fx.Node, Any]
    graph: fx.Graph
    unhookable: bool

    def layers(self) -> dict[str, nn.Module]:
        """The layers on the way that hold weights, by name."""
        return {
            str(node.target): self.modules[str(node.target)]
            for node in self.nodes
            if node.op == "call_module" and next(self.modules[str(node.target)].parameters(), None) is not None
        }

    def with_layers(self, layers: Mapping[str, nn.Module]) -> Chain:
        """The same way through other layers of the same names."""
        return replace(self, modules={**self.modules, **layers})

    @property
    def filters(self) -> int:
        """How many filters the layer has: those of the last convolution on the way (all after it keep channels)."""
        called = [self.modules[str(node.target)] for node in self.nodes if node.op == "call_module"]
        last = [module for module in called if isinstance(module, nn.Conv2d | nn.Conv3d)][-1]
        return last.out_channels

    def steps(self) -> list[Step]:
        """New steps, one a node, with norms worked into the convolutions before them.

        Raises
        ------
        NotAChainError
            When a layer is one that cannot be turned round.
        """
        steps: list[Step] = []
        for node in self.nodes:
            step = self._step(node)
            if steps and isinstance(steps[-1], Convolution) and isinstance(step, Scaling):
                step = step.worked_into(steps[-1])
            steps.append(step)
        return steps

    def _step(self, node: fx.Node) -> Step:
        if node.op == "call_module":
            return _step_of_layer(self.modules[str(node.target)], str(node.target))
        return _step_of_call(node, self.constants)


def chain_to(network: nn.Module, layer: str) -> Chain:
    """The chain from the input of `network` to `layer`; a norm and a rectifier that directly follow belong to it.

    Parameters
    ----------
    network : torch.nn.Module
        In eval mode.
    layer : str
        A layer by its dotted name, or a group of them: then the last inside it.

    Raises
    ------
    NoSuchLayerError
        When the input reaches no layer of that name.
    NotAChainError
        When the way there is not a plain chain, or the network cannot be traced.
    """
    try:
        root = twin(network)
        graph = graph_of(root)
    except Exception as error:  # any code of the network may have run
        raise NotAChainError("has code that cannot be followed by torch.fx") from error
    modules = dict(root.named_modules())
    fed = _fed_by_the_input(graph)
    named = [node for node in fed if node.op == "call_module" and f"{node.target}.".startswith(f"{layer}.")]
    if not named and isinstance(modules.get(layer), nn.Conv2d | nn.Conv3d):
        # torch.fx goes through layers with code of their own as if they were not there
        kind = type(modules[layer]).__name__
        raise NotAChainError(
            f"has {kind} at {layer}, which its input does not reach or which is no layer of torch's own"
        )
    if not named:
        raise NoSuchLayerError(layer)
    end = _with_norm_and_rectifier(named[-1], modules, fed)
    nodes = _way_to(end, modules, fed)
    constants = _constants(graph, root, fed)
    chain = Chain(nodes, modules, constants, graph, _is_unhookable(nodes, modules, graph))
    if not any(isinstance(step, Convolution) for step in chain.steps()):
        raise NotAChainError(f"has no convolution on the way to {layer}")
    return chain


def _fed_by_the_input(graph: fx.Graph) -> dict[fx.Node, None]:
    """Nodes that depend on the network's input, in order, the input itself first."""
    fed: dict[fx.Node, None] = {}
    for node in graph.nodes:
        first_input = node.op == "placeholder" and not fed
        if first_input or any(source in fed for source in node.all_input_nodes):
            fed[node] = None
    return fed


def _constants(graph: fx.Graph, root: nn.Module, fed: Mapping[fx.Node, None]) -> dict[fx.Node, Any]:
    """What does not depend on the input, worked out."""
    known: dict[fx.Node, Any] = {}
    for node in graph.nodes:
        if node in fed or node.op == "output":
            continue
        if node.op == "placeholder":
            if not node.args:
                raise NotAChainError("takes more than one input")
            known[node] = node.args[0]
        elif node.op == "get_attr":
            known[node] = operator.attrgetter(str(node.target))(root)
        else:
            args, kwargs = fx.node.map_arg((node.args, node.kwargs), known.__getitem__)
            known[node] = _callable(node, root)(*args, **kwargs)
    return known


def _callable(node: fx.Node, root: nn.Module) -> Callable[..., Any]:
    if node.op == "call_module":
        return root.get_submodule(str(node.target))
    if node.op == "call_method":
        function: Callable[..., Any] = getattr(torch.Tensor, str(node.target))
        return function
    assert callable(node.target)
    return node.target


def _with_norm_and_rectifier(node: fx.Node, modules: Mapping[str, nn.Module], fed: Mapping[fx.Node, None]) -> fx.Node:
    """The last of what directly follows `node`: norms and dropout, up to the first rectifier."""
    while not _is_rectifier(node, modules):
        followers = [user for user in node.users if user in fed]
        if len(followers) != 1:
            break
        follower = followers[0]
        module = modules.get(str(follower.target)) if follower.op == "call_module" else None
        if not _is_rectifier(follower, modules) and not isinstance(module, (_BatchNorm, *_SAME)):
            break
        node = follower
    return node


def _is_rectifier(node: fx.Node, modules: Mapping[str, nn.Module]) -> bool:
    if node.op == "call_module":
        return isinstance(modules[str(node.target)], _RECTIFIERS)
    return node.op != "placeholder" and _name(node) in _RECTIFIER_NAMES


def _name(node: fx.Node) -> str:
    """Name of a function or method, the same in place or not."""
    name = str(node.target) if node.op == "call_method" else getattr(node.target, "__name__", str(node.target))
    return name.rstrip("_").lstrip("_")


def _label(node: fx.Node, modules: Mapping[str, nn.Module]) -> str:
    if node.op == "call_module":
        return f"{type(modules[str(node.target)]).__name__} at {node.target}"
    return f"the operation {_name(node)}"


def _is_in_place(node: fx.Node, modules: Mapping[str, nn.Module]) -> bool:
    if node.op == "call_module":
        return bool(getattr(modules[str(node.target)], "inplace", False))
    raw = str(node.target) if node.op == "call_method" else getattr(node.target, "__name__", "")
    in_place_operator = getattr(node.target, "__module__", "") == "_operator" and raw in _IN_PLACE_OPERATORS
    return raw.endswith("_") or in_place_operator or bool(node.kwargs.get("inplace", False))


def _way_to(end: fx.Node, modules: Mapping[str, nn.Module], fed: Mapping[fx.Node, None]) -> tuple[fx.Node, ...]:
    """Nodes from the first operation to `end`."""
    way = [end]
    while way[-1].op != "placeholder":
        node = way[-1]
        sources = [source for source in node.all_input_nodes if source in fed]
        if len(sources) > 1:
            raise NotAChainError(f"joins branches ({_label(node, modules)}, named {node.name} in its graph)")
        way.append(sources[0])
    way.reverse()
    for node in way[:-1]:
        changing = [user for user in node.users if _is_in_place(user, modules)]
        if changing and len(node.users) > 1:
            raise NotAChainError(f"writes in place into what it reads elsewhere ({_label(changing[0], modules)})")
    return tuple(way[1:])


def _is_unhookable(nodes: tuple[fx.Node, ...], modules: Mapping[str, nn.Module], graph: fx.Graph) -> bool:
    """Whether a rectifier on the way is one whose gradient Captum's hooks would not override, or not exactly."""
    used = [str(node.target) for node in graph.nodes if node.op == "call_module"]
    rectifiers = [node for node in nodes if _is_rectifier(node, modules)]
    return any(
        node.op != "call_module"
        or _is_in_place(node, modules)
        or used.count(str(node.target)) > 1
        or isinstance(modules[str(node.target)], nn.LeakyReLU)
        for node in rectifiers
    )


def _step_of_layer(module: nn.Module, name: str) -> Step:
    if has_hooks(module):
        # they may change what the layer answers, or its weights while it does (torch.nn.utils.spectral_norm)
        raise NotAChainError(f"has hooks on a layer ({type(module).__name__} at {name})")
    if isinstance(module, nn.Conv2d | nn.Conv3d):
        if module.padding_mode != "zeros":
            raise NotAChainError(f"pads by {module.padding_mode} ({type(module).__name__} at {name})")
        return Convolution(module)
    if isinstance(module, _BatchNorm) and module.running_mean is not None and module.running_var is not None:
        gamma = torch.ones_like(module.running_var) if module.weight is None else module.weight.detach()
        factor = gamma / torch.sqrt(module.running_var + module.eps)
        return Scaling(module, factor.view(1, -1, *(1,) * (3 if isinstance(module, nn.BatchNorm3d) else 2)))
    if isinstance(module, _MAX_POOLS):
        overlapping = _overlapping(module.kernel_size, module.stride, module.dilation)
        pool = _MAX_POOL_NAMES["max_pool2d" if isinstance(module, nn.MaxPool2d) else "max_pool3d"]
        arguments = {key: getattr(module, key) for key in _POOL_ARGUMENTS[:-1]}
        return MaxPool(partial(pool, **arguments, return_indices=True), overlapping)
    if isinstance(module, _ADAPTIVE_MAX_POOLS):
        adaptive: Callable[..., Any] = (
            functional.adaptive_max_pool2d
            if isinstance(module, nn.AdaptiveMaxPool2d)
            else functional.adaptive_max_pool3d
        )
        return MaxPool(partial(adaptive, output_size=module.output_size, return_indices=True), overlapping=True)
    if isinstance(module, _RECTIFIERS):
        return Rectifier(module)
    if isinstance(module, _LINEAR):
        return Linear(module)
    if isinstance(module, _SAME):
        return Same()
    raise NotAChainError(f"has {type(module).__name__} at {name}, which has no counterpart going down")


def _step_of_call(node: fx.Node, constants: Mapping[fx.Node, Any]) -> Step:
    name = _name(node)
    if name in _RECTIFIER_NAMES:
        return Rectifier(_function_of(node, constants))
    if name in _LINEAR_NAMES:
        return Linear(_function_of(node, constants))
    if name in _SAME_NAMES or (name in _DROPOUT_NAMES and not _is_training(node)):
        return Same()
    if name in _MAX_POOL_NAMES:
        given = dict(zip(_POOL_ARGUMENTS, node.args[1:], strict=False)) | dict(node.kwargs)
        if not given.pop("return_indices", False):
            overlapping = _overlapping(given["kernel_size"], given.get("stride"), given.get("dilation", 1))
            return MaxPool(partial(_MAX_POOL_NAMES[name], **given, return_indices=True), overlapping)
    if name.removeprefix("i") in _ARITHMETIC and (step := _arithmetic(node, constants)) is not None:
        return step
    raise NotAChainError(f"calls {name}, named {node.name} in its graph, which has no counterpart going down")


def _function_of(node: fx.Node, constants: Mapping[fx.Node, Any]) -> Callable[[torch.Tensor], torch.Tensor]:
    """A call as a function of the one tensor that depends on the input."""
    called: Any = getattr(torch.Tensor, str(node.target)) if node.op == "call_method" else node.target

    def function(x: torch.Tensor) -> torch.Tensor:
        args, kwargs = fx.node.map_arg((node.args, node.kwargs), lambda source: constants.get(source, x))
        answer: torch.Tensor = called(*args, **kwargs)
        return answer

    return function


def _is_training(node: fx.Node) -> bool:
    given = node.kwargs.get("training", node.kwargs.get("train", node.args[2] if len(node.args) > 2 else True))
    return bool(given)


def _arithmetic(node: fx.Node, constants: Mapping[fx.Node, Any]) -> Scaling | None:
    """A sum or product with a constant; None where both sides depend on the input, or it divides by it."""
    if len(node.args) != 2 or node.kwargs:
        return None
    known = [not isinstance(operand, fx.Node) or operand in constants for operand in node.args]
    if sum(known) != 1:
        return None
    operand = node.args[known.index(True)]
    constant = torch.as_tensor(constants[operand] if isinstance(operand, fx.Node) else operand)
    first = not known[0]
    kind = _name(node).removeprefix("i")
    function = _function_of(node, constants)
    if kind == "add":
        return Scaling(function, None)
    if kind in {"sub", "subtract"}:
        return Scaling(function, None if first else torch.tensor(-1.0))
    if kind in {"mul", "multiply"}:
        return Scaling(function, constant)
    return Scaling(function, 1 / constant) if first else None


def _overlapping(kernel: Any, stride: Any, dilation: Any) -> bool:
    """Whether two windows of a pooling can share a sample."""
    given = (kernel, stride or kernel, dilation)
    sizes = [value if isinstance(value, tuple | list) else (value,) * 3 for value in given]
    return any(s < d * (k - 1) + 1 for k, s, d in zip(*sizes, strict=False))

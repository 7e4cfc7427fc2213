"""A network as a list of steps: traced with torch.fx, with each operation's geometry and its output for one input."""

import copy
import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import fx, nn
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from core.networks.folding import convolution_with_norm
from core.networks.tracing import graph_of, has_hooks, twin
from core.networks.windows.boxes import Unwindowable
from core.networks.windows.calls import Bound, Call
from core.networks.windows.gathering import Gather
from core.networks.windows.local import Convolution, UpConvolution
from core.networks.windows.operations import (
    CONVOLUTION_MODULES,
    SAME_MODULES,
    is_same,
    is_view,
    step_of_call,
    step_of_module,
)
from core.networks.windows.steps import Everything, Input, Pointwise, Step

#: asked of a tensor, these answer with its shape or type and not with a tensor
_SHAPE_QUESTIONS = {"size", "dim", "numel", "ndimension", "getattr", "nelement", "type", "is_floating_point"}


class Plan:
    """Steps of a network in the order they run, and what they gave for one input.

    Attributes
    ----------
    steps : list of Step
        The first is the network's input.
    activations : list of torch.Tensor
        Output of each step for the unchanged input.
    output : int
        The step whose output is the network's answer.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.activations: list[torch.Tensor] = []
        self.output = 0

    def add(self, step: Step, inputs: tuple[int, ...], label: str) -> int:
        """Append a step and run it; its number."""
        found = [self.activations[number] for number in inputs]
        output = step.apply(*found)
        if not isinstance(output, torch.Tensor) or output.ndim < 2 or output.shape[0] != 1:
            raise Unwindowable(f"the operation {label} does not keep the batch as its first axis")
        if isinstance(step, Everything):
            _check_rows_apart(step, found, output, label)
        step.inputs = inputs
        step.bind([tensor.shape for tensor in found], output.shape)
        self.steps.append(step)
        self.activations.append(output)
        return len(self.steps) - 1

    def prune(self) -> None:
        """Drop steps that the answer does not read, and let activations be written over that only one step reads."""
        alive = {0, self.output}
        for number in reversed(range(len(self.steps))):
            if number in alive:
                alive.update(self.steps[number].inputs)
        renumbered = {old: new for new, old in enumerate(sorted(alive))}
        self.steps = [self.steps[number] for number in sorted(alive)]
        self.activations = [self.activations[number] for number in sorted(alive)]
        self.output = renumbered[self.output]
        readers = [0] * len(self.steps)
        for step in self.steps:
            step.inputs = tuple(renumbered[number] for number in step.inputs)
            for number in step.inputs:
                readers[number] += 1
        for step in self.steps:
            if isinstance(step, Pointwise):
                source = step.inputs[0]
                step.overwrites = self.steps[source].fresh and readers[source] == 1 and source != self.output


def _check_rows_apart(step: Step, inputs: list[torch.Tensor], output: torch.Tensor, label: str) -> None:
    """Refuse an operation whose answer for one image depends on the others of the batch."""
    pairs = [torch.cat([tensor, 2 * tensor + 1]) for tensor in inputs]
    both = step.apply(*pairs)
    if both.shape != (2, *output.shape[1:]) or not torch.allclose(both[:1], output, rtol=1e-3, atol=1e-4):
        raise Unwindowable(f"the operation {label} mixes the images of a batch")


class _Builder:
    """Walks a traced graph once, in the order of execution."""

    def __init__(self, network: nn.Module, graph: fx.Graph, x: torch.Tensor) -> None:
        self.modules = dict(network.named_modules())
        self.network, self.graph, self.x = network, graph, x
        self.plan = Plan()
        # a node names a piece of memory; an operation in place gives that memory a new content
        self.memory: dict[fx.Node, int] = {}
        self.content: dict[int, int] = {}
        self.viewed: set[int] = set()
        self.known: dict[fx.Node, Any] = {}
        self.sizes: dict[fx.Node, tuple[Any, Any]] = {}
        self.folded: set[fx.Node] = set()

    def build(self) -> Plan:
        """The plan; raises Unwindowable."""
        for node in self.graph.nodes:
            if node.op == "placeholder":
                self._placeholder(node)
            elif node.op == "get_attr":
                self.known[node] = operator.attrgetter(node.target)(self.network)
            elif node.op == "output":
                answer = node.args[0]
                if not isinstance(answer, fx.Node) or answer not in self.memory:
                    raise Unwindowable("the network's answer is not one tensor that depends on its input")
                self.plan.output = self._number(answer)
            else:
                self._operation(node)
        self.plan.prune()
        return self.plan

    def _placeholder(self, node: fx.Node) -> None:
        """The one input: `plan_of` traces the network inside a chain, which passes on one."""
        self.plan.steps.append(Input())
        self.plan.activations.append(self.x)
        self._remember(node, 0)

    def _number(self, node: fx.Node) -> int:
        return self.content[self.memory[node]]

    def _remember(self, node: fx.Node, number: int) -> None:
        self.memory[node] = len(self.memory)
        self.content[self.memory[node]] = number

    def _operation(self, node: fx.Node) -> None:
        sources = [source for source in node.all_input_nodes if source in self.memory]
        sized = any(source in self.sizes for source in node.all_input_nodes)
        if not sources:
            self._without_input(node, sized)
        elif node.op != "call_module" and _name(node)[0] in _SHAPE_QUESTIONS:
            self._shape_question(node)
        else:
            self._step(node, sources)

    def _step(self, node: fx.Node, sources: list[fx.Node]) -> None:
        label = self._label(node)
        if node.op != "call_module" and _name(node)[0] == "clone":
            # memory of its own with the same content: what is written into either leaves the other alone
            self._remember(node, self._number(sources[0]))
            return
        if node in self.folded or self._is_same(node):
            self.memory[node] = self.memory[sources[0]]
            return
        numbers = tuple(self._number(source) for source in sources)
        steps, in_place = self._translated(node, sources, label)
        steps, numbers = self._merged(steps, numbers, sources)
        for step in steps:
            numbers = (self.plan.add(step, numbers, label),)
        if in_place:
            self._write_in_place(node, sources[0], numbers[0], label)
            return
        self._remember(node, numbers[0])
        if is_view(steps[-1]):
            self.viewed.update((self.memory[sources[0]], self.memory[node]))

    def _merged(
        self, steps: list[Step], numbers: tuple[int, ...], sources: list[fx.Node]
    ) -> tuple[list[Step], tuple[int, ...]]:
        """A convolution together with the nearest up-sampling that it alone reads, where that pays."""
        before, convolution = self.plan.steps[numbers[0]], steps[0]
        if not isinstance(before, Gather) or not isinstance(convolution, Convolution) or len(sources[0].users) != 1:
            return steps, numbers
        factor = before.factor
        if factor is None or set(convolution.stride) != {1} or convolution.groups > 1:
            return steps, numbers
        merged = UpConvolution(convolution, factor)
        return ([merged, *steps[1:]], before.inputs) if merged.pays() else (steps, numbers)

    def _write_in_place(self, node: fx.Node, target: fx.Node, number: int, label: str) -> None:
        """Later readers of the tensor that was written into see the result."""
        memory = self.memory[target]
        if memory in self.viewed:
            raise Unwindowable(f"the operation {label} writes into a part of another tensor")
        if self.plan.activations[number].shape != self.plan.activations[self.content[memory]].shape:
            raise Unwindowable(f"the operation {label} changes a tensor's shape in place")
        self.content[memory] = number
        self.memory[node] = memory

    def _translated(self, node: fx.Node, sources: list[fx.Node], label: str) -> tuple[list[Step], bool]:
        inputs = [self.plan.activations[self._number(source)] for source in sources]
        if node.op == "call_module":
            module = self._fold(node, self.modules[str(node.target)])
            if has_hooks(module) and not _weighted_anew(module):
                raise Unwindowable(f"the layer {label} has hooks")
            if len(node.args) != 1 or node.kwargs:
                raise Unwindowable(f"the layer {label} takes more than one input")
            in_place = bool(getattr(module, "inplace", False))
            steps = step_of_module(_out_of_place(module), inputs[0])
        else:
            name, in_place = _name(node)
            args, kwargs = self._bound(node.args, sources), self._bound(node.kwargs, sources)
            asked_in_place = kwargs.pop("inplace", None)
            call = Call(name, self._function(node, name), args, kwargs, label)
            steps = step_of_call(call, inputs)
            in_place = in_place or bool(asked_in_place) or call.in_place
        if steps is None:
            raise Unwindowable(f"the operation {label} is not one that can be followed in windows")
        return steps, in_place

    def _fold(self, node: fx.Node, module: nn.Module) -> nn.Module:
        """A convolution with the batch norm that alone reads it folded in."""
        if not isinstance(module, CONVOLUTION_MODULES) or len(node.users) != 1:
            return module
        user = next(iter(node.users))
        norm = self.modules.get(str(user.target)) if user.op == "call_module" else None
        folded = None if norm is None else convolution_with_norm(module, norm)
        if folded is None:
            return module
        self.folded.add(user)
        return folded

    def _is_same(self, node: fx.Node) -> bool:
        """Whether an operation gives back its input: identity, dropout in eval."""
        if node.op == "call_module":
            return isinstance(self.modules[str(node.target)], SAME_MODULES)
        return is_same(_name(node)[0], node.kwargs)

    def _without_input(self, node: fx.Node, sized: bool) -> None:
        """A constant, or a number worked out from shapes: worked out for batches of one and of two images."""
        if not sized:
            self.known[node] = self._evaluate(node, 0)
            return
        values = tuple(self._evaluate(node, which) for which in (0, 1))
        if any(isinstance(value, torch.Tensor) for value in values):
            raise Unwindowable(f"the operation {self._label(node)} makes a tensor from a shape")
        self.sizes[node] = (values[0], values[1])

    def _shape_question(self, node: fx.Node) -> None:
        values = []
        for rows in (1, 2):
            swapped = fx.node.map_arg((node.args, node.kwargs), partial(self._stand_in, rows))
            values.append(self._function(node, _name(node)[0])(*swapped[0], **swapped[1]))
        if any(isinstance(value, torch.Tensor) for value in values):
            raise Unwindowable(f"the operation {self._label(node)} is not one that can be followed in windows")
        if values[0] == torch.device("meta"):
            values = [self.x.device] * 2
        self.sizes[node] = (values[0], values[1])

    def _stand_in(self, rows: int, source: fx.Node) -> Any:
        """A tensor without content, of the shape and type of `source` for a batch of `rows` images."""
        if source not in self.memory:
            return self._value(source, rows - 1)
        tensor = self.plan.activations[self._number(source)]
        return torch.empty((rows, *tensor.shape[1:]), dtype=tensor.dtype, device="meta")

    def _evaluate(self, node: fx.Node, which: int) -> Any:
        args, kwargs = fx.node.map_arg((node.args, node.kwargs), lambda source: self._value(source, which))
        if node.op == "call_module":
            return self.modules[str(node.target)](*args, **kwargs)
        if node.op == "call_method":
            return getattr(args[0], str(node.target))(*args[1:], **kwargs)
        function: Any = node.target
        return function(*args, **kwargs)

    def _value(self, source: fx.Node, which: int) -> Any:
        return self.sizes[source][which] if source in self.sizes else self.known[source]

    def _bound(self, arguments: Any, sources: list[fx.Node]) -> Any:
        """Arguments of a call with an input's number as `Bound`, and everything else worked out."""

        def bind(node: fx.Node) -> Any:
            if node in self.memory:
                return Bound(sources.index(node))
            if node in self.known:
                return self.known[node]
            one, two = self.sizes[node]
            return one if one == two else Bound.rows(one, two)

        bound = fx.node.map_arg(arguments, bind)
        return dict(bound) if isinstance(arguments, dict) else tuple(bound)

    def _function(self, node: fx.Node, name: str) -> Callable[..., Any]:
        """The call's function, out of place."""
        if node.op == "call_method":
            return getattr(torch.Tensor, name)
        target: Any = node.target
        own = getattr(target, "__name__", "")
        if own == name:
            return target
        return getattr(operator if target.__module__ == "_operator" else torch, name)

    def _label(self, node: fx.Node) -> str:
        if node.op == "call_module":
            return f"{type(self.modules[str(node.target)]).__name__} ({str(node.target).partition('.')[2] or 'alone'})"
        return _name(node)[0]


def plan_of(network: nn.Module, x: torch.Tensor) -> Plan:
    """Steps of `network`, with its activations for `x`.

    Parameters
    ----------
    network : torch.nn.Module
        In eval mode.
    x : torch.Tensor, shape (1, C, *spatial)

    Raises
    ------
    Unwindowable
        When the network cannot be traced or holds an operation whose windows are not known.
    """
    # a network that is one layer of torch.nn would be traced into; as a part of another it stays a layer
    try:
        network = nn.Sequential(twin(network))
        graph = graph_of(network)
    except Exception as error:  # any code of the network may have run
        raise Unwindowable(
            f"its code cannot be traced ({str(error).splitlines()[0] if str(error) else error!r})"
        ) from (error)
    try:
        return _Builder(network, graph, x).build()
    except Unwindowable:
        raise
    except (RuntimeError, TypeError, ValueError, LookupError, AttributeError, AssertionError) as error:
        raise Unwindowable(f"an operation of it has a form that cannot be followed in windows ({error!r})") from error


def _name(node: fx.Node) -> tuple[str, bool]:
    """Plain name of a call, and whether its name says that it works in place: ``relu_``, ``iadd``."""
    target = node.target
    name = target if isinstance(target, str) else getattr(target, "__name__", repr(target))
    if name.startswith("__"):
        return name, False
    if name.endswith("_"):
        return name[:-1], True
    module = getattr(target, "__module__", "")
    if module == "_operator" and name.startswith("i") and hasattr(operator, name[1:]) and name not in {"invert"}:
        return name[1:], True
    return name, False


def _weighted_anew(module: nn.Module) -> bool:
    """Whether all that is hooked on a layer works out its weight (weight and spectral norm); it has it then."""
    hooks = list(module._forward_pre_hooks.values())
    if len(hooks) == 0 or module._forward_hooks or not all(isinstance(h, WeightNorm | SpectralNorm) for h in hooks):
        return False
    for hook in hooks:
        hook(module, None)
    return True


def _out_of_place(module: nn.Module) -> nn.Module:
    """The layer with the same weights, working out of place."""
    if not getattr(module, "inplace", False):
        return module
    twin: Any = copy.copy(module)
    twin.inplace = False
    return twin

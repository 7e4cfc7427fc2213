"""Guided backpropagation: a gradient that only follows what excites (Springenberg et al., 2015)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from core.errors import BadInput
from core.explainers.base import Explanation, MapArray, Question
from core.explainers.captum.tensors import asked_in_grey, summed_over_channels, watched
from core.explainers.checked_map import CheckedMap, MapParameters
from core.parameters import Parameters

if TYPE_CHECKING:
    import torch
    from torch import nn

    from core.models.model import Model


class GuidedBackpropagation(CheckedMap):
    """Gradient of the target's logit in which every rectifier also drops negative gradients."""

    name: ClassVar[str] = "guided_backpropagation"
    title: ClassVar[str] = "Guided backpropagation"
    summary: ClassVar[str] = "The map shows structure that excites the score; it depends little on what was learnt."
    reference: ClassVar[str] = "Springenberg et al., ICLR workshop 2015, section 3.4"
    parameters_model: ClassVar[type[Parameters]] = MapParameters
    color = "mauve"
    by_gradient = True

    @classmethod
    def unfit(cls, model: Model) -> str | None:
        """Needs rectifiers that are modules, since it changes their backward pass."""
        if reason := super().unfit(model):
            return reason
        if not _rectifiers(model.network):
            return f"{cls.title} changes the backward pass of ReLU layers, and this network has none as modules."
        if _has_functional_rectifier(model.network):
            return (
                f"{cls.title} cannot reach rectifiers called as functions, and this network calls some: "
                "write them as modules."
            )
        return None

    @classmethod
    def finding(cls, explanation: Explanation, places: str) -> str:
        """Which structures excite the network, and how little that says."""
        towards = f"on its way to {explanation.target}" if explanation.target else "on its way to the answer"
        little = "such a map depends little on what the network has learnt"
        if places:
            return f"Edges and textures in {places} excite the network most {towards}; {little}."
        return f"The map shows edges and textures that excite the network {towards}; {little}."

    @classmethod
    def technical(cls, explanation: Explanation) -> str:
        """Which derivative."""
        return "Derivative of the class's logit, passed back through each rectifier only where it is above zero."

    def attribute(self, question: Question, parameters: MapParameters) -> MapArray:
        """One pass forward and back through a copy whose rectifiers Captum can hook.

        Raises
        ------
        BadInput
            When more rectifiers ran than there are layers of.
        """
        import warnings

        from captum.attr import GuidedBackprop

        network, x = asked_in_grey(question)
        _refuse_functions(network, x)
        with warnings.catch_warnings():
            # Captum says on every call that it sets hooks
            warnings.filterwarnings("ignore", message="Setting backward hooks on ReLU")
            gradient = GuidedBackprop(hookable_copy(network)).attribute(watched(x), target=question.target)
        values = summed_over_channels(gradient)
        return MapArray(values, "guided gradient", "attribution", "Δ logit / Δ intensity", diverging=True)


def hookable_copy(network: nn.Module) -> nn.Module:
    """Copy of `network` with every rectifier replaced by one that Captum recognises and that is not in place.

    Captum hooks `torch.nn.ReLU` only. A leaky rectifier becomes a subclass of it with its own slope: forward it is what
    it was, backward its gradient is rectified like the others'.
    """
    from torch import nn as modules

    from core.networks import copy_of

    class Rectifier(modules.ReLU):
        def __init__(self, slope: float) -> None:
            super().__init__(inplace=False)
            self.slope = slope

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return modules.functional.leaky_relu(x, self.slope)

    changed = copy_of(network)
    for name, module in _rectifiers(changed).items():
        parent, _, attribute = name.rpartition(".")
        setattr(changed.get_submodule(parent), attribute, Rectifier(getattr(module, "negative_slope", 0.0)))
    return changed


def _refuse_functions(network: nn.Module, x: torch.Tensor) -> None:
    """Code that cannot be traced may call rectifiers as functions: what ran tells."""
    from torch import nn as modules

    from core.networks import operations_of

    ran, layers = operations_of(network, x)
    hooked = sum(isinstance(layer, modules.ReLU | modules.LeakyReLU) for layer in layers)
    if sum(count for name, count in ran.items() if name.startswith(("ReluBackward", "LeakyReluBackward"))) > hooked:
        raise BadInput(
            "Guided backpropagation cannot reach rectifiers called as functions, and this network calls some: "
            "write them as modules, or use saliency."
        )


def _rectifiers(network: nn.Module) -> dict[str, nn.Module]:
    from torch import nn as modules

    return {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, modules.ReLU | modules.LeakyReLU) and name
    }


def _has_functional_rectifier(network: nn.Module) -> bool:
    """Whether the forward pass calls a rectifier as a function; False where the network cannot be traced."""
    import torch
    from torch.nn import functional

    from core.networks import graph_of, twin

    functions = {torch.relu, torch.relu_, functional.relu, functional.leaky_relu, functional.relu_}
    try:
        nodes = graph_of(twin(network)).nodes
    except Exception:  # any code of the network may have run; what cannot be traced is not known to call functions
        return False
    return any(
        (node.op == "call_function" and node.target in functions)
        or (node.op == "call_method" and node.target in {"relu", "relu_"})
        for node in nodes
    )

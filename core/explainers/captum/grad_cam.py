"""Grad-CAM: a convolution layer's activations, weighted by what the score makes of them (Selvaraju et al., 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from core.errors import BadInput
from core.explainers.base import Explanation, MapArray, Question
from core.explainers.captum.tensors import summed_over_channels, watched
from core.explainers.checked_map import CheckedMap, MapParameters, layer_by_default
from core.networks import convolutions
from core.parameters import Parameters, parameter

if TYPE_CHECKING:
    from core.models.model import Model


class GradCAMParameters(MapParameters):
    """Parameters of `GradCAM`."""

    layer: str = parameter(
        "",
        "Layer by name; automatic takes the one that the model's description names, else the last one with a map "
        "over space that the answer rests on. Deeper: more meaning, coarser map.",
        group="What to show",
        picks="layer",
        title="Layer",
    )
    weighting: Literal["mean", "elementwise"] = parameter(
        "mean",
        "How activations are weighted: by the layer's mean gradient, as published, or each by its own gradient "
        "(HiResCAM), which holds where a feature speaks for the class in one place and against it in another.",
        group="What to show",
        paper="mean",
        reference="eq. 1",
        title="Weighted by",
        words={"mean": "mean gradient", "elementwise": "each one's own gradient"},
    )
    rectify: bool = parameter(
        True,
        "On, as published. Off: keep also what speaks against it, with its sign.",
        group="What to show",
        paper=True,
        reference="eq. 2",
        title="Only what speaks for the class",
    )


class GradCAM(CheckedMap):
    """Activations of a layer weighted by their mean gradient, brought to full resolution where they belong."""

    name: ClassVar[str] = "grad_cam"
    title: ClassVar[str] = "Grad-CAM"
    summary: ClassVar[str] = "The map shows where a late layer saw what speaks for the class."
    reference: ClassVar[str] = "Selvaraju et al., ICCV 2017, eq. 1 and 2"
    parameters_model: ClassVar[type[Parameters]] = GradCAMParameters
    color = "orange"
    by_gradient = True
    presets: ClassVar[dict[str, dict[str, Any]]] = {"published": {}, "elementwise": {"weighting": "elementwise"}}
    hide_by = "positive"
    when_zero = "; take weighting=elementwise, or a layer nearer to the input"

    @classmethod
    def unfit(cls, model: Model) -> str | None:
        """Needs a classifier with a convolution layer."""
        missing = (
            None
            if convolutions(model.network)
            else f"{cls.title} needs a convolution layer, and this network has none."
        )
        return super().unfit(model) or missing

    @classmethod
    def parameters_for(cls, model: Model, parameters: Parameters) -> Parameters:
        """Name the layer: the card's, else the last map over space that the answer rests on.

        Raises
        ------
        BadInput
            When the model has no layer of the name given. (A layer without a spatial map is refused on running.)
        """
        assert isinstance(parameters, GradCAMParameters)
        layer = parameters.layer or layer_by_default(model) or ""
        model.layer(layer)
        return parameters.model_copy(update={"layer": layer})

    @classmethod
    def finding(cls, explanation: Explanation, places: str) -> str:
        """Where the network found what speaks for the class."""
        speaks = f"speaks for {explanation.target or 'the class'}"
        if not explanation.parameters.get("rectify", True):
            speaks = f"{speaks} or against it"
        if places:
            return f"The network found what {speaks} most of all in {places}."
        return f"The map shows where the network found what {speaks}."

    @classmethod
    def technical(cls, explanation: Explanation) -> str:
        """Layer and weighting."""
        chosen = explanation.parameters
        by = "the layer's mean gradient" if chosen["weighting"] == "mean" else "each one's own gradient (HiResCAM)"
        kept = "" if chosen["rectify"] else ", of both signs"
        return f"Activations of the layer {chosen['layer']}, weighted by {by}{kept}."

    def attribute(self, question: Question, parameters: GradCAMParameters) -> MapArray:
        """One pass forward and back to the layer, then linear interpolation between its samples' own positions.

        Raises
        ------
        BadInput
            When the layer has no spatial map.
        """
        from captum.attr import LayerGradCam, LayerGradientXActivation

        from core.networks import at_full_resolution, layer_sampling

        network, x = question.model.network, question.prepared.tensor
        layer = question.model.layer(parameters.layer)
        method = LayerGradCam if parameters.weighting == "mean" else LayerGradientXActivation
        coarse = summed_over_channels(
            method(question.model.scores, layer).attribute(watched(x), target=question.target)
        )
        if coarse.ndim != x.ndim - 2:
            raise BadInput(
                f"The layer {parameters.layer} gives no map: take a convolution layer, "
                f"{', '.join(convolutions(question.model.network))}."
            )
        if parameters.rectify:
            coarse = np.maximum(coarse, 0)
        values = at_full_resolution(coarse, layer_sampling(network, layer, x), x.shape[2:])
        return MapArray(values, "class activation", "attribution", "logit", diverging=not parameters.rectify)

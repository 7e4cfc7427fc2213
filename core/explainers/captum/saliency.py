"""Saliency: the gradient of the target's score (Simonyan et al., 2013)."""

from typing import ClassVar

from core.explainers.base import Explanation, MapArray, Question
from core.explainers.captum.tensors import asked_in_grey, summed_over_channels, watched
from core.explainers.checked_map import CheckedMap, MapParameters, answer_of
from core.parameters import Parameters, parameter


class SaliencyParameters(MapParameters):
    """Parameters of `Saliency`."""

    signed: bool = parameter(
        False,
        "On: above zero, more intensity there raises the score. Off: the gradient's size, as published.",
        group="What to show",
        paper=False,
        reference="section 3",
        title="Keep the sign",
    )


class Saliency(CheckedMap):
    """Gradient of the target's logit with respect to each voxel."""

    name: ClassVar[str] = "saliency"
    title: ClassVar[str] = "Saliency"
    summary: ClassVar[str] = "The map shows where the score reacts most to a small change of intensity."
    reference: ClassVar[str] = "Simonyan, Vedaldi, Zisserman, arXiv:1312.6034, section 3"
    parameters_model: ClassVar[type[Parameters]] = SaliencyParameters
    color = "gold"
    by_gradient = True

    @classmethod
    def finding(cls, explanation: Explanation, places: str) -> str:
        """Where the answer is most sensitive."""
        what = answer_of(explanation)
        if places:
            return f"Small changes of brightness move {what} most in {places}."
        return f"The map shows where small changes of brightness move {what} most."

    @classmethod
    def technical(cls, explanation: Explanation) -> str:
        """Which derivative, and whether its sign was kept."""
        kept = "with its sign" if explanation.parameters["signed"] else "its size"
        return f"Derivative of the class's logit by the intensity of each sample, {kept}."

    def attribute(self, question: Question, parameters: SaliencyParameters) -> MapArray:
        """One pass forward and back."""
        from captum.attr import Saliency as CaptumSaliency

        network, x = asked_in_grey(question)
        gradient = CaptumSaliency(network).attribute(watched(x), target=question.target, abs=not parameters.signed)
        return MapArray(
            summed_over_channels(gradient),
            "saliency",
            "attribution",
            "Δ logit / Δ intensity",
            diverging=parameters.signed,
        )

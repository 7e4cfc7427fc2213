"""SmoothGrad: saliency averaged over noisy copies of the scan (Smilkov et al., 2017)."""

from typing import ClassVar, Literal

import numpy as np

from core.explainers.base import Explanation, MapArray, Question
from core.explainers.captum.tensors import asked_in_grey, counted, summed_over_channels, watched
from core.explainers.checked_map import CheckedMap, MapParameters, answer_of
from core.parameters import Parameters, parameter

#: What is taken over the copies, for people.
_TAKEN = {
    "smoothgrad": "Mean derivative",
    "smoothgrad_sq": "Mean square of the derivative",
    "vargrad": "Variance of the derivative",
}


class SmoothGradParameters(MapParameters):
    """Parameters of `SmoothGrad`."""

    samples: int = parameter(
        25,
        "How many. More: a calmer map.",
        minimum=1,
        maximum=500,
        scale="log",
        unit="copies",
        group="How long",
        paper=50,
        reference="section 3.2",
        title="Noisy copies",
    )
    noise: float = parameter(
        0.1,
        "Standard deviation of the noise as a share of the scan's range. More: smoother, and further from the scan.",
        minimum=0.001,
        maximum=1.0,
        step=0.01,
        group="How smooth",
        paper=0.1,
        reference="section 3.2: 0.1 to 0.2",
        title="Strength of the noise",
    )
    kind: Literal["smoothgrad", "smoothgrad_sq", "vargrad"] = parameter(
        "smoothgrad",
        "What is taken of the gradients: their mean, the mean of their squares, or their variance.",
        group="What to show",
        paper="smoothgrad",
        title="Taken over the copies",
        advanced=True,
        words={"smoothgrad": "mean", "smoothgrad_sq": "mean square", "vargrad": "variance"},
    )
    signed: bool = parameter(
        False,
        "On: the mean gradient with its sign. Off: its size. Squares and variances have no sign.",
        group="What to show",
        title="Keep the sign",
    )
    batch: int = parameter(
        2, "Copies asked at once; larger needs more memory.", minimum=1, maximum=64, group="How long", advanced=True
    )


class SmoothGrad(CheckedMap):
    """Mean gradient over copies of the scan with Gaussian noise."""

    name: ClassVar[str] = "smoothgrad"
    title: ClassVar[str] = "SmoothGrad"
    summary: ClassVar[str] = (
        "The map shows where the score reacts to intensity, averaged over noisy copies of the scan."
    )
    reference: ClassVar[str] = "Smilkov et al., arXiv:1706.03825, section 3"
    parameters_model: ClassVar[type[Parameters]] = SmoothGradParameters
    color = "violet"
    by_gradient = True

    @classmethod
    def finding(cls, explanation: Explanation, places: str) -> str:
        """Where the answer is most sensitive, whatever the noise."""
        what, average = answer_of(explanation), ", on average over slightly noisy copies of the scan"
        if places:
            return f"Changes of brightness in {places} move {what} most{average}."
        return f"The map shows where changes of brightness move {what} most{average}."

    @classmethod
    def technical(cls, explanation: Explanation) -> str:
        """What was taken over how many copies."""
        chosen = explanation.parameters
        return (
            f"{_TAKEN[chosen['kind']]} of the class's logit over {chosen['samples']} copies, with noise of "
            f"{chosen['noise'] * 100:.3g}% of the scan's range."
        )

    def attribute(self, question: Question, parameters: SmoothGradParameters) -> MapArray:
        """Captum's noise tunnel over the gradient, with a seed of its own."""
        import torch
        from captum.attr import NoiseTunnel, Saliency

        asked, x = asked_in_grey(question)
        network = counted(asked, question, parameters.samples)
        devices = [x.device] if x.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(parameters.seed)
            gradient = NoiseTunnel(Saliency(network)).attribute(
                watched(x),
                nt_type=parameters.kind,
                nt_samples=parameters.samples,
                nt_samples_batch_size=parameters.batch,
                stdevs=float(parameters.noise * (x.max() - x.min())),
                target=question.target,
                abs=False,
            )
        values = summed_over_channels(gradient)
        signed = parameters.signed and parameters.kind == "smoothgrad"
        unit = "Δ logit / Δ intensity" if parameters.kind == "smoothgrad" else "(Δ logit / Δ intensity)²"
        return MapArray(values if signed else np.abs(values), parameters.kind, "attribution", unit, diverging=signed)

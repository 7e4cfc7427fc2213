"""SmoothGrad: saliency averaged over noisy copies of the scan (Smilkov et al., 2017)."""

from typing import ClassVar, Literal

import numpy as np

from core.explainers.base import MapArray, Question
from core.explainers.captum.tensors import asked_in_grey, counted, summed_over_channels, watched
from core.explainers.checked_map import CheckedMap, MapParameters
from core.parameters import Parameters, parameter


class SmoothGradParameters(MapParameters):
    """Parameters of `SmoothGrad`."""

    samples: int = parameter(
        25,
        "Noisy copies. More: a calmer map.",
        minimum=1,
        maximum=500,
        scale="log",
        unit="copies",
        group="How long",
        paper=50,
        reference="section 3.2",
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
    )
    kind: Literal["smoothgrad", "smoothgrad_sq", "vargrad"] = parameter(
        "smoothgrad",
        "What is taken over the copies: the mean gradient, the mean of its square, or its variance.",
        group="What to show",
        paper="smoothgrad",
    )
    signed: bool = parameter(
        False,
        "Keep the sign of the mean gradient. Off: its size. Squares and variances have no sign.",
        group="What to show",
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

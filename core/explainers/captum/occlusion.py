"""Occlusion: how far the score falls when a box of the scan is covered (Zeiler and Fergus, 2014)."""

import math
from typing import ClassVar

from core.explainers.base import Explanation, MapArray, Question
from core.explainers.captum.tensors import counted, summed_over_channels
from core.explainers.checked_map import answer_of
from core.explainers.sampling import BaselineMap, BaselineParameters, baseline_image, compared_with, voxels
from core.parameters import Parameters, parameter


class OcclusionParameters(BaselineParameters):
    """Parameters of `Occlusion`."""

    window_mm: float = parameter(
        24.0,
        "Edge of the box that covers the scan. Larger: stronger effect, coarser map.",
        minimum=1.0,
        maximum=200.0,
        unit="mm",
        group="What to cover",
        title="Size of the box",
    )
    stride_mm: float = parameter(
        18.0,
        "At most the box itself. Smaller: finer map, many more questions to the model.",
        minimum=1.0,
        maximum=200.0,
        unit="mm",
        group="What to cover",
        title="Step between boxes",
    )
    batch: int = parameter(
        4, "Boxes asked at once; larger needs more memory.", minimum=1, maximum=256, group="How long", advanced=True
    )


class Occlusion(BaselineMap):
    """Fall of the target's logit when a sliding box is replaced by a baseline, averaged over a voxel's boxes."""

    name: ClassVar[str] = "occlusion"
    title: ClassVar[str] = "Occlusion"
    summary: ClassVar[str] = "The map shows how far the score falls when a box around each place is covered."
    reference: ClassVar[str] = "Zeiler, Fergus, ECCV 2014, section 4.2"
    parameters_model: ClassVar[type[Parameters]] = OcclusionParameters
    color = "blue"
    hide_by = "positive"

    @classmethod
    def finding(cls, explanation: Explanation, places: str) -> str:
        """Where covering the scan changes the answer."""
        what = answer_of(explanation)
        if places:
            return f"Covering {places} changes {what} most."
        return f"The map shows where covering a part of the scan changes {what} most."

    @classmethod
    def technical(cls, explanation: Explanation) -> str:
        """Which box, and what lies in it."""
        chosen = explanation.parameters
        return (
            f"Fall of the class's logit under a box of {chosen['window_mm']:g} mm with {compared_with(chosen)} in it, "
            f"moved by {chosen['stride_mm']:g} mm."
        )

    def attribute(self, question: Question, parameters: OcclusionParameters) -> MapArray:
        """Every position of the box; positions that change nothing are not asked again."""
        import torch
        from captum.attr import Occlusion as CaptumOcclusion

        from core.networks import fast_network, unchanged_known

        x = question.prepared.tensor
        shape, spacing = tuple(x.shape[2:]), question.prepared.spacing_mm
        window = voxels(parameters.window_mm, spacing, shape)
        stride = tuple(min(s, w) for s, w in zip(voxels(parameters.stride_mm, spacing, shape), window, strict=True))
        positions = math.prod(math.ceil((n - w) / s) + 1 for n, w, s in zip(shape, window, stride, strict=True))
        network = fast_network(question.model.scores, len(shape), "float32")
        with torch.inference_mode():
            fall = CaptumOcclusion(counted(unchanged_known(network, x), question, positions + 1)).attribute(
                x.clone(),
                sliding_window_shapes=(x.shape[1], *window),
                strides=(x.shape[1], *stride),
                baselines=baseline_image(question, parameters),
                target=question.target,
                perturbations_per_eval=parameters.batch,
            )
        # the window spans all channels: each of them carries the whole fall
        values = summed_over_channels(fall) / x.shape[1]
        return MapArray(values, "fall of the score", "attribution", "Δ logit", diverging=True)

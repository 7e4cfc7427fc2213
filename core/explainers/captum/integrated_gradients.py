"""Integrated gradients: the score's change from a baseline to the scan, shared out over voxels (Sundararajan, 2017)."""

from typing import ClassVar

import numpy as np

from core.explainers.base import Check, Explanation, MapArray, Question
from core.explainers.captum.tensors import counted, summed_over_channels, watched
from core.explainers.checked_map import answer_of
from core.explainers.sampling import BaselineMap, BaselineParameters, baseline_image, compared_with
from core.parameters import Parameters, parameter

#: Share of the score's difference by which the map's sum may differ from it.
_APART = 0.05
#: Logits that differ by less are the same.
_NO_DIFFERENCE = 1e-4


class IntegratedGradientsParameters(BaselineParameters):
    """Parameters of `IntegratedGradients`."""

    steps: int = parameter(
        32,
        "Points on the way from baseline to scan where the gradient is taken. More: the shares add up more exactly.",
        minimum=4,
        maximum=500,
        scale="log",
        unit="steps",
        group="How long",
        paper=50,
        reference="section 5: 20 to 300",
    )
    batch: int = parameter(
        2, "Points asked at once; larger needs more memory.", minimum=1, maximum=64, group="How long", advanced=True
    )


class IntegratedGradients(BaselineMap):
    """Gradients along the straight line from a baseline to the scan, times the difference."""

    name: ClassVar[str] = "integrated_gradients"
    title: ClassVar[str] = "Integrated gradients"
    summary: ClassVar[str] = "The map shares out the score's difference to a baseline scan over the voxels."
    reference: ClassVar[str] = "Sundararajan, Taly, Yan, ICML 2017, eq. 1"
    parameters_model: ClassVar[type[Parameters]] = IntegratedGradientsParameters
    color = "green"
    by_gradient = True
    hide_by = "positive"

    @classmethod
    def finding(cls, explanation: Explanation, places: str) -> str:
        """What of the difference to the baseline moves the answer."""
        what = answer_of(explanation)
        against = f"Compared with {compared_with(explanation.parameters)}"
        if places:
            return f"{against}, what is different in {places} moves {what} most."
        return f"{against}, the map shows which differences move {what} most."

    @classmethod
    def technical(cls, explanation: Explanation) -> str:
        """How many steps from where."""
        chosen = explanation.parameters
        return (
            f"Integral of the derivative of the class's logit along {chosen['steps']} steps from "
            f"{compared_with(chosen)} to this one."
        )

    def attribute(self, question: Question, parameters: IntegratedGradientsParameters) -> MapArray:
        """Gauss-Legendre quadrature of equation 1 with `steps` nodes."""
        from captum.attr import IntegratedGradients as CaptumIntegratedGradients

        network = counted(question.model.scores, question, parameters.steps)
        shares = CaptumIntegratedGradients(network).attribute(
            watched(question.prepared.tensor),
            baselines=baseline_image(question, parameters),
            target=question.target,
            n_steps=parameters.steps,
            internal_batch_size=parameters.batch,
        )
        return MapArray(summed_over_channels(shares), "share of the score", "attribution", "logit", diverging=True)

    def checks(
        self, question: Question, parameters: IntegratedGradientsParameters, values: np.ndarray
    ) -> tuple[Check, ...]:
        """Completeness: the map must add up to the score's difference between scan and baseline."""
        import torch

        with torch.inference_mode():
            both = torch.cat([question.prepared.tensor, baseline_image(question, parameters)])
            scan, baseline = (float(v) for v in question.model.scores(both)[:, question.target or 0])
        difference, total = scan - baseline, float(values.sum(dtype=np.float64))
        gap = abs(total - difference) / max(abs(difference), 1e-6)
        sentence = f"The map adds up to {total:.2f}, the logit's difference is {difference:.2f} ({gap:.1%} apart)."
        if abs(difference) < _NO_DIFFERENCE and gap <= _APART:
            # nothing shared out adds up to nothing
            said = f"Not applicable: scan and baseline have the same logit. {sentence}"
            return (Check("completeness", "Completeness", gap, said, applies=False),)
        return (Check("completeness", "Completeness", gap, sentence, gap <= _APART),)

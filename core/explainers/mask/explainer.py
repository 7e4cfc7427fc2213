"""Mask perturbation (paper 1) on one scan: the least that must be hidden for the model to change its mind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from core.explainers.base import Explainer, Explanation, Findings, Question
from core.explainers.extras import Curve
from core.explainers.mask.parameters import PAPER, MaskParameters
from core.explainers.mask.telling import HEALTHY_FILL, VEIL, healthy_by_healthy
from core.metrics.localisation import OUTSIDE
from core.metrics.sanity import Drop
from core.parameters import Parameters
from core.wording import percent

if TYPE_CHECKING:
    from core.models.model import Model


class Mask(Explainer):
    """Small smooth part of the scan that is enough, once replaced, for the target's probability to fall."""

    name: ClassVar[str] = "mask"
    title: ClassVar[str] = "Mask perturbation"
    summary: ClassVar[str] = "A small, smooth part of the scan that is enough, once replaced, to change the answer."
    reference: ClassVar[str] = "Thibeau-Sutre et al., SPIE Medical Imaging 2020, eq. 1 and 2"
    parameters_model: ClassVar[type[Parameters]] = MaskParameters
    presets: ClassVar[dict[str, dict[str, Any]]] = {"robust": {}, "paper": PAPER}
    curves: ClassVar[dict[str, Curve]] = {
        "probability": Curve("probability", role="answer", low=0.0, high=1.0),
        "loss": Curve("loss", role="goal"),
        "score": Curve("score"),
        "size": Curve("size"),
        "edge": Curve("edge"),
        **{f"hidden {unit}": Curve("hidden", unit) for unit in ("cm³", "cm²", "pixels")},
    }
    color = "accent"
    by_gradient = True
    changes_scan = True
    order = 0

    @classmethod
    def parameters_for(cls, model: Model, parameters: Parameters) -> Parameters:
        """Make ``mu="auto"`` and ``precision="auto"`` what they stand for here, so that the record says it."""
        from core.explainers.hiding import healthy_or_blur  # torch, which listing explainers does without
        from core.networks import chosen_precision

        if getattr(parameters, "mu", None) == "auto":
            parameters = parameters.model_copy(update={"mu": healthy_or_blur(model)})
        if getattr(parameters, "precision", None) == "auto":
            parameters = parameters.model_copy(update={"precision": chosen_precision(model.device)})
        return parameters

    def run(self, question: Question, parameters: MaskParameters) -> Findings:
        """Optimise the mask, threshold it, and test it against healthy tissue and random places."""
        from core.explainers.mask.session import MaskSession

        return MaskSession(question, parameters).findings()

    @classmethod
    def done(cls, parameters: Mapping[str, Any], numbers: Mapping[str, float]) -> str:
        """How much was hidden."""
        return f"with {_amount(numbers)} hidden" if numbers.get("hidden_share") else ""

    @classmethod
    def technical(cls, explanation: Explanation) -> str:
        """How long it took, what hid, and at which price."""
        chosen, made = explanation.parameters, len(explanation.history.get("iteration", ()))
        if not made:
            return ""
        fill = {"healthy_mean": "the mean healthy scan", "blur": "the blurred scan"}
        hid = fill.get(chosen["mu"], f"the value {chosen['mu_value']:g}")
        return f"Optimised in {made} iterations; hidden means filled with {hid} (μ); {_penalties(chosen)}."

    @classmethod
    def sentence(cls, explanation: Explanation) -> str:
        """What was hidden, where, and what that and the controls did to the probability."""
        scores, target, numbers = explanation.scores, explanation.target, explanation.numbers
        if not scores or not scores["before"] or not scores["after"] or target is None:
            return super().sentence(explanation)
        before, after = scores["before"][target], scores["after"][target]
        if "hidden_share" not in numbers or numbers["hidden_share"] == 0:
            return _nothing_hidden(target, before, numbers)
        change = _change(explanation, before, after)
        found = min(after, numbers.get("after_on_model_grid", after)) <= explanation.parameters["goal"]
        if not (found and Drop(before, after).enough):
            # naming a place would make one of a mask that did not do what was asked
            return f"Hiding {_amount(numbers)} {change}."
        names = [share for share in explanation.regions if share.share >= 0.05 and share.name != OUTSIDE][:3]
        place = ", ".join(f"{share.name} {percent(share.share)}" for share in names)
        if numbers.get("touched_share", 0) >= VEIL:
            place = f"a veil over {percent(numbers['touched_share'])} of what can be hidden, which is no place"
        text = f"Hiding {_amount(numbers)}{f' ({place})' if place else ''} {change}."
        if "swap" in numbers:
            text += f" {_swapped(numbers)}"
        if "control" in numbers:
            text += f" The same amount hidden at random places leaves {percent(numbers['control'])}."
        return text


def _penalties(chosen: Mapping[str, Any]) -> str:
    size, edge = (f"{chosen[name]:.3g}".replace("e-0", "e-") for name in ("lambda_1", "lambda_2"))
    return f"size penalty λ₁ {size}, edge penalty λ₂ {edge}"


def _nothing_hidden(target: str, before: float, numbers: Mapping[str, float]) -> str:
    """Why the map is empty."""
    if numbers.get(HEALTHY_FILL):
        return healthy_by_healthy(target)
    if not numbers.get("asked", 1.0):
        return (
            f"The model gives {target} only {percent(before)}, so nothing had to be hidden: "
            "the map is empty and says nothing about the scan."
        )
    return f"No mask was found: nothing is hidden at the end, and {target} stays at {percent(before)}."


def _swapped(numbers: Mapping[str, float]) -> str:
    """What filling the same place with something else does, by the fill that decides the swap test."""
    if not numbers["swap_is_healthy"]:
        return f"With another fill in the same place it is {percent(numbers['swap'])} at the lowest."
    subjects = numbers.get("swap_subjects") == numbers["swap"]
    tissue = "tissue of other healthy subjects" if subjects else "mean healthy tissue"
    return f"With {tissue} in the same place it is {percent(numbers['swap'])}."


def _amount(numbers: Mapping[str, float]) -> str:
    """How much was hidden; of a picture that does not say how large its pixels are, in those."""
    if "hidden_cm3" in numbers:
        return f"{numbers['hidden_cm3']:.1f} cm³"
    return f"{numbers['hidden_cm2']:.1f} cm²" if "hidden_cm2" in numbers else f"{numbers['hidden_pixels']:.0f} pixels"


def _change(explanation: Explanation, before: float, after: float) -> str:
    """What hiding did to the target: as far as the goal, only some way, or nothing to speak of."""
    target, start, end = explanation.target, percent(before), percent(after)
    if start == end:
        return f"leaves {target} at {end}: no mask changed the answer"
    goal = explanation.parameters["goal"]
    short = f", short of the goal of {goal * 100:.3g}%" if after > goal else ""
    return f"takes {target} from {start} to {end}{short}"

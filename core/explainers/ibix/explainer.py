"""IBIX (paper 2): what a marked place of the scan changes in the answer, and what a marked answer rests on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from core.explainers.base import Explainer, Explanation, Findings, Question, Side
from core.explainers.extras import places_of
from core.explainers.ibix.parameters import PAPER, IbixParameters
from core.parameters import Parameters
from core.wording import percent

if TYPE_CHECKING:
    from core.models.model import Model


#: Before the name of a class, among the numbers: the slope of its score.
_SLOPE = "slope "
_ENGINES = {True: "windows of each layer (exact)", False: "whole images"}


class Ibix(Explainer):
    """Forward and backward mapping between regions of the input and of the answer."""

    name: ClassVar[str] = "ibix"
    title: ClassVar[str] = "IBIX trace"
    summary: ClassVar[str] = "What a marked place changes at the other side of the model, or what there changes it."
    reference: ClassVar[str] = "Espadoto, Martins, Branderhorst, Telea, IBIX, eq. 1 to 7"
    parameters_model: ClassVar[type[Parameters]] = IbixParameters
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "default": {},
        "quick": {"quadrature": "quick"},
        "paper": PAPER,
        "published_code": {"variant": "published_code", "levels": "1", "body": False},
        "gradient": {"mode": "gradient"},
    }
    preset_help: ClassVar[dict[str, str]] = {
        "default": "equations of the paper, inside the body, with what keeps shares readable",
        "quick": "16 well-placed jitters instead of 100, within about 2.5%",
        "paper": "as in section 4.1: two levels, the whole picture, no floor below the bar",
        "published_code": "what the authors' program computes, whole grey levels and no division",
        "gradient": "the derivative: at once and per pixel, but another quantity",
    }
    takes_region: ClassVar[bool] = True
    steered_by_region: ClassVar[dict[Side, dict[str, Any]]] = {
        "input": {"direction": "forward"},
        "output": {"direction": "backward"},
    }
    color = "teal"
    #: the Trace page is made for it: there it comes before others that take a region
    order = 50

    @classmethod
    def unfit(cls, model: Model) -> str | None:
        """Every model has an answer that can be changed."""
        return None

    @classmethod
    def parameters_for(cls, model: Model, parameters: Parameters) -> Parameters:
        """Make ``auto`` what it stands for with this model, so that the record says it."""
        assert isinstance(parameters, IbixParameters)
        image = model.card.task == "regression"
        found: dict[str, Any] = {}
        if parameters.direction == "auto":
            found["direction"] = "forward" if image else "backward"
        if parameters.divide_by == "auto":
            found["divide_by"] = "all_outputs" if image else "pixels"
        return parameters.model_copy(update=found)

    @classmethod
    def region_side(cls, model: Model, parameters: Any) -> Side:
        """Backward, the region lies on the image that a regressor makes."""
        resolved = cls.parameters_for(model, parameters)
        assert isinstance(resolved, IbixParameters)
        return "output" if resolved.direction == "backward" and model.card.task == "regression" else "input"

    @classmethod
    def map_side(cls, model: Model, parameters: Any) -> Side:
        """Forward, the map lies on the image that a regressor makes; of a classifier's answer it has no place."""
        resolved = cls.parameters_for(model, parameters)
        assert isinstance(resolved, IbixParameters)
        return "output" if resolved.direction == "forward" and model.card.task == "regression" else "input"

    @classmethod
    def needs_region(cls, model: Model, parameters: Any) -> bool:
        """Only a class, whose answer is one number, can be traced back without one."""
        resolved = cls.parameters_for(model, parameters)
        assert isinstance(resolved, IbixParameters)
        return resolved.direction == "forward" or model.card.task == "regression"

    @classmethod
    def needs_gradient(cls, parameters: Any) -> bool:
        """Only in gradient mode."""
        return bool(parameters.mode == "gradient")

    @classmethod
    def quick(cls, parameters: Any) -> dict[str, Any]:
        """Few jitters, and few superpixels in one level."""
        return {
            "levels": "1",
            "superpixels": min(parameters.superpixels, parameters.coarse_superpixels),
            "jitters": min(parameters.jitters, 4 if parameters.direction == "backward" else 16),
            "quadrature": "uniform",
            "compare": False,
        }

    def run(self, question: Question, parameters: IbixParameters) -> Findings:
        """Trace the marked region."""
        from core.explainers.ibix.session import IbixSession

        resolved = self.parameters_for(question.model, parameters)
        assert isinstance(resolved, IbixParameters)
        return IbixSession(question, resolved).findings()

    @classmethod
    def brief(cls, parameters: Mapping[str, Any]) -> str:
        """By the letters of the paper."""
        direction = parameters["direction"]
        if parameters["mode"] == "gradient":
            return "derivative"
        if parameters["variant"] == "published_code":
            return f"{direction}, published code"
        letter = "F" if direction == "forward" else "B"
        return f"{direction} map {f'|{letter}|' if parameters['sums'] == 'absolute' else letter}"

    @classmethod
    def caveat(cls, parameters: Mapping[str, Any], numbers: Mapping[str, float]) -> str:
        """A derivative is no finite difference: how far apart the two are, where it was measured."""
        if parameters["mode"] != "gradient":
            return ""
        found = numbers.get("gradient_correlation")
        beside = "not compared with it" if found is None else f"correlation with it {found:.2f}"
        return f"derivative, not the paper's eq. 5 · {beside}"

    @classmethod
    def told(cls, parameters: Mapping[str, Any], numbers: Mapping[str, float]) -> tuple[tuple[str, str], ...]:
        """Mapping, superpixels, and how often the model was asked."""
        rows = [("mapping", f"{parameters['direction']}, {parameters['mode'].replace('_', ' ')}")]
        if "superpixels" in numbers:
            asked, skipped = numbers["superpixels_asked"], numbers["superpixels_skipped"]
            rows.append(("superpixels", f"{numbers['superpixels']:.0f} of {asked:.0f} asked for"))
            rows.append(("evaluated", f"{numbers['superpixels_evaluated']:.0f}; {skipped:.0f} cannot reach it"))
        if "evaluations" in numbers:
            rows.append(("changed inputs asked", f"{numbers['evaluations']:,.0f}"))
        if "windows_used" in numbers:
            rows.append(("engine", _ENGINES[bool(numbers["windows_used"])]))
        return tuple(rows)

    @classmethod
    def effects(cls, numbers: Mapping[str, float]) -> dict[str, float]:
        """Forward, the answer of a classifier is one slope a class."""
        return {name.removeprefix(_SLOPE): value for name, value in numbers.items() if name.startswith(_SLOPE)}

    @classmethod
    def finding(cls, explanation: Explanation, places: str) -> str:
        """How far the effect reaches, and how much of it stays near the marked place."""
        numbers, forward = explanation.numbers, explanation.parameters["direction"] == "forward"
        samples = _samples(explanation)
        if explanation.target is not None:
            return _of_a_class(explanation, forward, places)
        unit = "mm" if numbers["in_millimetres"] else "pixels"
        inside = percent(1 - numbers["leak_near"])
        near, reach = f"{numbers['near']:.3g} {unit}", f"{numbers['reach']:.3g} {unit}"
        if forward:
            return (
                f"Changing the marked {samples} changes the image that the model makes within {reach}; "
                f"{inside} of the change lies within {near} of them."
            )
        return (
            f"The marked part of the image depends on the scan within {reach}; "
            f"{inside} of what it rests on lies within {near} of it."
        )

    @classmethod
    def sentence(cls, explanation: Explanation) -> str:
        """The finding alone; why a map is zero everywhere."""
        if explanation.arrays["map"].values.any():
            return cls.finding(explanation, places_of(explanation.regions))
        parameters = explanation.parameters
        if parameters["mode"] == "gradient":
            return "The derivative of the model's answer is 0 at this scan: real changes may still change it."
        if parameters["direction"] == "forward":
            return f"Changing the marked {_samples(explanation)} changes nothing in the model's answer."
        return "No part of the scan changes the marked part of the model's answer."

    @classmethod
    def technical(cls, explanation: Explanation) -> str:
        """Map, kind of change, and what the figures of a class are in its own score."""
        parameters, numbers = explanation.parameters, explanation.numbers
        direction = parameters["direction"].capitalize()
        if parameters["mode"] == "gradient":
            how = f"{direction} map by the derivative at the scan itself"
        else:
            how = f"{direction} map by real changes, {_jittered(parameters)}"
        slope = numbers.get(f"{_SLOPE}{explanation.target}")
        if slope is not None and "jitter_largest" in numbers:
            _, most = _DONE[parameters["perturbation"]]
            rise = f"{slope * numbers['jitter_largest']:+.3g}".replace("-", "−")
            return f"{how}; {parameters['score']} of {explanation.target} {rise} {most}, if it went on evenly."
        return f"{how}."


def _samples(explanation: Explanation) -> str:
    return "voxels" if explanation.scan.dimensions == 3 else "pixels"


def _jittered(parameters: Mapping[str, Any]) -> str:
    """How a region was changed, and how often."""
    largest = f"{parameters['jitter_percent']:g}% of the range"
    if parameters["jitter_range"]:
        largest = f"{parameters['jitter_range']:g} in the scan's units"
    how = {"add": "added", "multiply": "multiplied", "noise": "added as noise"}.get(parameters["perturbation"])
    size = f"up to {largest} {how}" if how else f"steps towards {parameters['perturbation']}"
    count = 16 if parameters["quadrature"] == "quick" else parameters["jitters"]
    return f"{count} a region, {size}"


#: What a perturbation does to the marked samples, and how far it goes at the most.
_DONE: dict[str, tuple[str, str]] = {
    "add": ("Making {} brighter", "at the largest jitter"),
    "multiply": ("Making {} stronger", "at the largest jitter"),
    "noise": ("This pattern of noise on {}", "at the largest jitter"),
    "blur": ("Blurring {}", "all the way"),
    "mean": ("Giving {} the mean of what is around them", "all the way"),
    "inpaint": ("Filling {} in from around them", "all the way"),
}


def _of_a_class(explanation: Explanation, forward: bool, places: str) -> str:
    """The finding where the answer is a class."""
    numbers, parameters, name = explanation.numbers, explanation.parameters, explanation.target
    samples = _samples(explanation)
    if forward:
        done, _ = _DONE[parameters["perturbation"]]
        towards = "for" if numbers[f"{_SLOPE}{name}"] > 0 else "against"
        return f"{done.format(f'the marked {samples}')} speaks {towards} {name}."
    most = f"most of all on {places}" if places else "as the map shows"
    if parameters["mode"] == "gradient":
        held = f"half of how much it reacts lies on {percent(numbers['share_half'])} of the {samples}"
    else:
        held = f"{numbers['superpixels_half']:.0f} of {numbers['superpixels']:.0f} pieces of the scan hold half of that"
    return f"The answer {name} depends on the scan {most}; {held}."

"""IBIX (paper 2): what a marked place of the scan changes in the answer, and what a marked answer rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import field_validator

from core.explainers.base import Explainer, Explanation, Findings, Question, Side
from core.parameters import Parameters, parameter
from core.wording import percent

if TYPE_CHECKING:
    from core.models.model import Model

_WHAT, _JITTER, _PIECES, _READ, _LONG = "What to ask", "How to change it", "Superpixels", "How to add up", "How long"


class IbixParameters(Parameters):
    """Everything equations 1 to 7 of the paper leave to choose, and what the paper leaves open."""

    direction: Literal["auto", "forward", "backward"] = parameter(
        "auto",
        "Forward: what the marked part of the scan changes in the answer. Backward: what in the scan changes the "
        "marked part of the answer. auto: forward, for classifiers backward.",
        group=_WHAT,
        reference="sections 3.2, 3.3",
    )
    mode: Literal["finite_difference", "gradient"] = parameter(
        "finite_difference",
        "Real changes of the scan, or the derivative at the scan itself: quicker and per pixel, but another quantity.",
        group=_WHAT,
        paper="finite_difference",
        reference="eq. 1",
    )
    perturbation: Literal["add", "multiply", "blur", "noise", "mean", "inpaint"] = parameter(
        "add",
        "How a region is changed: a constant added, values multiplied, noise added, or a step towards the blurred "
        "scan, the mean around the region or what its surroundings continue to.",
        group=_JITTER,
        paper="add",
        reference="eq. 1",
    )
    jitter_percent: float = parameter(
        39.2,
        "Largest jitter H, as a part of the range of values the model was made for (multiply: of the value itself). "
        "39.2 is 100 of 255 grey levels.",
        minimum=0.0,
        maximum=200.0,
        step=0.1,
        unit="%",
        title="H jitter range",
        group=_JITTER,
        paper=39.2,
        reference="section 4.1.1",
    )
    jitter_range: float = parameter(
        0.0,
        "Largest jitter H in the scan's own units; above 0 it takes the place of the percentage.",
        minimum=0.0,
        maximum=1e6,
        title="H in scan units",
        group=_JITTER,
        advanced=True,
    )
    jitters: int = parameter(
        100,
        "How many changed scans are asked about for each region, half of them brighter and half darker.",
        minimum=2,
        maximum=10_000,
        scale="log",
        group=_JITTER,
        paper=100,
        reference="section 4.1.1",
    )
    quadrature: Literal["uniform", "quick"] = parameter(
        "uniform",
        "Evenly spaced jitters, or 16 at the places where they say most about the average (within about 2.5% of 100).",
        group=_JITTER,
        paper="uniform",
        reference="eq. 5",
    )
    clip: bool = parameter(
        False,
        "Keep changed values inside the range the model was made for.",
        group=_JITTER,
        paper=False,
        advanced=True,
    )
    blur_mm: float = parameter(
        5.0,
        "Width (full width at half maximum) of the blur. Used when the perturbation is blur.",
        minimum=0.5,
        maximum=100.0,
        unit="mm",
        title="blur",
        group=_JITTER,
        advanced=True,
    )
    seed: int = parameter(
        0,
        "Draws the noise. Used when the perturbation is noise.",
        minimum=0,
        maximum=1_000_000,
        group=_JITTER,
        advanced=True,
    )
    superpixels: int = parameter(
        500,
        "How many superpixels the scan is cut into, asked of SLIC over the whole image; it gives about as many.",
        minimum=2,
        maximum=20_000,
        scale="log",
        title="K superpixels",
        group=_PIECES,
        paper=500,
        reference="section 4.1.1",
    )
    compactness: float = parameter(
        0.1,
        "Larger: rounder superpixels; smaller: closer to edges in the scan.",
        minimum=0.001,
        maximum=100.0,
        scale="log",
        group=_PIECES,
        paper=0.1,
        reference="section 4.1.1",
    )
    body: bool = parameter(
        True,
        "Leave out what lies outside the body.",
        title="only the body",
        group=_PIECES,
        paper=False,
        advanced=True,
    )
    levels: Literal["auto", "1", "2", "3", "4"] = parameter(
        "auto",
        "Coarse to fine: only superpixels that matter are cut finer. auto: 1 where a change stays local, else 2.",
        group=_PIECES,
        paper="2",
        reference="section 4.1.2",
    )
    coarse_superpixels: int = parameter(
        49,
        "Superpixels of the coarsest of several levels, and of the first sketch.",
        minimum=2,
        maximum=2000,
        scale="log",
        title="K coarse",
        group=_PIECES,
        paper=10,
        reference="section 4.1.2",
        advanced=True,
    )
    coarse_threshold: float = parameter(
        0.05,
        "A superpixel is cut finer when its value is above this part of the largest. 0 refines everything.",
        minimum=0.0,
        maximum=1.0,
        step=0.01,
        group=_PIECES,
        reference="section 4.1.2",
        advanced=True,
    )
    variant: Literal["paper", "published_code"] = parameter(
        "paper",
        "The paper's equations, or what the authors' published program computes: mean size of the change in whole grey "
        "levels of 0..255, steps −n, −n + 2 .. n − 2, not divided by the jitter or by the sum over the answer.",
        group=_READ,
        paper="paper",
    )
    sums: Literal["absolute", "signed", "literal"] = parameter(
        "absolute",
        "Sizes of changes; their sign kept (backward: sizes only below the bar); or eq. 6 as printed, whose signed sum "
        "below the bar is often near 0 or negative.",
        group=_READ,
        paper="literal",
        reference="eq. 5, 6",
    )
    divide_by: Literal["auto", "all_outputs", "pixels", "nothing"] = parameter(
        "auto",
        "What a superpixel's effect on the marked answer is divided by: its effect on the whole answer (eq. 6), its "
        "number of pixels, or nothing. auto: eq. 6; for classifiers pixels, since a share over classes says little.",
        group=_READ,
        paper="all_outputs",
        reference="eq. 6",
        advanced=True,
    )
    denominator_floor: float = parameter(
        1e-3,
        "Effects on the whole answer below this part of the largest count as this much, so that superpixels that do "
        "next to nothing get no share of it.",
        minimum=0.0,
        maximum=1.0,
        step=0.001,
        group=_READ,
        paper=0.0,
        reference="eq. 6",
        advanced=True,
    )
    score: Literal["logit", "probability"] = parameter(
        "logit",
        "What counts as a classifier's answer. Probabilities hardly move where the model is sure.",
        group=_READ,
        advanced=True,
    )
    input_channel: int = parameter(
        -1, "The channel of the scan to change; -1: all at once.", minimum=-1, maximum=63, group=_READ, advanced=True
    )
    output_channel: int = parameter(
        -1, "The channel of the answer to look at; -1: their sum.", minimum=-1, maximum=63, group=_READ, advanced=True
    )
    compare: bool = parameter(
        True,
        "In gradient mode, measure how well the derivative agrees with real changes.",
        group=_LONG,
        advanced=True,
    )
    engine: Literal["auto", "windows", "batches"] = parameter(
        "auto",
        "Recompute only the windows of each layer that a change reaches (exact), or ask the whole network each time. "
        "auto: windows where the network's layers are understood.",
        group=_LONG,
        advanced=True,
    )
    memory_mb: int = parameter(
        512,
        "About how much memory the work may take above the model. Less: more, smaller batches.",
        minimum=16,
        maximum=65_536,
        scale="log",
        unit="MB",
        title="memory",
        group=_LONG,
        advanced=True,
    )

    @field_validator("levels", mode="before")
    @classmethod
    def _number_or_auto(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) else value


#: Section 4.1; sums of sizes all the same, for as printed (`sums=literal`) eq. 6 has shares far below 0 and above 1.
_PAPER: dict[str, Any] = {"levels": "2", "coarse_superpixels": 10, "body": False, "denominator_floor": 0.0}


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
        "paper": _PAPER,
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

    def run(self, question: Question, parameters: IbixParameters) -> Findings:
        """Trace the marked region."""
        from core.explainers.ibix.session import IbixSession

        resolved = self.parameters_for(question.model, parameters)
        assert isinstance(resolved, IbixParameters)
        return IbixSession(question, resolved).findings()

    @classmethod
    def sentence(cls, explanation: Explanation) -> str:
        """How far the effect reaches, and how much of it stays near the marked place."""
        numbers, parameters = explanation.numbers, explanation.parameters
        forward, samples = parameters["direction"] == "forward", _samples(explanation)
        if not explanation.arrays["map"].values.any():
            if parameters["mode"] == "gradient":
                return "The derivative of the model's answer is 0 at this scan: real changes may still change it."
            return (
                f"Changing the marked {samples} changes nothing in the model's answer."
                if forward
                else "No part of the scan changes the marked part of the model's answer."
            )
        if explanation.target is not None:
            return _classifier_sentence(explanation, forward)
        unit = "mm" if numbers["in_millimetres"] else "pixels"
        inside = f"{percent(1 - numbers['leak_near'])}"
        near, reach = f"{numbers['near']:.3g} {unit}", f"{numbers['reach']:.3g} {unit}"
        if forward:
            return (
                f"Changing the marked {samples} changes the output within {reach}; "
                f"{inside} of the change lies within {near} of them."
            )
        return (
            f"The marked part of the output depends on the scan within {reach}; "
            f"{inside} of the map lies within {near} of it."
        )


def _samples(explanation: Explanation) -> str:
    return "voxels" if explanation.scan.dimensions == 3 else "pixels"


#: What a perturbation does to the marked samples, and how far it goes at the most.
_DONE: dict[str, tuple[str, str]] = {
    "add": ("Making {} brighter", "at the largest jitter"),
    "multiply": ("Making {} stronger", "at the largest jitter"),
    "noise": ("This pattern of noise on {}", "at the largest jitter"),
    "blur": ("Blurring {}", "all the way"),
    "mean": ("Giving {} the mean of what is around them", "all the way"),
    "inpaint": ("Filling {} in from around them", "all the way"),
}


def _classifier_sentence(explanation: Explanation, forward: bool) -> str:
    numbers, parameters = explanation.numbers, explanation.parameters
    samples, answer = _samples(explanation), f"the {parameters['score']} of {explanation.target}"
    if forward:
        slope = numbers[f"slope {explanation.target}"]
        done, most = _DONE[parameters["perturbation"]]
        return (
            f"{done.format(f'the marked {samples}')} {'raises' if slope > 0 else 'lowers'} {answer}, "
            f"by {abs(slope) * numbers['jitter_largest']:.3g} {most} if it went on evenly."
        )
    if parameters["mode"] == "gradient":
        return f"Half of the derivative of {answer} lies on {percent(numbers['share_half'])} of the {samples}."
    return (
        f"{numbers['superpixels_half']:.0f} of {numbers['superpixels']:.0f} superpixels hold half of all "
        f"effect on {answer}."
    )

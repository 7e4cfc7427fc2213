"""Parameters of IBIX."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import field_validator

from core.parameters import Parameters, parameter

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
        only_for="classification",
    )
    input_channel: int = parameter(
        -1,
        "The channel of the scan to change; -1: all at once.",
        minimum=-1,
        maximum=63,
        group=_READ,
        advanced=True,
        picks="input_channel",
    )
    output_channel: int = parameter(
        -1,
        "The channel of the answer to look at; -1: their sum.",
        minimum=-1,
        maximum=63,
        group=_READ,
        advanced=True,
        picks="output_channel",
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
PAPER: dict[str, Any] = {"levels": "2", "coarse_superpixels": 10, "body": False, "denominator_floor": 0.0}

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
        "marked part of the answer. Automatic: forward, for classifiers backward.",
        group=_WHAT,
        reference="sections 3.2, 3.3",
        title="Direction",
        words={"auto": "automatic", "forward": "forward", "backward": "backward"},
    )
    mode: Literal["finite_difference", "gradient"] = parameter(
        "finite_difference",
        "Real changes of the scan, or the derivative at the scan itself: quicker and per pixel, but another quantity.",
        group=_WHAT,
        paper="finite_difference",
        reference="eq. 1",
        title="Ask by",
        words={"finite_difference": "real changes of the scan", "gradient": "the derivative (quick)"},
    )
    perturbation: Literal["add", "multiply", "blur", "noise", "mean", "inpaint"] = parameter(
        "add",
        "How a region is changed: a constant added, values multiplied, noise added, or a step towards the blurred "
        "scan, the mean around the region or what its surroundings continue to.",
        group=_JITTER,
        paper="add",
        reference="eq. 1",
        title="Kind of change",
        words={
            "add": "brighter and darker",
            "multiply": "stronger and weaker",
            "blur": "towards the blurred scan",
            "noise": "noise",
            "mean": "towards the mean around",
            "inpaint": "filled in from around",
        },
    )
    jitter_percent: float = parameter(
        39.2,
        "Largest jitter H, as a part of the range of values the model was made for (multiply: of the value itself). "
        "39.2 is 100 of 255 grey levels.",
        minimum=0.0,
        maximum=200.0,
        step=0.1,
        unit="%",
        group=_JITTER,
        paper=39.2,
        reference="section 4.1.1",
        title="Largest change (H)",
    )
    jitter_range: float = parameter(
        0.0,
        "In the scan's own units; above 0 it takes the place of the percentage.",
        minimum=0.0,
        maximum=1e6,
        group=_JITTER,
        advanced=True,
        title="Largest change in scan units (H)",
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
        title="Changes of each region",
        advanced=True,
    )
    quadrature: Literal["uniform", "quick"] = parameter(
        "uniform",
        "Evenly spaced jitters, or 16 at the places where they say most about the average (within about 2.5% of 100).",
        group=_JITTER,
        paper="uniform",
        reference="eq. 5",
        title="Spacing of the changes",
        advanced=True,
        words={"uniform": "even", "quick": "16 well-placed ones"},
    )
    clip: bool = parameter(
        False,
        "Keep changed values inside the range the model was made for.",
        group=_JITTER,
        paper=False,
        advanced=True,
        title="Keep inside the range",
    )
    blur_mm: float = parameter(
        5.0,
        "Full width at half maximum of the blur. Used when the change goes towards the blurred scan.",
        minimum=0.5,
        maximum=100.0,
        unit="mm",
        group=_JITTER,
        advanced=True,
        title="Width of the blur",
    )
    seed: int = parameter(
        0,
        "Draws the noise. Used when the perturbation is noise.",
        minimum=0,
        maximum=1_000_000,
        group=_JITTER,
        advanced=True,
        title="Seed of the noise",
    )
    superpixels: int = parameter(
        500,
        "How many superpixels the scan is cut into, asked of SLIC over the whole image; it gives about as many.",
        minimum=2,
        maximum=20_000,
        scale="log",
        group=_PIECES,
        paper=500,
        reference="section 4.1.1",
        title="Pieces of the scan (K)",
    )
    compactness: float = parameter(
        0.1,
        "Larger: rounder pieces; smaller: closer to edges in the scan.",
        minimum=0.001,
        maximum=100.0,
        scale="log",
        group=_PIECES,
        paper=0.1,
        reference="section 4.1.1",
        title="Roundness of the pieces",
        advanced=True,
    )
    body: bool = parameter(
        True,
        "Leave out what lies outside the body.",
        group=_PIECES,
        paper=False,
        advanced=True,
        title="Only the body",
    )
    levels: Literal["auto", "1", "2", "3", "4"] = parameter(
        "auto",
        "Only pieces that matter are cut finer. Automatic: one level where a change stays local, else two.",
        group=_PIECES,
        paper="2",
        reference="section 4.1.2",
        title="Coarse to fine",
        advanced=True,
        words={"auto": "automatic", "1": "one level", "2": "two levels", "3": "three levels", "4": "four levels"},
    )
    coarse_superpixels: int = parameter(
        49,
        "Pieces of the coarsest of several levels, and of the first sketch.",
        minimum=2,
        maximum=2000,
        scale="log",
        group=_PIECES,
        paper=10,
        reference="section 4.1.2",
        advanced=True,
        title="Coarse pieces (K)",
    )
    coarse_threshold: float = parameter(
        0.05,
        "A piece is cut finer when its value is above this part of the largest. 0 refines everything.",
        minimum=0.0,
        maximum=1.0,
        step=0.01,
        group=_PIECES,
        reference="section 4.1.2",
        advanced=True,
        title="Cut finer above",
    )
    variant: Literal["paper", "published_code"] = parameter(
        "paper",
        "The paper's equations, or what the authors' published program computes: mean size of the change in whole "
        "grey levels of 0..255, steps −n, −n + 2 .. n − 2, not divided by the jitter or by the sum over the answer.",
        group=_READ,
        paper="paper",
        title="Equations",
        advanced=True,
        words={"paper": "the paper's", "published_code": "the published program's"},
    )
    sums: Literal["absolute", "signed", "literal"] = parameter(
        "absolute",
        "Sizes of changes; their sign kept (backward: sizes only below the bar); or eq. 6 as printed, whose signed "
        "sum below the bar is often near 0 or negative.",
        group=_READ,
        paper="literal",
        reference="eq. 5, 6",
        title="Changes add up as",
        advanced=True,
        words={"absolute": "sizes", "signed": "with their sign", "literal": "equation 6 as printed"},
    )
    divide_by: Literal["auto", "all_outputs", "pixels", "nothing"] = parameter(
        "auto",
        "What a piece's effect on the marked answer is divided by: its effect on the whole answer (eq. 6), its "
        "number of pixels, or nothing. Automatic: eq. 6; for classifiers pixels, since a share over classes says "
        "little.",
        group=_READ,
        paper="all_outputs",
        reference="eq. 6",
        advanced=True,
        title="Divided by",
        words={
            "auto": "automatic",
            "all_outputs": "effect on the whole answer",
            "pixels": "number of pixels",
            "nothing": "nothing",
        },
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
        title="Smallest effect that counts",
    )
    score: Literal["logit", "probability"] = parameter(
        "logit",
        "What counts as a classifier's answer. Probabilities hardly move where the model is sure.",
        group=_READ,
        advanced=True,
        only_for="classification",
        title="Answer of a classifier",
        words={"logit": "score (logit)", "probability": "probability"},
    )
    input_channel: int = parameter(
        -1,
        "The channel of the scan to change; -1: all at once.",
        minimum=-1,
        maximum=63,
        group=_READ,
        advanced=True,
        picks="input_channel",
        title="Channel of the scan",
    )
    output_channel: int = parameter(
        -1,
        "The channel of the answer to look at; -1: their sum.",
        minimum=-1,
        maximum=63,
        group=_READ,
        advanced=True,
        picks="output_channel",
        title="Channel of the answer",
    )
    compare: bool = parameter(
        True,
        "In gradient mode, measure how well the derivative agrees with real changes.",
        group=_LONG,
        advanced=True,
        title="Compare with real changes",
    )
    engine: Literal["auto", "windows", "batches"] = parameter(
        "auto",
        "Recompute only the windows of each layer that a change reaches (exact), or ask the whole network each "
        "time. Automatic: windows where the network's layers are understood.",
        group=_LONG,
        advanced=True,
        title="Way of asking",
        words={"auto": "automatic", "windows": "only what changes", "batches": "whole images"},
    )
    memory_mb: int = parameter(
        512,
        "About how much memory the work may take above the model. Less: more, smaller batches.",
        minimum=16,
        maximum=65_536,
        scale="log",
        unit="MB",
        group=_LONG,
        advanced=True,
        title="Memory",
    )

    @field_validator("levels", mode="before")
    @classmethod
    def _number_or_auto(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) else value


#: Section 4.1; sums of sizes all the same, for as printed (`sums=literal`) eq. 6 has shares far below 0 and above 1.
PAPER: dict[str, Any] = {"levels": "2", "coarse_superpixels": 10, "body": False, "denominator_floor": 0.0}

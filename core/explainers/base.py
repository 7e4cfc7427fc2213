"""What an explainer is, what it is given, and what it returns. Importable without torch."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import numpy as np

from core.acceptance.verdict import Acceptance
from core.explainers.extras import (
    Color,
    Curve,
    OnModelGrid,
    Parts,
    Verdict,
    held_by_little,
    places_of,
    spread_out,
    verdict_of,
)
from core.metrics.localisation import RegionShare
from core.parameters import Parameters, Parametrised
from core.progress import Report, silent
from core.registry import Registry, not_a_subclass
from core.scans.scan import Scan
from core.wording import percent, sentence_case

if TYPE_CHECKING:
    from core.models.inputs import PreparedInput
    from core.models.model import Model


#: Name of the array that is the region as it was marked.
REGION = "region"

Kind = Literal["attribution", "mask", "image", "answer", "labels"]
Side = Literal["input", "output"]


@dataclass(frozen=True, eq=False)
class MapArray:
    """An array an explainer produced, with what is needed to show it honestly.

    Parameters
    ----------
    values : numpy.ndarray, float32
        Spatial array. In `Findings` in model space, in `Explanation` in scan space. Never silently rescaled.
    title : str
        What it is, for people ("hidden share", "saliency").
    kind : {"attribution", "mask", "image", "answer", "labels"}
        attribution: larger means more important; mask: 0..1 opacity of what was hidden; image: a changed scan;
        answer: an image the model made, in the units of its card; labels: whole numbers that name regions.
    unit : str
        Unit of the values ("share hidden", "d logit / d intensity").
    neutral : float
        Value that means nothing; used outside the model's field of view.
    diverging : bool
        Values have a meaningful sign: show with a map centred on zero.
    side : {"input", "output"}
        What it lies over: the scan, or the image that a regressor makes of it. In `Findings` also whose grid it is on.
    in_scan : numpy.ndarray, float32, optional
        In `Findings`: the values on the scan's own grid, where carrying `values` there would not give them.
    """

    values: np.ndarray
    title: str
    kind: Kind
    unit: str = ""
    neutral: float = 0.0
    diverging: bool = False
    side: Side = "input"
    in_scan: np.ndarray | None = None


@dataclass(frozen=True)
class Check:
    """A test of the explanation, shown beside it.

    `passed` is None where a number informs without a threshold. `applies` is False where there was nothing to test, so
    that passing would have been empty; `passed` is None then, too. `remedy` is what to try where it failed and there is
    no result without it: the map is then kept, and not drawn.
    """

    name: str
    title: str
    value: float | None
    sentence: str
    passed: bool | None = None
    applies: bool = True
    remedy: str = ""


@dataclass(frozen=True, eq=False)
class Question:
    """What an explainer is asked.

    Parameters
    ----------
    model : Model
        The network to explain.
    prepared : PreparedInput
        The scan as the network sees it; ``prepared.tensor`` is ``(1, C, *spatial)``.
    target : int, optional
        Index of the class to explain (classification).
    region : numpy.ndarray of bool, optional
        Region a person marked, in model space: spatial shape of the tensor, or of the network's answer where
        `Explainer.region_side` says that the region lies there.
    report : Report
        To be called often; raises `core.errors.Cancelled` when the person cancelled.
    """

    model: Model
    prepared: PreparedInput
    target: int | None
    region: np.ndarray | None = None
    report: Report = silent


@dataclass(frozen=True, eq=False)
class Findings:
    """What an explainer returns, in model space.

    Parameters
    ----------
    arrays : dict of str to MapArray
        ``map`` is the main one (for a mask explainer: the share hidden, 1 − m).
        ``perturbed``, where there is one, is the input after what the map marks was replaced.
    after : dict of str to float, optional
        Class → probability on ``perturbed``.
    history : dict of str to list of float
        Curves over iterations, all of one length, with their own x-axis ``iteration``.
    checks : tuple of Check
        Swap test, emptiness, randomisation ….
    numbers : dict
        Further figures for the record (volumes in cm³ …).
    warnings : tuple of str
        What a reader must know before believing the map.
    parts : Parts, optional
        What the map was made of, where that is a few things of one kind (filters of a layer).
    """

    arrays: dict[str, MapArray]
    after: dict[str, float] | None = None
    history: dict[str, list[float]] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    numbers: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    parts: Parts | None = None


@dataclass(frozen=True, eq=False)
class Explanation:
    """A finished explanation in scan space, with everything needed to repeat it.

    ``arrays["map"].values`` has the scan's spatial shape. ``scores`` has ``before`` and ``after`` (class → probability)
    and is None for regressors. ``hashes`` name scan and model by content. ``curves`` says how ``history`` is drawn.
    ``acceptance`` is whether the model can read the scan at all; None where that was not looked at.
    ``sentence`` is the answer in words for everybody, ``technical`` how it was computed, for those who know the method.
    ``on_model_grid`` is None where the scan lies on the model's grid already.
    """

    explainer: str
    model: str
    target: str | None
    preset: str
    parameters: dict[str, Any]
    scan: Scan
    arrays: dict[str, MapArray]
    scores: dict[str, dict[str, float] | None] | None
    history: dict[str, list[float]]
    regions: tuple[RegionShare, ...]
    atlas: str
    checks: tuple[Check, ...]
    numbers: dict[str, float]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    sentence: str
    synthetic: bool
    seconds: float
    versions: dict[str, str]
    hashes: dict[str, str]
    parts: Parts | None = None
    curves: Mapping[str, Curve] = field(default_factory=dict)
    acceptance: Acceptance | None = None
    on_model_grid: OnModelGrid | None = None
    technical: str = ""

    @property
    def verdict(self) -> Verdict:
        """Whether it holds, by its own checks."""
        return verdict_of(
            [asdict(check) for check in self.checks],
            asked=bool(self.numbers.get("asked", 1.0)),
            zero=not self.arrays["map"].values.any(),
        )


class Explainer(Parametrised, ABC):
    """One way to explain a model. Subclass it in one file of this folder; nothing else need change.

    Texts, parameters and presets are class attributes as `core.parameters.Parametrised` has them; the summary is one
    sentence on what the map means.

    Class attributes
    ----------------
    takes_region : bool
        Whether ``question.region`` changes the map; where it does not, a region is a landmark: how much of the map it
        holds is recorded.
    steered_by_region : mapping of {"input", "output"} to mapping
        Values that parameters take by the side on which a region is drawn: a screen sets them, and offers no control.
    curves : mapping of str to Curve
        Columns of ``Findings.history`` in the order in which they are drawn; one that is not named comes last, quiet.
    makes_parts : bool
        Whether its findings have ``parts``: offered first where networks are compared.
    with_parts, without_parts : mapping
        Values with which every part's own map is kept, and with which none is.
    color : str, optional
        Its colour on every screen; by default one that follows from its name.
    order : int
        Place in a list of explainers: smaller comes first, of equals by title.
    by_gradient : bool
        Whether it follows gradients of the network's answer.
    changes_scan : bool
        Whether it leaves a changed scan beside its map: a screen keeps a place for that.
    """

    takes_region: ClassVar[bool] = False
    steered_by_region: ClassVar[Mapping[Side, Mapping[str, Any]]] = {}
    curves: ClassVar[Mapping[str, Curve]] = {}
    makes_parts: ClassVar[bool] = False
    with_parts: ClassVar[Mapping[str, Any]] = {}
    without_parts: ClassVar[Mapping[str, Any]] = {}
    color: ClassVar[Color | None] = None
    order: ClassVar[int] = 100
    by_gradient: ClassVar[bool] = False
    changes_scan: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        EXPLAINERS.offer(cls)

    @classmethod
    def describe(cls) -> dict[str, Any]:
        """The class attributes as plain data, and the JSON schema of the parameters."""
        return {
            **super().describe(),
            "takes_region": cls.takes_region,
            "steered_by_region": {side: dict(values) for side, values in cls.steered_by_region.items()},
            "curves": {name: asdict(curve) for name, curve in cls.curves.items()},
            "makes_parts": cls.makes_parts,
            "with_parts": dict(cls.with_parts),
            "without_parts": dict(cls.without_parts),
            "color": cls.color,
            "order": cls.order,
            "changes_scan": cls.changes_scan,
        }

    @classmethod
    def unfit(cls, model: Model) -> str | None:
        """Why this explainer does not fit `model`, as a sentence; None when it fits."""
        return (
            None if model.card.task == "classification" else f"{cls.title} explains classifiers; this is a regressor."
        )

    @classmethod
    def parameters_for(cls, model: Model, parameters: Parameters) -> Parameters:
        """Fill in what only the model knows (a layer's name); by default nothing."""
        return parameters

    @classmethod
    def region_side(cls, model: Model, parameters: Any) -> Side:
        """Which side of `model` a region lies on: its input, or the image it makes of it."""
        return "input"

    @classmethod
    def map_side(cls, model: Model, parameters: Any) -> Side:
        """Which side its map lies on: the scan, or the image that `model` makes of it."""
        return "input"

    @classmethod
    def needs_region(cls, model: Model, parameters: Any) -> bool:
        """Whether there is nothing to explain without a region; by default where one is taken."""
        return cls.takes_region

    @classmethod
    def needs_gradient(cls, parameters: Any) -> bool:
        """Whether, with these parameters, it follows gradients of the answer; by default as the class says."""
        return cls.by_gradient

    @classmethod
    def quick(cls, parameters: Any) -> Mapping[str, Any] | None:
        """Values over `parameters` for a coarse map within a moment, shown until the exact one is there; None: none."""
        return None

    @abstractmethod
    def run(self, question: Question, parameters: Any) -> Findings:
        """Compute the explanation. Called with gradients of the weights off and the network in eval mode."""

    def attribute(self, question: Question, parameters: Any) -> MapArray:
        """The map alone, in model space, raw: that of `run`, without its tests where it can be had without."""
        return self.run(question, parameters).arrays["map"]

    @classmethod
    def brief(cls, parameters: Mapping[str, Any]) -> str:
        """What its map is, in the few words of a panel's title; empty: the map's own title."""
        return ""

    @classmethod
    def caveat(cls, parameters: Mapping[str, Any], numbers: Mapping[str, float]) -> str:
        """What must be known before anything else of a map with these numbers, in a few words; empty: nothing."""
        return ""

    @classmethod
    def told(cls, parameters: Mapping[str, Any], numbers: Mapping[str, float]) -> tuple[tuple[str, str], ...]:
        """How a map was computed, as rows of name and figure for people; by default every number."""
        return tuple((name.replace("_", " "), f"{value:.4g}") for name, value in numbers.items())

    @classmethod
    def effects(cls, numbers: Mapping[str, float]) -> dict[str, float]:
        """Class → change of its score for one unit of change in the region; empty where that was not measured."""
        return {}

    @classmethod
    def done(cls, parameters: Mapping[str, Any], numbers: Mapping[str, float]) -> str:
        """What was done to the scan between both scores ("with 1.8 cm³ hidden"), in a few words; empty: nothing."""
        return "after the change"

    @classmethod
    def meaning(cls, explanation: Explanation) -> str:
        """What this map shows, as a sentence; by default what every map of this explainer does."""
        return cls.summary

    @classmethod
    def finding(cls, explanation: Explanation, places: str) -> str:
        """The main fact of this map, as a sentence in words for everybody.

        Parameters
        ----------
        explanation : Explanation
            Whose map is not zero everywhere.
        places : str
            Where most of it lies ("left hippocampus and left amygdala"); empty where no place has a name.
        """
        return f"{cls.meaning(explanation).rstrip('.')}{f', most of all in {places}' if places else ''}."

    @classmethod
    def main_fact(cls, explanation: Explanation) -> str:
        """`finding`, and on how little of the scan the map lies where no place has a name."""
        main = explanation.arrays["map"]
        if not main.values.any():
            return "The map is zero everywhere: it says nothing about this scan."
        places = places_of(explanation.regions)
        said = sentence_case(cls.finding(explanation, places), start=True)
        if places:
            return f"{said}{spread_out(explanation.regions)}"
        return said if main.side == "output" else f"{said} {held_by_little(main.values - np.float32(main.neutral))}"

    @classmethod
    def sentence(cls, explanation: Explanation) -> str:
        """The answer in plain words, computed from the numbers."""
        said = cls.main_fact(explanation)
        if explanation.scores and explanation.target and explanation.scores["before"]:
            probability = percent(explanation.scores["before"][explanation.target])
            return f"{said} The model gives {explanation.target} {probability}."
        return said

    @classmethod
    def technical(cls, explanation: Explanation) -> str:
        """How this map was computed, as a sentence with the method's own words; empty: nothing is to be said."""
        return ""


def _complaint(cls: Any) -> str | None:
    """Why a class cannot be an explainer, as the end of a sentence."""
    reason = not_a_subclass(cls, Explainer, "title", "summary", "reference")
    reason = reason or not_a_subclass(cls.parameters_model, Parameters)
    if reason is not None:
        return reason
    for preset in (None, *cls.presets):
        cls.parameters(preset)
    if cls.color not in (*get_args(Color), None):
        return f"there is no colour {cls.color!r}; there is {', '.join(get_args(Color))}"
    json.dumps(cls.describe())  # screens and scripts read it
    return None


#: What explainers share; the rest of this folder are explainers.
_SHARED = {"base", "checked_map", "extras", "hiding", "many", "outside", "registry", "run", "sampling"}
EXPLAINERS: Registry[type[Explainer]] = Registry(
    "explainers",
    "explainer",
    ["core.explainers"],
    without=_SHARED,
    judge=_complaint,
    describe=lambda cls: cls.describe(),
)

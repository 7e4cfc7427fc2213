"""Maps that are tested by hiding what they mark: what they share, however they are made.

Importable without torch, so that explainers can be listed without it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from core.explainers.base import Check, Explainer, Explanation, Findings, MapArray, Question
from core.parameters import Parameters, parameter
from core.wording import percent

if TYPE_CHECKING:
    from core.models.model import Model

TEST_GROUP = "Test of the map"
#: all explainers share the group: it stands below what is an explainer's own
_TEST_ORDER = 1
#: Random maps that stand against the one found.
_CONTROLS = 3
_NOTHING_MARKED = "The map marks nothing where something could be hidden, so hiding cannot test it."


class MapParameters(Parameters):
    """Parameters of every map that is tested by hiding its top."""

    hide_share: float = parameter(
        5.0,
        "Share of the tissue, where the map is largest, that is replaced by mean healthy tissue (blur, where the "
        "model has none) to see whether the answer changes.",
        minimum=0.1,
        maximum=50.0,
        step=0.1,
        unit="%",
        group=TEST_GROUP,
        order=_TEST_ORDER,
        title="Replaced for the test",
    )
    seed: int = parameter(
        0,
        "Decides the random places the map is compared with, and the method's own random draws.",
        minimum=0,
        maximum=1_000_000,
        group=TEST_GROUP,
        order=_TEST_ORDER,
        advanced=True,
        title="Seed of random draws",
    )


class CheckedMap(Explainer):
    """A map that is tested by hiding its top. A subclass makes it in `attribute`.

    Class attributes
    ----------------
    hide_by : {"magnitude", "positive"}
        Which voxels count as marked: large values of either sign (gradients), or large positive ones.
    when_zero : str
        What to try where the map is zero everywhere, as the end of a sentence.
    """

    hide_by: ClassVar[Literal["magnitude", "positive"]] = "magnitude"
    when_zero: ClassVar[str] = ""
    changes_scan = True

    @abstractmethod
    def attribute(self, question: Question, parameters: Any) -> MapArray:
        """The map, raw, in model space (spatial shape)."""

    def run(self, question: Question, parameters: Any) -> Findings:
        """Make the map, then hide its top and as much at random places."""
        return self.tested(question, parameters, self.attribute(question, parameters))

    def checks(self, question: Question, parameters: Any, values: np.ndarray) -> tuple[Check, ...]:
        """Checks of a method's own, beside the ones that all maps get; by default none."""
        return ()

    def tested(self, question: Question, parameters: Any, array: MapArray) -> Findings:
        """Findings with the map `array` (model space, raw), its top hidden, and as much at random places."""
        from core.explainers.hiding import (
            as_it_leaves,
            fill_image,
            healthy_or_blur,
            hide,
            of_leaving,
            random_control,
            support_of,
        )

        model, prepared = question.model, question.prepared
        support = support_of(model, array.values.shape)
        hidden = top_share(array.values, support, parameters.hide_share / 100, self.hide_by)
        kind = healthy_or_blur(model)
        fill = fill_image(model, prepared, kind)
        name = model.card.classes[question.target or 0]
        changed = hide(prepared.tensor, hidden, fill)
        leaving = as_it_leaves(model, prepared, changed)
        after, on_grid = model.probabilities(leaving.tensor), model.probabilities(changed)[name]
        control = random_control(
            hidden,
            support,
            prepared,
            fill,
            lambda tensor: model.probabilities(tensor)[name],
            _CONTROLS,
            parameters.seed,
        )
        before = model.probabilities(prepared.tensor)[name]
        numbers = {
            "hidden_share": float(hidden[support].mean()) if support.any() else 0.0,
            "control": control,
            "after_on_model_grid": on_grid,
            "hidden_by_healthy_tissue": float(kind == "healthy_mean"),
        }
        return Findings(
            arrays={
                "map": array,
                # a viewer shows one channel; of several it is the first
                "perturbed": MapArray(
                    leaving.tensor[0, 0].cpu().numpy(),
                    "scan without what the map marks",
                    "image",
                    in_scan=leaving.in_scan,
                ),
            },
            after=after,
            checks=(
                *(
                    _hiding_checks(name, before, after[name], control, parameters.hide_share, kind == "healthy_mean")
                    if hidden.any()
                    else (Check("hide_top", "Hiding the map's top", None, _NOTHING_MARKED, False),)
                ),
                *self.checks(question, parameters, array.values),
            ),
            numbers=numbers,
            warnings=(*self._zero(array.values), *of_leaving(name, leaving.whole, after[name], on_grid)),
        )

    def _zero(self, values: np.ndarray) -> tuple[str, ...]:
        said = f"the map is zero everywhere: it says nothing about this scan{self.when_zero}"
        return () if values.any() else (said,)

    @classmethod
    def done(cls, parameters: Mapping[str, Any], numbers: Mapping[str, float]) -> str:
        """How much of the map was replaced."""
        return f"with the map's top {parameters['hide_share']:g}% replaced" if numbers.get("hidden_share") else ""

    @classmethod
    def sentence(cls, explanation: Explanation) -> str:
        """The main fact of the map, and what hiding its top did."""
        scores, target, numbers = explanation.scores, explanation.target, explanation.numbers
        tested = bool(scores and scores["before"] and scores["after"]) and "control" in numbers
        if not tested or target is None or not numbers["hidden_share"]:
            return super().sentence(explanation)
        assert scores and scores["before"] and scores["after"]
        tissue = "mean healthy tissue" if numbers["hidden_by_healthy_tissue"] else "blur"
        before, after = percent(scores["before"][target]), percent(scores["after"][target])
        change = f"leaves {target} at {after}" if before == after else f"takes {target} from {before} to {after}"
        share = f"{explanation.parameters['hide_share']:g}%"
        return (
            f"{cls.main_fact(explanation)} Replacing the strongest {share} of the map by {tissue} {change}; "
            f"as much replaced at random places leaves {percent(numbers['control'])}."
        )


def answer_of(explanation: Explanation) -> str:
    """The answer that is explained, for a sentence."""
    return f"the answer {explanation.target}" if explanation.target else "the answer"


def layer_by_default(model: Model) -> str | None:
    """The layer whose map is shown unless a person names another: the card's, else the last map the answer rests on.

    None for a network without convolutions.
    """
    from core.models.behaviour import probe_input
    from core.networks import convolutions, last_feature_map

    if model.card.attribution_layer or not convolutions(model.network):
        return model.card.attribution_layer
    contract = model.card.input
    # of an input of any size a large one, so that the last maps still have an extent
    sides = {2: (256, 128, 64), 3: (96, 64, 32)}[contract.dimensions]
    shapes = [contract.shape] if contract.shape else [(side,) * contract.dimensions for side in sides]
    for shape in shapes:
        fitting = tuple(-(-side // contract.multiple_of) * contract.multiple_of for side in shape)
        asked = contract.model_copy(update={"shape": contract.shape or fitting})
        try:
            found = last_feature_map(model.network, probe_input(asked, model.device))
        except Exception:  # any code of the network may have run: it cannot take an input of this size
            found = None
        if found is not None:
            return found
    return convolutions(model.network)[-1]


def top_share(
    values: np.ndarray, support: np.ndarray, share: float, by: Literal["magnitude", "positive"]
) -> np.ndarray:
    """Voxels of `support` where the map is largest.

    Parameters
    ----------
    values : numpy.ndarray
        The map, spatial.
    support : numpy.ndarray of bool, same shape
        Where voxels may be marked.
    share : float
        Part of the support's voxels to mark, 0..1.
    by : {"magnitude", "positive"}
        Whether large values of either sign count, or large positive ones.

    Returns
    -------
    numpy.ndarray, float32
        1 where marked, else 0. Voxels where the map is zero (``positive``: not above zero) are never marked, however
        large the share.
    """
    strength = np.abs(values) if by == "magnitude" else np.maximum(values, 0)
    places = np.flatnonzero(support & (strength > 0))
    wanted = round(share * int(support.sum()))
    order = np.argsort(strength.ravel()[places], kind="stable")[::-1]
    marked = np.zeros(values.shape, dtype=np.float32)
    marked.ravel()[places[order[:wanted]]] = 1.0
    return marked


def _hiding_checks(
    name: str, before: float, after: float, control: float, share: float, healthy: bool
) -> tuple[Check, ...]:
    tissue = "mean healthy tissue" if healthy else "blur (the model's card has no healthy mean)"
    called = before >= 0.5
    change = f"{name} goes from {percent(before)} to {percent(after)}"
    hidden = f"With the top {share:g}% of the map replaced by {tissue} {change}."
    random = f"As much replaced at random places leaves {name} at {percent(control)} (mean of {_CONTROLS})."
    held, apart = after <= before / 2, control >= before / 2
    if not called:
        random = f"Not applicable: the model does not call the scan {name}. {random}"
    elif apart and not held:
        random = f"Not applicable: the map's top did not change the answer. {random}"
    tested = called and (held or not apart)
    return (
        Check("hide_top", "Hiding the map's top", after, hidden, held if called else None, applies=called),
        Check("control", "Random places", control, random, apart if tested else None, applies=tested),
    )

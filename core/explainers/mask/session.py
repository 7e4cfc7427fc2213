"""One scan's mask from question to findings: optimise, threshold, score again in full precision, and check."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from core.explainers.base import Check, Findings, MapArray, Question
from core.explainers.hiding import (
    Leaving,
    as_it_leaves,
    fill_image,
    hide,
    of_leaving,
    random_control,
    support_of,
    tissue_of,
)
from core.explainers.mask.equations import threshold_hidden
from core.explainers.mask.loop import MaskLoop, Step
from core.explainers.mask.stopping import Candidates, EarlyStop, Settling
from core.explainers.mask.swap import independent_fills, swap_check
from core.explainers.mask.telling import (
    HEALTHY_FILL,
    VEIL,
    VEIL_REMEDY,
    goal_remedy,
    healthy_by_healthy,
    not_applicable,
    settled_check,
)
from core.metrics.sanity import Drop
from core.networks import FastNetwork, fast_network
from core.progress import Progress
from core.wording import percent

if TYPE_CHECKING:
    from core.explainers.mask.parameters import MaskParameters

#: Seconds between previews: often enough to watch the mask form, rarely enough to cost nothing.
_PREVIEW_SECONDS = 0.4
#: Random masks that stand against the one found.
_CONTROLS = 3
#: Factor by which a mask gets more opaque until the scan that leaves meets the goal, and the largest that is tried.
_MARGIN, _MOST_MARGIN = 1.05, 2.0
#: A margin that has to be known.
_MUCH_MARGIN = 1.2


@dataclass(frozen=True, eq=False)
class Chosen:
    """The mask that is kept.

    Parameters
    ----------
    hidden : numpy.ndarray, float32, spatial
        Hidden share on the model's grid.
    iteration : int
        Whose it was, from 0.
    leaving : Leaving
        The masked scan.
    on_model_grid : float
        The class's probability on equation 1 as it stands, on the model's grid.
    margin : float
        How much more opaque than that iteration's it is.
    """

    hidden: np.ndarray
    iteration: int
    leaving: Leaving
    on_model_grid: float
    margin: float


class MaskSession:
    """Everything that one scan's mask needs, gathered once.

    Parameters
    ----------
    question : Question
        With a target.
    parameters : MaskParameters
        See `core.explainers.mask.explainer`.
    """

    def __init__(self, question: Question, parameters: MaskParameters) -> None:
        if question.target is None:
            raise ValueError("a mask needs a target class")
        self.question, self.parameters, self.target = question, parameters, question.target
        self.model, self.prepared, self.x = question.model, question.prepared, question.prepared.tensor
        self.name = self.model.card.classes[self.target]
        self.fill = fill_image(self.model, self.prepared, parameters.mu, parameters.mu_value, parameters.blur_mm)
        self.support = support_of(self.model, self.x.shape[2:], parameters.support == "card")
        #: of where hiding is allowed, what there is to hide
        self.tissue = self.support & tissue_of(self.model, self.x)
        spacing = self.prepared.spacing_mm
        known = self.prepared.in_millimetres
        #: one voxel in cm³ (one pixel in cm², or in pixels of a picture that does not say how large these are)
        self.voxel = float(np.prod([s / 10 if known else s for s in spacing]))
        self.unit = "cm³" if len(spacing) == 3 else "cm²" if known else "pixels"
        self._amount = {"cm³": "hidden_cm3", "cm²": "hidden_cm2", "pixels": "hidden_pixels"}[self.unit]

    def network(self) -> FastNetwork:
        """The folded copy that the loop asks."""
        return fast_network(self.model.scores, self.x.ndim - 2, self.parameters.precision)

    def loop(self) -> MaskLoop:
        """The loop, ready for its first step."""
        reading = self.model.reading
        assert reading is not None  # it has a target
        return MaskLoop(
            self.network(),
            self.x,
            self.fill,
            self.support,
            self.target,
            self.prepared.spacing_mm,
            self.parameters,
            reading.margin,
        )

    def probability(self, changed: torch.Tensor) -> float:
        """Target's probability on a changed scan, by the untouched network in float32."""
        return self.model.probabilities(changed)[self.name]

    def findings(self) -> Findings:
        """Optimise the mask and test it."""
        before = self.model.probabilities(self.x)
        if not self.model.calls(before, self.name):
            return self._nothing_to_hide(before, self._not_called(before), {"asked": 0.0})
        if self.name == self.model.card.healthy and self.parameters.mu == "healthy_mean":
            return self._nothing_to_hide(before, healthy_by_healthy(self.name), {"asked": 0.0, HEALTHY_FILL: 1.0})
        self.question.report(Progress(0.0, "finding where to start"))
        loop = self.loop()
        history, candidates, settling = self._optimise(loop)
        chosen = self._best(loop, candidates)
        after = self.model.probabilities(chosen.leaving.tensor)
        checks, numbers = self._check(chosen, before[self.name], after[self.name])
        improved = settling.improved
        numbers |= {
            "iterations": float(len(history["iteration"])),
            "kept_iteration": float(chosen.iteration),
            "still_falling": improved,
            "first_fill": loop.first_fill,
            "price_per_voxel": loop.weights.size,
        }
        if self.prepared.in_millimetres:
            numbers["voxel_mm3" if chosen.hidden.ndim == 3 else "pixel_mm2"] = float(np.prod(self.prepared.spacing_mm))
        return Findings(
            arrays=_arrays(chosen.hidden, chosen.leaving),
            after=after,
            history=history,
            checks=(*checks, settled_check(improved, settling.settled, len(history["iteration"]))),
            numbers=numbers,
            warnings=self._warnings(chosen, numbers, after[self.name]),
        )

    def _optimise(self, loop: MaskLoop) -> tuple[dict[str, list[float]], Candidates, Settling]:
        iterations = self.parameters.iterations
        rows: dict[str, list[float]] = {}
        candidates = Candidates(self.parameters)
        stop = EarlyStop(self.parameters.patience, self.parameters.tolerance)
        settled = Settling(self.parameters.goal, self.parameters.settled / 100)
        shown = -np.inf
        for number in range(1, iterations + 1):
            step, hidden = loop.step()
            candidates.offer(step, hidden)
            row = self._row(step)
            for key, value in {"iteration": float(step.iteration), **row}.items():
                rows.setdefault(key, []).append(value)
            preview = None
            if time.perf_counter() - shown >= _PREVIEW_SECONDS:
                preview, shown = loop.whole(hidden), time.perf_counter()
            message = f"iteration {number} of at most {iterations}"
            self.question.report(Progress(number / iterations, message, row, preview))
            # both count: neither may be left out of an iteration
            if any([stop(step.loss), settled(step)]):
                break
        return rows, candidates, settled

    def _row(self, step: Step) -> dict[str, float]:
        return {
            "loss": step.loss,
            "score": step.score,
            "size": step.size,
            "edge": step.smoothness,
            "probability": step.probability,
            f"hidden {self.unit}": step.hidden_voxels * self.voxel,
        }

    def _best(self, loop: MaskLoop, candidates: Candidates) -> Chosen:
        """First kept mask that meets the goal once thresholded and asked in full precision; else the closest to it."""
        best, lowest, iteration = np.zeros(self.support.shape, dtype=np.float32), np.inf, 0
        for kept in candidates.kept():
            hidden = loop.whole(threshold_hidden(kept.hidden, self.parameters.threshold))
            probability = self.probability(hide(self.x, hidden, self.fill))
            if self.parameters.selection == "lowest_loss":
                return self._chosen(hidden, kept.iteration)
            if probability <= self.parameters.goal:
                return self._with_margin(hidden, kept.iteration)
            if probability < lowest:
                best, lowest, iteration = hidden, probability, kept.iteration
        return self._chosen(best, iteration)

    def _chosen(self, hidden: np.ndarray, iteration: int, margin: float = 1.0) -> Chosen:
        changed = hide(self.x, hidden, self.fill)
        leaving = as_it_leaves(self.model, self.prepared, changed)
        return Chosen(hidden, iteration, leaving, self.probability(changed), margin)

    def _with_margin(self, hidden: np.ndarray, iteration: int) -> Chosen:
        """The mask, more opaque where the scan's own samples cannot hold it: the scan that leaves meets the goal, too.

        A mask lies at the goal. A scan that is not on the model's grid is interpolated when it is read, and loses
        a little of any change.
        """
        first = chosen = self._chosen(hidden, iteration)
        margin = 1.0
        while self.probability(chosen.leaving.tensor) > self.parameters.goal:
            margin *= _MARGIN
            if margin > _MOST_MARGIN:
                return first
            chosen = self._chosen(np.minimum(hidden * np.float32(margin), 1), iteration, margin)
        return chosen

    def _check(self, chosen: Chosen, before: float, after: float) -> tuple[tuple[Check, ...], dict[str, float]]:
        hidden = chosen.hidden
        volume = float(hidden.sum(dtype=np.float64)) * self.voxel
        touched = float((hidden[self.tissue] > 0).mean()) if self.tissue.any() else 0.0
        numbers = {
            "asked": 1.0,
            self._amount: volume,
            "hidden_share": float(hidden[self.support].mean(dtype=np.float64)),
            "touched_share": touched,
            "margin": chosen.margin,
            "after_on_model_grid": chosen.on_model_grid,
        }
        changed = Drop(before, after).enough
        goal = self._goal_check(before, after, chosen.on_model_grid)
        checks = [self._empty_check(volume, numbers["hidden_share"], touched)]
        if volume:
            checks += [self._swap_check(hidden, numbers), self._control_check(hidden, before, numbers)]
        if not changed:
            # a mask that changes nothing has no place, and random places cannot do less than it
            checks = [not_applicable(check, "the mask did not change the answer") for check in checks]
        elif touched >= VEIL:
            # whatever is put over most of the tissue changes the answer
            checks = [not_applicable(check, "the mask is a veil over most of what can be hidden") for check in checks]
        return (goal, *checks), numbers

    def _goal_check(self, before: float, after: float, on_model_grid: float) -> Check:
        reached = after <= self.parameters.goal
        # what the scan's samples cannot hold was found all the same, and so was what changed the answer on the way
        lowest = min(after, on_model_grid)
        found = lowest <= self.parameters.goal or Drop(before, lowest).enough
        end = "." if reached else f": the goal of {self.parameters.goal * 100:.3g}% was not reached."
        sentence = f"Masked, {self.name} goes from {percent(before)} to {percent(after)}{end}"
        remedy = "" if found else goal_remedy(self.parameters.model_dump())
        return Check("goal", "Goal reached", after, sentence, reached, remedy=remedy)

    def _empty_check(self, volume: float, share: float, touched: float) -> Check:
        sentence = "Nothing is hidden: the map is empty."
        if volume:
            digits = 0 if self.unit == "pixels" else 1
            sentence = f"{volume:.{digits}f} {self.unit} are hidden, {percent(share)} of where hiding is allowed."
        if touched >= VEIL:
            sentence = f"{sentence} They lie over {percent(touched)} of what there is: a veil, which is no place."
        passed = volume > 0 and touched < VEIL
        remedy = "" if passed else VEIL_REMEDY if volume else goal_remedy(self.parameters.model_dump())
        return Check("empty", "A place was hidden", volume, sentence, passed, remedy=remedy)

    def _swap_check(self, hidden: np.ndarray, numbers: dict[str, float]) -> Check:
        fills = independent_fills(self.model, self.prepared, self.parameters, hidden > 0)
        check, scores = swap_check(self.probability, self.x, hidden, fills, self.name)
        numbers |= scores
        return check

    def _control_check(self, hidden: np.ndarray, before: float, numbers: dict[str, float]) -> Check:
        control = random_control(
            hidden, self.support, self.prepared, self.fill, self.probability, _CONTROLS, self.parameters.seed
        )
        numbers["control"] = control
        passed = control >= before / 2
        end = "." if passed else ": the answer changes almost wherever one hides something."
        sentence = (
            f"The same amount hidden at random places leaves {self.name} at {percent(control)} "
            f"(mean of {_CONTROLS}){end}"
        )
        return Check("control", "Random places", control, sentence, passed)

    def _not_called(self, before: dict[str, float]) -> str:
        predicted = max(before, key=before.__getitem__)
        calls = (
            f"calls this scan {predicted} and "
            if predicted != self.name and self.model.calls(before, predicted)
            else ""
        )
        return f"The model {calls}gives {self.name} {percent(before[self.name])}: nothing had to be hidden."

    def _nothing_to_hide(self, before: dict[str, float], sentence: str, numbers: dict[str, float]) -> Findings:
        empty = np.zeros(self.support.shape, dtype=np.float32)
        return Findings(
            arrays=_arrays(empty, as_it_leaves(self.model, self.prepared, self.x)),
            after=before,
            checks=(Check("empty", "A place was hidden", 0.0, sentence, applies=False),),
            numbers={**numbers, "hidden_share": 0.0, self._amount: 0.0},
            warnings=(sentence,),
        )

    def _warnings(self, chosen: Chosen, numbers: dict[str, float], after: float) -> tuple[str, ...]:
        found, hidden = [], chosen.hidden
        if after > self.parameters.goal:
            found.append(f"no mask brought {self.name} below {self.parameters.goal * 100:.3g}%; this one came closest")
        if self.parameters.support == "card" and "support" not in self.model.references:
            found.append("the model's card names no support, so the mask could paint everywhere")
        if not hidden.any():
            found.append("the map is empty: every voxel's mask value ended above the threshold")
        if chosen.margin > _MUCH_MARGIN:
            found.append(
                f"the scan's samples hold less than the model's grid: the mask is {chosen.margin - 1:.0%} more opaque "
                "than it had to be there, so that the masked scan that leaves meets the goal, too"
            )
        found += of_leaving(
            self.name, chosen.leaving.whole, after, chosen.on_model_grid if chosen.margin == 1 else None
        )
        return tuple(found)


def _arrays(hidden: np.ndarray, leaving: Leaving) -> dict[str, MapArray]:
    return {
        "map": MapArray(hidden, "hidden share", "mask", "share hidden"),
        # a viewer shows one channel; of several it is the first
        "perturbed": MapArray(leaving.tensor[0, 0].cpu().numpy(), "masked scan", "image", in_scan=leaving.in_scan),
    }

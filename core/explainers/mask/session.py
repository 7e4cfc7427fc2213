"""One scan's mask from question to findings: optimise, threshold, score again in full precision, and check."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import torch

from core.explainers.base import Check, Findings, MapArray, Question
from core.explainers.hiding import fill_image, healthy_or_blur, hide, random_control, support_of
from core.explainers.mask.equations import threshold_hidden
from core.explainers.mask.loop import Candidates, EarlyStop, MaskLoop, Step
from core.metrics.sanity import swap_test
from core.networks import FastNetwork, fast_network
from core.progress import Progress
from core.wording import percent

if TYPE_CHECKING:
    from core.explainers.mask.parameters import MaskParameters

#: Seconds between previews: often enough to watch the mask form, rarely enough to cost nothing.
_PREVIEW_SECONDS = 0.4
#: Random masks that stand against the one found.
_CONTROLS = 3


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
            return self._nothing_to_hide(before)
        self.question.report(Progress(0.0, "finding where to start"))
        loop = self.loop()
        history, candidates = self._optimise(loop)
        hidden = self._best(loop, candidates)
        changed = hide(self.x, hidden, self.fill)
        after = self.model.probabilities(changed)
        checks, numbers = self._check(hidden, before[self.name], after[self.name])
        numbers |= {
            "iterations": float(len(history["iteration"])),
            "first_fill": loop.first_fill,
            "price_per_voxel": loop.weights.size,
        }
        if self.prepared.in_millimetres:
            numbers["voxel_mm3" if hidden.ndim == 3 else "pixel_mm2"] = float(np.prod(self.prepared.spacing_mm))
        return Findings(
            arrays=_arrays(hidden, changed),
            after=after,
            history=history,
            checks=checks,
            numbers=numbers,
            warnings=self._warnings(hidden, after[self.name]),
        )

    def _optimise(self, loop: MaskLoop) -> tuple[dict[str, list[float]], Candidates]:
        iterations = self.parameters.iterations
        rows: dict[str, list[float]] = {}
        candidates = Candidates(self.parameters)
        stop = EarlyStop(self.parameters.patience, self.parameters.tolerance)
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
            self.question.report(Progress(number / iterations, f"iteration {number} of {iterations}", row, preview))
            if stop(step.loss):
                break
        return rows, candidates

    def _row(self, step: Step) -> dict[str, float]:
        return {
            "loss": step.loss,
            "score": step.score,
            "size": step.size,
            "edge": step.smoothness,
            "probability": step.probability,
            f"hidden {self.unit}": step.hidden_voxels * self.voxel,
        }

    def _best(self, loop: MaskLoop, candidates: Candidates) -> np.ndarray:
        """First kept mask that meets the goal once thresholded and asked in full precision; else the closest to it."""
        best, lowest = np.zeros(self.support.shape, dtype=np.float32), np.inf
        for kept in candidates.masks():
            hidden = loop.whole(threshold_hidden(kept, self.parameters.threshold))
            probability = self.probability(hide(self.x, hidden, self.fill))
            if probability <= self.parameters.goal or self.parameters.selection == "lowest_loss":
                return hidden
            if probability < lowest:
                best, lowest = hidden, probability
        return best

    def _check(self, hidden: np.ndarray, before: float, after: float) -> tuple[tuple[Check, ...], dict[str, float]]:
        volume = float(hidden.sum(dtype=np.float64)) * self.voxel
        share = float(hidden[self.support].mean(dtype=np.float64))
        numbers = {"asked": 1.0, self._amount: volume, "hidden_share": share}
        checks = [self._goal_check(before, after), self._empty_check(volume, share)]
        if volume:
            checks += [self._swap_check(hidden, numbers), self._control_check(hidden, before, numbers)]
        return tuple(checks), numbers

    def _goal_check(self, before: float, after: float) -> Check:
        reached = after <= self.parameters.goal
        end = "." if reached else f": the goal of {self.parameters.goal * 100:.3g}% was not reached."
        sentence = f"Masked, {self.name} goes from {percent(before)} to {percent(after)}{end}"
        return Check("goal", "Goal reached", after, sentence, reached)

    def _empty_check(self, volume: float, share: float) -> Check:
        sentence = "Nothing is hidden: the map is empty."
        if volume:
            digits = 0 if self.unit == "pixels" else 1
            sentence = f"{volume:.{digits}f} {self.unit} are hidden, {percent(share)} of where hiding is allowed."
        return Check("empty", "Something was hidden", volume, sentence, volume > 0)

    def _swap_check(self, hidden: np.ndarray, numbers: dict[str, float]) -> Check:
        kind = healthy_or_blur(self.model)
        healthy = kind == "healthy_mean"
        drop = swap_test(self.probability, self.x, hidden, fill_image(self.model, self.prepared, kind))
        numbers |= {"swap": drop.after, "swap_is_healthy": float(healthy)}
        tissue = "mean healthy tissue" if healthy else "the blurred scan (the model's card has no healthy mean)"
        end = "the model uses what is there." if drop.enough else "it answered to μ rather than to the tissue."
        change = f"{self.name} goes from {percent(drop.before)} to {percent(drop.after)}"
        sentence = f"With {tissue} in the whole masked place {change}: {end}"
        return Check("swap", "Swap test", drop.after, sentence, drop.enough)

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

    def _nothing_to_hide(self, before: dict[str, float]) -> Findings:
        predicted = max(before, key=before.__getitem__)
        calls = (
            f"calls this scan {predicted} and "
            if predicted != self.name and self.model.calls(before, predicted)
            else ""
        )
        says = f"The model {calls}gives {self.name} {percent(before[self.name])}"
        sentence = f"{says}: nothing had to be hidden."
        empty = np.zeros(self.support.shape, dtype=np.float32)
        return Findings(
            arrays=_arrays(empty, self.x),
            after=before,
            checks=(Check("empty", "Something was hidden", 0.0, sentence),),
            numbers={"asked": 0.0, "hidden_share": 0.0, self._amount: 0.0},
            warnings=(sentence,),
        )

    def _warnings(self, hidden: np.ndarray, after: float) -> tuple[str, ...]:
        found = []
        if after > self.parameters.goal:
            found.append(f"no mask brought {self.name} below {self.parameters.goal * 100:.3g}%; this one came closest")
        if self.parameters.support == "card" and "support" not in self.model.references:
            found.append("the model's card names no support, so the mask could paint everywhere")
        if self.name == self.model.card.healthy and self.parameters.mu != "blur":
            found.append(
                f"{self.name} is the healthy class: healthy tissue in its place cannot be expected to change it"
            )
        if not hidden.any():
            found.append("the map is empty: every voxel's mask value ended above the threshold")
        return tuple(found)


def _arrays(hidden: np.ndarray, changed: torch.Tensor) -> dict[str, MapArray]:
    return {
        "map": MapArray(hidden, "hidden share", "mask", "share hidden"),
        # a viewer shows one channel; of several it is the first
        "perturbed": MapArray(changed[0, 0].cpu().numpy(), "masked scan", "image"),
    }

"""The swap test: the whole masked place filled with what the mask was not made with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from core.explainers.base import Check
from core.explainers.hiding import fill_image
from core.metrics.sanity import Drop, swap_test
from core.models.card import is_healthy_subject
from core.models.inputs import PreparedInput
from core.wording import listed, percent

if TYPE_CHECKING:
    from core.explainers.mask.parameters import MaskParameters
    from core.models.model import Model

#: Reference that is the mean of the healthy training scans.
_MEAN = "healthy_mean"
#: A larger place is not inpainted, samples: it would take longer than the mask, and nothing is around it.
_MOST_INPAINTED = 3000


@dataclass(frozen=True, eq=False)
class Fill:
    """Something to fill the masked place with that the mask was not made with.

    Parameters
    ----------
    name : str
        In the record.
    words : str
        In a sentence: "with … in the masked place".
    images : tuple of torch.Tensor, each of the shape of the network's input
        One, or one of each subject.
    healthy : bool
        Whether it is healthy tissue: that decides, where there is any.
    """

    name: str
    words: str
    images: tuple[torch.Tensor, ...]
    healthy: bool = False


def independent_fills(
    model: Model, prepared: PreparedInput, parameters: MaskParameters, place: np.ndarray
) -> list[Fill]:
    """Fills other than the mask's own μ, healthy tissue first.

    Parameters
    ----------
    model : Model
        Its references give healthy tissue: ``healthy_mean``, and subjects ``healthy_1``, ``healthy_2`` ….
    prepared : PreparedInput
        The scan.
    parameters : MaskParameters
        With the mask's own fill.
    place : numpy.ndarray of bool, spatial
        What will be filled.
    """
    x, found = prepared.tensor, []
    subjects = tuple(
        _as_input(values, x)
        for name, values in sorted(model.references.items())
        if is_healthy_subject(name) and not _is_the_scan(values, x)
    )
    if subjects:
        count = f"{len(subjects)} other healthy subjects" if len(subjects) > 1 else "another healthy subject"
        found.append(Fill("swap_subjects", f"tissue of {count}", subjects, healthy=True))
    if _MEAN in model.references and parameters.mu != _MEAN:
        mean = fill_image(model, prepared, "healthy_mean")
        found.append(Fill("swap_healthy_mean", "mean healthy tissue", (mean,), healthy=True))
    highest = model.card.input.intensity.high
    if not (parameters.mu == "constant" and parameters.mu_value == highest):
        found.append(Fill("swap_highest", f"the value {highest:g}", (torch.full_like(x, highest),)))
    if parameters.mu != "blur":
        found.append(Fill("swap_blur", "the blurred scan", (fill_image(model, prepared, "blur"),)))
    inpainted = _inpainted(x, place)
    if inpainted is not None:
        found.append(Fill("swap_inpainted", "what lies around it", (inpainted,)))
    return found


def swap_check(
    probability: Callable[[torch.Tensor], float], x: torch.Tensor, hidden: np.ndarray, fills: list[Fill], name: str
) -> tuple[Check, dict[str, float]]:
    """Fill the whole masked place with each of `fills`, and see whether the score falls with them, too.

    Parameters
    ----------
    probability : callable
        (1, C, *spatial) → probability of the explained class, 0..1.
    x : torch.Tensor, shape (1, C, *spatial)
        The scan.
    hidden : numpy.ndarray, spatial
        1 − m; every voxel above 0 is filled.
    fills : list of Fill
        From `independent_fills`; at least one.
    name : str
        Of the class.

    Returns
    -------
    Check
        Passed when healthy tissue halves the score; of a model without any, when one of the other fills does.
    dict of str to float
        The score with each fill (of several subjects the mean), and ``swap``: the one that decides.
    """
    scores = {
        fill.name: float(np.mean([swap_test(probability, x, hidden, image).after for image in fill.images]))
        for fill in fills
    }
    before = probability(x)
    deciding = [fill for fill in fills if fill.healthy] or fills
    decided = min(deciding, key=lambda fill: scores[fill.name])
    if decided.healthy:
        # of two kinds of healthy tissue both have to change the answer
        decided = max(deciding, key=lambda fill: scores[fill.name])
    drop = Drop(before, scores[decided.name])
    said = listed([f"{fill.words} {percent(scores[fill.name])}" for fill in fills])
    end = "the model uses what is there" if drop.enough else f"it answered to the mask's own fill: {_wanting(decided)}"
    sentence = f"In the whole masked place, filled with another fill than the mask's, {name} is: {said}. So {end}."
    numbers = scores | {"swap": drop.after, "swap_is_healthy": float(decided.healthy)}
    return Check("swap", "Swap test", drop.after, sentence, drop.enough), numbers


def _wanting(decided: Fill) -> str:
    return "healthy tissue does not change the answer" if decided.healthy else "no other fill changes the answer"


def _is_the_scan(values: np.ndarray, x: torch.Tensor) -> bool:
    """Whether a subject is the one that is explained: its own tissue changes nothing. float16 keeps three digits."""
    return bool(torch.allclose(_as_input(values, x), x, rtol=2e-3, atol=2e-3))


def _as_input(values: np.ndarray, x: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)).to(x.device).expand_as(x).contiguous()


def _inpainted(x: torch.Tensor, place: np.ndarray) -> torch.Tensor | None:
    """The place filled in from around it, within the scan's range; None where it is too large or all there is."""
    from skimage.restoration import inpaint_biharmonic

    if not 0 < place.sum() <= _MOST_INPAINTED or place.all():
        return None
    channels = x[0].cpu().numpy().astype(np.float64)
    filled = [np.clip(inpaint_biharmonic(image, place), image.min(), image.max()) for image in channels]
    return torch.from_numpy(np.stack(filled).astype(np.float32))[None].to(x.device)

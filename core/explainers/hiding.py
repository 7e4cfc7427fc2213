"""Replacing part of a scan: by what, where it is allowed, and what random places would have done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from scipy import ndimage

from core.errors import BadInput
from core.models.inputs import PreparedInput
from core.models.model import Model
from core.wording import percent

FillKind = Literal["auto", "constant", "blur", "healthy_mean"]

_FWHM = 2.3548
#: Width of the random blobs that stand against a map, mm.
_BLOB_MM = 12.0
#: Share of a scan's range, from its lowest value, that is background.
_GROUND = 0.05
#: Probabilities of one change on two grids that differ by no more are the same to a reader.
_SAME_SCORE = 0.02


def fill_image(
    model: Model, prepared: PreparedInput, kind: FillKind, value: float = 0.0, blur_mm: float = 20.0
) -> torch.Tensor:
    """What hidden voxels are replaced by (μ), shape of ``prepared.tensor``.

    Parameters
    ----------
    kind : {"auto", "constant", "blur", "healthy_mean"}
        `value` everywhere; the scan blurred by `blur_mm` (full width at half maximum); the card's mean
        healthy scan; auto is that where there is one, else blur.

    Raises
    ------
    BadInput
        When the card has no healthy mean.
    """
    x = prepared.tensor
    kind = healthy_or_blur(model) if kind == "auto" else kind
    if kind == "constant":
        return torch.full_like(x, value)
    if kind == "healthy_mean":
        if "healthy_mean" not in model.references:
            raise BadInput(
                f"The model {model.card.name} has no healthy mean image: fill with a constant or with the blurred scan."
            )
        mean = torch.from_numpy(np.ascontiguousarray(model.references["healthy_mean"], dtype=np.float32))
        return mean.to(x.device).expand_as(x).contiguous()
    sigma = (0.0, *(blur_mm / _FWHM / s for s in prepared.spacing_mm))
    blurred = ndimage.gaussian_filter(x[0].cpu().numpy(), sigma, mode="nearest")
    return torch.from_numpy(blurred)[None].to(x.device)


def healthy_or_blur(model: Model) -> FillKind:
    """The card's healthy mean where it has one, else blur."""
    return "healthy_mean" if "healthy_mean" in model.references else "blur"


def support_of(model: Model, shape: Sequence[int], restrict: bool = True) -> np.ndarray:
    """Where something may be hidden: the card's support, or everywhere; bool, `shape`."""
    if restrict and "support" in model.references:
        return model.references["support"] > 0.5
    return np.ones(tuple(shape), dtype=bool)


def tissue_of(model: Model, x: torch.Tensor) -> np.ndarray:
    """What there is to hide: the card's support, else what stands out from the darkest of the scan; bool, spatial."""
    if "support" in model.references:
        return support_of(model, x.shape[2:])
    values = x[0].amax(dim=0).cpu().numpy()
    low, high = float(values.min()), float(values.max())
    return np.asarray(values > low + _GROUND * (high - low))


def hide(x: torch.Tensor, hidden: np.ndarray, fill: torch.Tensor) -> torch.Tensor:
    """`x` with the share `hidden` (spatial, 0..1) of every voxel replaced by `fill`."""
    share = torch.from_numpy(np.ascontiguousarray(hidden, dtype=np.float32)).to(x.device)
    return torch.addcmul(x, share.expand_as(x), fill - x)


@dataclass(frozen=True, eq=False)
class Leaving:
    """A changed scan as it leaves, and what a model reads when it is given that.

    Parameters
    ----------
    in_scan : numpy.ndarray, float32, the scan's spatial shape
        The scan with the change, in its own units and on its own grid.
    tensor : torch.Tensor, shape of the network's input
        What the model is fed of it.
    whole : bool
        Whether `in_scan` is all of the changed scan, so that `tensor` was read from it; of a scan of several channels
        only the first leaves, and `tensor` is the changed input itself.
    """

    in_scan: np.ndarray
    tensor: torch.Tensor
    whole: bool = True


def as_it_leaves(model: Model, prepared: PreparedInput, changed: torch.Tensor) -> Leaving:
    """A changed input as a scan, and that scan read again: the score of it is the one that a person can find again.

    Parameters
    ----------
    model : Model
        Reads the scan.
    prepared : PreparedInput
        The scan as it was read.
    changed : torch.Tensor, shape of ``prepared.tensor``
        The changed input.
    """
    in_scan = prepared.changed_scan(changed[0, 0].cpu().numpy())
    coloured = prepared.scan.colours is not None and changed.shape[1] > 1
    if prepared.scan.channels > 1 or coloured or not torch.equal(changed, changed[:, :1].expand_as(changed)):
        return Leaving(in_scan, changed, whole=False)
    scan = replace(prepared.scan, array=in_scan[None], colours=None)
    return Leaving(in_scan, model.prepare(scan).tensor)


def of_leaving(name: str, whole: bool, after: float, on_model_grid: float | None) -> tuple[str, ...]:
    """What must be known of a changed scan that leaves, as warnings.

    Parameters
    ----------
    name : str
        Class that is explained.
    whole : bool
        As in `Leaving`.
    after : float
        Its probability on the scan that leaves, 0..1.
    on_model_grid : float, optional
        Its probability on the change as the model's own grid has it.
    """
    if not whole:
        return (
            "the changed scan that leaves is its first channel only: asked about it, the model says something else",
        )
    if on_model_grid is None or abs(after - on_model_grid) <= _SAME_SCORE:
        return ()
    return (
        f"the scan's samples cannot hold this change as the model's grid does, where {name} is "
        f"{percent(on_model_grid)}: the score said is that of the changed scan as it leaves",
    )


def random_blobs(
    hidden: np.ndarray, support: np.ndarray, spacing_mm: Sequence[float], random: np.random.Generator
) -> np.ndarray:
    """The very values of `hidden`, moved to blobs at random places of `support`: same volume, same opacities.

    Parameters
    ----------
    hidden : numpy.ndarray
        Hidden share, spatial.
    support : numpy.ndarray of bool
        Where blobs may lie. Values that it cannot hold (a mask larger than the support) are left out, smallest first.
    spacing_mm : sequence of float
        Spacing of the grid.
    random : numpy.random.Generator
        Decides the places.

    Returns
    -------
    numpy.ndarray, float32
        Same shape; sorted values equal those of `hidden`.
    """
    values = np.sort(hidden[hidden > 0])[::-1]
    noise = ndimage.gaussian_filter(
        random.standard_normal(hidden.shape), [_BLOB_MM / _FWHM / s for s in spacing_mm], mode="constant"
    )
    places = np.flatnonzero(support)
    places = places[np.argsort(noise.ravel()[places])[::-1]][: values.size]
    blobs = np.zeros(hidden.shape, dtype=np.float32)
    blobs.ravel()[places] = values[: places.size]
    return blobs


def random_control(
    hidden: np.ndarray,
    support: np.ndarray,
    prepared: PreparedInput,
    fill: torch.Tensor,
    probability: Callable[[torch.Tensor], float],
    draws: int,
    seed: int,
) -> float:
    """What the model says when as much is hidden as in `hidden`, but at random places.

    Parameters
    ----------
    hidden, support : numpy.ndarray, spatial
        As in `random_blobs`.
    prepared : PreparedInput
        The scan.
    fill : torch.Tensor, shape of ``prepared.tensor``
        What hidden voxels become.
    probability : callable
        (1, C, *spatial) → probability of the explained class, 0..1.
    draws, seed : int
        How many random places, and what decides them.

    Returns
    -------
    float
        Mean probability over the draws, 0..1.
    """
    random = np.random.default_rng(seed)
    masks = (random_blobs(hidden, support, prepared.spacing_mm, random) for _ in range(draws))
    return float(np.mean([probability(hide(prepared.tensor, mask, fill)) for mask in masks]))

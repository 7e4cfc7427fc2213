"""How much of a map lies where nothing is: the main fact of it, when it is most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.explainers.base import Explanation, Findings
from core.metrics.localisation import OUTSIDE, RegionShare, share_inside
from core.wording import percent

if TYPE_CHECKING:
    from core.models.inputs import PreparedInput

#: From this share on it is said before anything else.
_MOST = 0.5
#: From this share on it is said at all.
_MUCH = 0.1
#: Number in the record.
_OUTSIDE_BODY = "outside_body"
#: A sample this share of the range above the background belongs to the body; and so little of the picture is background
#: that there is none.
_ABOVE, _LEAST_BACKGROUND = 0.05, 0.05


def outside_numbers(findings: Findings, prepared: PreparedInput, regions: Sequence[RegionShare]) -> dict[str, float]:
    """Share of the map outside of the body where it is most, and no atlas says how much lies outside of its regions."""
    main = findings.arrays["map"]
    fed = prepared.tensor[0].cpu().numpy()
    if regions or main.side != "input" or main.values.shape != fed.shape[1:] or not main.values.any():
        return {}
    body = _body_of(fed.max(axis=0))
    if body is None:
        return {}
    share = 1 - share_inside(np.abs(main.values - np.float32(main.neutral)), body)
    return {_OUTSIDE_BODY: share} if share >= _MOST else {}


def outside_first(found: Explanation) -> str:
    """A sentence for before all others where most of the map lies outside of atlas or body; else nothing."""
    of_atlas = next((row.share for row in found.regions if row.name == OUTSIDE), 0.0)
    if of_atlas >= _MOST:
        return f"Most of the map, {percent(of_atlas)}, lies outside the regions of the atlas. "
    of_body = found.numbers.get(_OUTSIDE_BODY, 0.0)
    return f"Most of the map, {percent(of_body)}, lies outside the body. " if of_body >= _MOST else ""


def outside_also(found: Explanation) -> str:
    """A sentence for after all others where less of the map lies outside of the atlas, but much; else nothing."""
    of_atlas = next((row.share for row in found.regions if row.name == OUTSIDE), 0.0)
    if not _MUCH <= of_atlas < _MOST:
        return ""
    return f" Another {percent(of_atlas)} of the map lies outside the regions of the atlas."


def _body_of(image: np.ndarray) -> np.ndarray | None:
    """What stands out from an even border, its holes filled; None where the picture has no such border."""
    from scipy import ndimage  # costs time that listing explainers need not pay

    rim = np.ones(image.shape, dtype=bool)
    rim[tuple(slice(1, -1) for _ in image.shape)] = False
    background = float(np.median(image[rim]))
    span = float(np.ptp(image))
    body = np.abs(image - background) > _ABOVE * span
    if not span or body[rim].mean() >= 0.5:
        return None
    filled = ndimage.binary_fill_holes(ndimage.binary_opening(body))
    return filled if filled.any() and filled.mean() <= 1 - _LEAST_BACKGROUND else None

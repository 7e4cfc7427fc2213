"""Two scans of one body: whether a place in one is a place in the other, and by how much they differ there."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.errors import BadInput
from core.scans.grid import Grid, check_growth, resample
from core.scans.scan import Scan

Normalisation = Literal["none", "z-score"]

#: nifti1.h's ``NIFTI_XFORM_*`` that name a space, and what they name.
_SPACES = {1: "its scanner's space", 3: "Talairach space", 4: "MNI space"}
_SCANNER = 1
#: Share of the smaller field of view that the other has to hold.
_LEAST_SHARED = 0.1
#: Axes that are turned by less than this, degrees, are the same on screen.
TURNED_DEGREES = 1.0


@dataclass(frozen=True)
class Relation:
    """How two scans lie to each other.

    Parameters
    ----------
    linked : bool
        A place in one is a place in the other.
    resampled : bool
        They have different samples: to be subtracted, the second has to be resampled.
    subtractable : bool
        Their values are of one kind.
    turned_degrees : float
        Largest angle between their axes, 0..90.
    notes : tuple of str
        What must be known, a sentence each; where they are not linked, why.
    """

    linked: bool
    resampled: bool = False
    subtractable: bool = False
    turned_degrees: float = 0.0
    notes: tuple[str, ...] = ()


def relation(one: Scan, other: Scan) -> Relation:
    """Whether a place in `one` is the same place in `other`, as far as their files say."""
    if one.dimensions != other.dimensions:
        return Relation(False, notes=("One of the scans is a volume and the other a single image.",))
    same = one.grid.same_as(other.grid)
    reason = _why_apart(one, other, same)
    if reason is not None:
        return Relation(False, notes=(reason,))
    told = [_of_place(one, other), _of_values(one, other), _of_channels(one, other)]
    return Relation(
        True,
        resampled=not same,
        subtractable=not _differ(one.modality, other.modality) and not _differ(one.units, other.units),
        turned_degrees=_turn(one.grid, other.grid) if one.dimensions == 3 else 0.0,
        notes=tuple(note for note in told if note),
    )


def _why_apart(one: Scan, other: Scan, same: bool) -> str | None:
    """Why nothing links the places of two scans; None where something does."""
    if one.dimensions == 2:
        if same:
            return None
        return (
            "Single images of different size or spacing have no place in common: nothing says which pixel of one is "
            "which of the other."
        )
    spaces = [_SPACES.get(_code(scan) or 0) for scan in (one, other)]
    if all(spaces) and spaces[0] != spaces[1]:
        return (
            f"The first scan lies in {spaces[0]} and the second in {spaces[1]}: the same millimetres are different "
            "places. Register one to the other first."
        )
    if _shared(one.grid, other.grid) < _LEAST_SHARED:
        return (
            "The two fields of view have next to nothing in common: the same millimetres are in one scan and outside "
            "of the other. Register one to the other first."
        )
    return None


def _code(scan: Scan) -> int | None:
    """What the place of a scan refers to, where its file says."""
    forms = scan.source.forms if scan.source is not None else None
    form = (forms.sform or forms.qform) if forms is not None else None
    return form.code if form is not None else None


def _shared(one: Grid, other: Grid) -> float:
    """Volume that the boxes around two grids have in common, as a share of the smaller box."""
    (low, high), (other_low, other_high) = _box(one), _box(other)
    common = np.prod(np.clip(np.minimum(high, other_high) - np.maximum(low, other_low), 0, None))
    return float(common / min(np.prod(high - low), np.prod(other_high - other_low)))


def _box(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    ends = np.array([[-0.5, n - 0.5] for n in grid.shape])
    corners = np.array(np.meshgrid(*ends, indexing="ij")).reshape(3, -1)
    places = grid.affine[:3, :3] @ corners + grid.affine[:3, 3:]
    return places.min(axis=1), places.max(axis=1)


def _turn(one: Grid, other: Grid) -> float:
    """Largest angle between the axes of two grids, whichever way round they run; degrees."""
    axes = [grid.affine[:3, :3] / np.linalg.norm(grid.affine[:3, :3], axis=0) for grid in (one, other)]
    cosines = np.abs(axes[0].T @ axes[1]).max(axis=1)
    return float(np.degrees(np.arccos(np.clip(cosines.min(), 0.0, 1.0))))


def _of_place(one: Scan, other: Scan) -> str:
    if one.dimensions == 2:
        return "They are laid on each other pixel by pixel: what was taken from another side shows as a difference."
    codes = {_code(one), _code(other)}
    if codes == {4} or codes == {3}:
        return ""
    if codes == {_SCANNER}:
        return (
            "Both lie where their scanners put them and were not registered to each other: a head that lay otherwise "
            "shows as a difference."
        )
    return "Their files do not say that they were registered to each other: what moved shows as a difference."


def _of_values(one: Scan, other: Scan) -> str:
    if _differ(one.modality, other.modality):
        return f"One is {one.modality} and the other {other.modality}: their values mean different things."
    if _differ(one.units, other.units):
        return f"One is in {one.units} and the other in {other.units}: their values mean different things."
    if comparable(one, other):
        return ""
    return (
        "Intensities of two scans have no common scale unless they were normalised: a difference of the values as they "
        "are says as much of the scanners as of the person. The z-score brings both to mean 0 and standard deviation 1 "
        "over what is not background."
    )


def _of_channels(one: Scan, other: Scan) -> str:
    return "Of several channels the first is compared." if one.channels > 1 or other.channels > 1 else ""


def comparable(one: Scan, other: Scan) -> bool:
    """Whether the values of two scans are on one scale as they are: of one unit, which both files name."""
    return one.units is not None and one.units == other.units


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other


def on_grid_of(one: Scan, other: Scan) -> tuple[np.ndarray, np.ndarray]:
    """First channel of `other` at the samples of `one`, float32, and where it has any, bool.

    Raises
    ------
    BadInput
        When `one` has far more samples than `other`.
    """
    check_growth(other.grid, one.grid)
    values = resample(other.array[0], other.grid, one.grid)
    inside = resample(np.ones(other.shape, dtype=np.uint8), other.grid, one.grid, order=0) > 0
    return values, inside


def normalised(values: np.ndarray, by: Normalisation) -> np.ndarray:
    """Values of a scan as they are subtracted, float32.

    Parameters
    ----------
    values : numpy.ndarray
        Samples of one channel.
    by : {"none", "z-score"}
        ``z-score``: less the mean, over the standard deviation, of what lies above Otsu's threshold.

    Raises
    ------
    BadInput
        When all of that is of one value.
    """
    shown = np.asarray(values, dtype=np.float32)
    if by == "none":
        return shown
    inside = shown[foreground(shown)]
    spread = float(inside.std(dtype=np.float64)) if inside.size else 0.0
    if not spread > 0:
        raise BadInput("A scan of one value has no z-score: compare the values as they are.")
    return (shown - np.float32(inside.mean(dtype=np.float64))) / np.float32(spread)


def foreground(values: np.ndarray) -> np.ndarray:
    """What of a scan is not background: above Otsu's threshold. bool; nothing of a scan of one value."""
    if not values.min() < values.max():
        return np.zeros(values.shape, dtype=bool)
    from skimage.filters import threshold_otsu

    found: np.ndarray = values > threshold_otsu(np.asarray(values))
    return found


@dataclass(frozen=True, eq=False)
class Difference:
    """The second scan less the first.

    Parameters
    ----------
    values : numpy.ndarray, float32
        On the grid of the first; 0 outside of the second and, of z-scores, where both are background: what that is
        worth in them says nothing.
    covered : float
        Share of the first that the second covers, 0..1.
    mean, size : float
        Mean of the difference, and of how large it is, where both have samples (and are not both background).
    correlation : float
        Pearson's, of the values there; NaN where one is constant.
    """

    values: np.ndarray
    covered: float
    mean: float
    size: float
    correlation: float


def difference(one: Scan, other: Scan, by: Normalisation) -> Difference:
    """`other` less `one`, at the samples of `one`.

    Parameters
    ----------
    one, other : Scan
        Linked (`relation`).
    by : {"none", "z-score"}
        How their values are brought to one scale first.

    Raises
    ------
    BadInput
        When they have no sample in common, or cannot be normalised.
    """
    values, inside = on_grid_of(one, other)
    covered = float(inside.mean())
    if not covered:
        raise BadInput("The two scans have no sample in common: choose others.")
    first = normalised(one.array[0], by)
    if by == "z-score":
        # by the second scan's own samples: at those of the first a part of it may be missing
        values = resample(normalised(other.array[0], by), other.grid, one.grid)
        marked = resample(foreground(other.array[0]).astype(np.uint8), other.grid, one.grid, order=0) > 0
        inside &= foreground(np.asarray(one.array[0])) | marked
    found = np.where(inside, values - first, np.float32(0)).astype(np.float32)
    if not inside.any():
        raise BadInput("Where the two scans overlap, both are background: compare the values as they are.")
    seen = found[inside]
    a, b = first[inside].astype(np.float64), values[inside].astype(np.float64)
    a, b = a - a.mean(), b - b.mean()
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    return Difference(
        found,
        covered,
        float(seen.mean(dtype=np.float64)),
        float(np.abs(seen).mean(dtype=np.float64)),
        float(a @ b) / norms if norms > 0 else float("nan"),
    )

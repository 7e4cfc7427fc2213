"""Which frames make one volume: by what they are frames of first, by where they lie next, by their number last.

Nothing here depends on the names or the order of the files.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from itertools import pairwise

import numpy as np

from core.errors import BadInput
from core.scans.dicom.grouping.places import distances_along, fits_even_grid, grid_step, places_of, sideways
from core.scans.dicom.image import Frame
from core.scans.dicom.objects import ObjectKind

#: Frames of one volume agree in these. Where each value stands on one slice only, it numbers the slices.
_ALWAYS_APART: tuple[tuple[str, bool], ...] = (
    ("localiser", False),
    ("segment", False),
    ("component", False),
    ("b_value", False),
    ("stack", True),
    ("time", True),
    ("echo", True),
)
#: A gap of more steps than this ends a stack: what lies in it was never scanned.
_LARGEST_GAP_STEPS = 4.5
#: Slices shifted against each other by more than this for each mm between them (45°) are of stacks side by side.
_STEEPEST_SHEAR = 1.0
_EVEN_ENOUGH_SLICES = 3
_MOST_STACKS = 500

AMBIGUOUS = (
    "Several slices lie in each place and nothing in the files says which of them belong together: "
    "give the files of one acquisition alone."
)


def stacks_of(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Sort frames of one size, direction and spacing into volumes, each in order along its normal.

    Raises
    ------
    BadInput
        When slices lie in the same places and nothing tells which of them belong together.
    """
    stacks = [list(frames)]
    for name, may_number in _ALWAYS_APART:
        stacks = [part for stack in stacks for part in _apart(stack, name, may_number)]
    if frames[0].image.kind is ObjectKind.SEGMENTATION:
        return [_ordered(stack) for stack in stacks]
    stacks = [part for stack in stacks for part in _beside(stack)]
    return [part for stack in stacks for part in _told_apart(stack)]


def _apart(frames: list[Frame], name: str, may_number: bool) -> list[list[Frame]]:
    parts = _by(frames, lambda frame: getattr(frame.attributes, name))
    if len(parts) == 1 or (may_number and max(map(len, parts)) == 1 and _all_elsewhere(frames)):
        return [frames]
    return parts


def _by(frames: Sequence[Frame], value: Callable[[Frame], Hashable]) -> list[list[Frame]]:
    parts: dict[Hashable, list[Frame]] = defaultdict(list)
    for frame in frames:
        parts[value(frame)].append(frame)
    return list(parts.values())


def _all_elsewhere(frames: Sequence[Frame]) -> bool:
    """Whether each frame has a place of its own, apart from the others by more than a patient moves."""
    closest = float(np.diff(np.sort(distances_along(frames))).min(initial=np.inf))
    return closest > 0.25 * (frames[0].thickness or 1.0) or fits_even_grid(frames)


def _beside(frames: list[Frame]) -> list[list[Frame]]:
    """Stacks that lie beside each other in the plane: followed from slice to slice, as far as a gantry tilts."""
    distances, across = distances_along(frames), sideways(frames)
    pixel, step = min(frames[0].spacing) or 1.0, grid_step(frames)
    order = np.lexsort((across[:, 1], across[:, 0], distances))
    if float(np.ptp(across, axis=0).max(initial=0.0)) <= max(pixel, step):
        return [frames]
    ends = np.empty((_MOST_STACKS, 3))  # where each stack has got to: along the normal, and in the plane
    parts: list[list[Frame]] = []
    for index in order:
        here = np.array([distances[index], *across[index]])
        away = here - ends[: len(parts)]
        reach = np.linalg.norm(away[:, 1:], axis=1) - pixel - _STEEPEST_SHEAR * away[:, 0]
        reach[away[:, 0] > _LARGEST_GAP_STEPS * step] = np.inf
        best = int(np.argmin(reach)) if len(parts) else -1
        if best < 0 or reach[best] > 0:
            if len(parts) == _MOST_STACKS:
                raise BadInput("The slices of the DICOM series lie in too many places: give one series.")
            best = len(parts)
            parts.append([])
        ends[best] = here
        parts[best].append(frames[index])
    return parts


def _told_apart(frames: list[Frame]) -> list[list[Frame]]:
    """Volumes over the same places: by elements that repeat with them, else by the numbers of the images."""
    places = places_of(frames)
    most = int(np.bincount(places).max())
    if most == 1 and fits_even_grid(frames):
        return [_ordered(frames)]
    for element in range(-1, len(frames[0].attributes.telling)):
        parts = _by(frames, partial(_telling, element))
        if _tells(parts, most):
            return [volume for part in parts for volume in _told_apart(part)]
    if most == 1:
        return [_ordered(part) for part in _uneven_by_number(frames)]
    return _by_number(frames, places)


def _telling(element: int, frame: Frame) -> Hashable:
    return frame.attributes.acquisition if element < 0 else frame.attributes.telling[element]


def _tells(parts: Sequence[Sequence[Frame]], most: int) -> bool:
    """Whether an element tells volumes apart, and does not merely number slices or name pieces of one volume."""
    if len(parts) == 1:
        return False
    if most > 1:
        return len(parts) <= most and max(int(np.bincount(places_of(part)).max()) for part in parts) < most
    return _are_even_and_overlap(parts)


def _are_even_and_overlap(parts: Sequence[Sequence[Frame]]) -> bool:
    """Whether parts of an uneven stack are even by themselves and lie over each other, as volumes in time do."""
    if min(map(len, parts)) < _EVEN_ENOUGH_SLICES or not all(fits_even_grid(part) for part in parts):
        return False
    spans = sorted((float(d.min()), float(d.max())) for d in map(distances_along, parts))
    return all(later[0] < earlier[1] for earlier, later in pairwise(spans))


def _uneven_by_number(frames: list[Frame]) -> list[list[Frame]]:
    """Volumes whose slices lie between each other's, as far as their numbers run volume by volume or slice by slice."""
    numbers = [frame.attributes.sequence for frame in frames]
    if len(set(numbers)) < len(numbers) or len(frames) < 2 * _EVEN_ENOUGH_SLICES:
        return [frames]
    ordered = sorted(frames, key=lambda frame: frame.attributes.sequence)
    steps = np.diff(distances_along(ordered))
    back = np.flatnonzero(np.sign(steps) != np.sign(steps[0])) + 1
    runs = [ordered[start:end] for start, end in pairwise([0, *back, len(frames)])]
    if len(runs) > 1 and _are_even_and_overlap(runs):
        return runs
    for volumes in range(2, len(frames) // _EVEN_ENOUGH_SLICES + 1):
        strided = [ordered[first::volumes] for first in range(volumes)]
        if len(frames) % volumes == 0 and _are_even_and_overlap(strided):
            return strided
    return [frames]


def _ordered(frames: Sequence[Frame]) -> list[Frame]:
    return [frames[index] for index in np.argsort(distances_along(frames), kind="stable")]


def _by_number(frames: list[Frame], places: np.ndarray) -> list[list[Frame]]:
    """Volumes by image number, as far as the numbers say so for certain."""
    count = int(places.max()) + 1
    if count == 1:  # nothing to mix: each is a picture of the same place
        return [[frame] for frame in sorted(frames, key=lambda frame: (frame.attributes.sequence, frame.identity))]
    numbers = [frame.attributes.sequence for frame in frames]
    if len(set(numbers)) < len(numbers):
        raise BadInput(AMBIGUOUS)
    order = sorted(range(len(frames)), key=lambda index: numbers[index])
    if len(set(np.bincount(places))) == 1:
        ranks = [[index for index in order if places[index] == place] for place in range(count)]
        if _numbers_agree([[numbers[index] for index in rank] for rank in ranks]):
            return [[frames[rank[volume]] for rank in ranks] for volume in range(len(ranks[0]))]
        raise BadInput(AMBIGUOUS)
    blocks: list[dict[int, Frame]] = [{}]
    for index in order:
        if int(places[index]) in blocks[-1]:
            blocks.append({})
        blocks[-1][int(places[index])] = frames[index]
    if count < _EVEN_ENOUGH_SLICES or not any(len(block) == count for block in blocks):
        raise BadInput(AMBIGUOUS)
    return [[block[place] for place in sorted(block)] for block in blocks]


def _numbers_agree(ranks: Sequence[Sequence[tuple[float, float]]]) -> bool:
    """Whether numbers run volume by volume, place by place, or with the same strides at every place."""
    table = np.array(ranks)
    values = table[..., 0] * (table[..., 1].max() + 1) + table[..., 1]
    strides = np.diff(values, axis=1)
    if bool((strides == strides[0]).all()):
        return True
    by_volume = (values.max(axis=0)[:-1] < values.min(axis=0)[1:]).all()
    spans = sorted(zip(values.min(axis=1), values.max(axis=1), strict=True))
    return bool(by_volume or all(earlier[1] < later[0] for earlier, later in pairwise(spans)))


def cut_at_gaps(frames: list[Frame]) -> list[list[Frame]]:
    """Pieces of a stack between gaps so wide that nothing can be said of what lies in them."""
    if len(frames) < 2:
        return [frames]
    gaps = np.diff(distances_along(frames))
    ends = [*(np.flatnonzero(gaps > _LARGEST_GAP_STEPS * grid_step(frames)) + 1), len(frames)]
    return [frames[start:end] for start, end in pairwise([0, *ends])]

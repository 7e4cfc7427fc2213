"""Segmentations: one volume a segment, all on the grid that their frames share; what is left out is empty."""

from collections.abc import Sequence

import numpy as np

from core.errors import BadInput
from core.scans.dicom.grouping.belonging import AMBIGUOUS, stacks_of
from core.scans.dicom.grouping.places import distances_along, normal_of, tolerance_of
from core.scans.dicom.grouping.volume import Volume, affine_along, place_frames
from core.scans.dicom.image import Frame

#: Slices fit the grid of a segmentation when they are no further from it than this share of a step.
_ON_THE_GRID = 0.05
_MOST_SLICES = 20_000


def segments_of(frames: Sequence[Frame]) -> list[Volume]:
    """One volume for each segment: 1 (or a fraction) where it is, 0 where no frame of it says so.

    A segmentation holds frames only of slices in which there is something; the others are empty, not missing.

    Raises
    ------
    BadInput
        When frames of one segment lie in the same place, or frames do not lie on one even grid.
    """
    distances = distances_along(frames)
    lowest = frames[int(np.argmin(distances))]
    gaps = np.diff(np.sort(distances))
    gaps = gaps[gaps > tolerance_of(lowest)]
    if not gaps.size:
        return [place_frames(stack) for stack in _checked(stacks_of(frames))]
    step = _step(lowest, float(gaps.min()))
    slices = round(float(np.ptp(distances)) / step) + 1
    if slices > _MOST_SLICES:
        raise BadInput("The positions in the DICOM files make no sense: export the series again.")
    affine = affine_along(lowest, normal_of(lowest) * step, [])
    volumes = []
    for stack in _checked(stacks_of(frames)):
        places = (distances_along([lowest, *stack])[1:] - distances.min()) / step
        if np.abs(places - np.round(places)).max() > _ON_THE_GRID:
            raise BadInput("The slices of the segmentation lie unevenly: export it on the grid of its images.")
        filling = tuple((index, round(place), 1.0) for index, place in enumerate(places.tolist()))
        volumes.append(Volume(stack, affine, slices, filling))
    return volumes


def _step(frame: Frame, closest: float) -> float:
    """Distance between slices, mm: as the file states it, or the thickness of a slice where frames fit that."""
    for stated in (frame.step, frame.thickness):
        times = closest / stated if stated else 0.0
        if times > 1 - _ON_THE_GRID and abs(times - round(times)) <= _ON_THE_GRID:
            return closest / round(times)
    return closest


def _checked(stacks: list[list[Frame]]) -> list[list[Frame]]:
    """No two frames of one segment in one place: they would be mixed."""
    for stack in stacks:
        if np.diff(distances_along(stack)).min(initial=np.inf) <= tolerance_of(stack[0]):
            raise BadInput(AMBIGUOUS)
    return stacks

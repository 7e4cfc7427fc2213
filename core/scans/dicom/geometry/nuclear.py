"""Slices that nuclear medicine reconstructed: many in one file, placed by its detector information."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.scans.dicom.values import as_list, first_number, unit_vectors, vector

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_SLICES = "SliceVector"
#: What else tells frames apart: each combination of these is a volume of its own.
_OTHERS = (
    *("EnergyWindowVector", "DetectorVector", "PhaseVector", "RotationVector", "RRIntervalVector", "TimeSlotVector"),
    *("AngularViewVector", "TimeSliceVector"),
)
#: Elements to read for it.
NUCLEAR_KEYWORDS = (_SLICES, *_OTHERS, "NumberOfSlices", "DetectorInformationSequence")


@dataclass(frozen=True, eq=False)
class NuclearSlices:
    """Where each frame of a reconstruction lies.

    Parameters
    ----------
    positions : list of numpy.ndarray, shape (3,)
        Centre of the first pixel of each frame, LPS mm.
    orientation : numpy.ndarray, shape (6,)
        Unit vectors along a row and along a column, LPS.
    times : list of int or None
        Which volume each frame belongs to, from 1: an energy window, a part of the heart beat …; None for only one.
    """

    positions: list[np.ndarray]
    orientation: np.ndarray
    times: list[int | None]


def nuclear_slices(dataset: "Dataset", count: int) -> NuclearSlices | None:
    """Where the `count` frames of a reconstructed nuclear image lie (PS3.3 C.8.4.8, C.8.4.15).

    None for other images: projections and whole-body pictures are no stack, whatever their detectors say.
    """
    detectors = list(dataset.get("DetectorInformationSequence") or ())
    # gamma cameras with coincidence detection call themselves PT
    nuclear = dataset.get("Modality") == "NM" or bool(detectors)
    if not nuclear or not any(str(value).startswith("RECON") for value in as_list(dataset.get("ImageType"))):
        return None
    item = _detector(dataset, detectors)
    position = vector(item.get("ImagePositionPatient"), 3)
    orientation = unit_vectors(vector(item.get("ImageOrientationPatient"), 6))
    # positive is along the normal, negative against it
    step = first_number(dataset.get("SpacingBetweenSlices")) or first_number(dataset.get("SliceThickness"))
    numbers = _slice_numbers(dataset, count)
    if position is None or orientation is None or numbers is None or (not step and count > 1):
        return None
    normal = np.cross(orientation[:3], orientation[3:])
    positions = [position + normal * (step or 0.0) * (number - 1) for number in numbers]
    parts = list(zip(*(_numbers(dataset, keyword, count) or [1] * count for keyword in _OTHERS), strict=True))
    order = {part: time for time, part in enumerate(sorted(set(parts)), start=1)}
    times = [order[part] if len(order) > 1 else None for part in parts]
    return NuclearSlices(positions, orientation, times)


def _detector(dataset: "Dataset", detectors: list["Dataset"]) -> "Dataset":
    """The first detector that gives a place; without one, the data set itself."""
    return next((item for item in detectors if vector(item.get("ImagePositionPatient"), 3) is not None), dataset)


def _slice_numbers(dataset: "Dataset", count: int) -> list[int] | None:
    """Which slice each frame is, from 1; None where more frames than slices do not say which they are."""
    slices = first_number(dataset.get("NumberOfSlices"))
    in_order = list(range(1, count + 1)) if slices is None or slices == count else None
    return _numbers(dataset, _SLICES, count) or in_order


def _numbers(dataset: "Dataset", keyword: str, count: int) -> list[int] | None:
    """A vector of one number a frame; None without a usable one."""
    numbers = [first_number(value) for value in as_list(dataset.get(keyword))]
    if len(numbers) != count or None in numbers:
        return None
    return [int(number) for number in numbers if number is not None]

"""Series of several volumes, whose voxels tell of which volume and which slice they are."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from core.scans import Scan, list_series
from tests.core.scans.making import AXIAL, asymmetric, dicom, save, slice_at

ROWS, COLUMNS, STEP_MM = 4, 5, 3.0
FIRST = np.array([-10.0, 20.0, 5.0])


def pixels_of(volume: int, place: int) -> np.ndarray:
    """Thousands: the volume; hundreds: the slice; below: the pixel, each another than its mirror images."""
    return asymmetric((ROWS, COLUMNS)) + np.int16(1000 * volume + 100 * place)


def classic(
    tell: Callable[[Dataset, int, int], None],
    volumes: int = 3,
    places: Sequence[float] = range(5),
    moved_mm: Sequence[Sequence[float]] | None = None,
) -> list[Dataset]:
    """One file a slice; `tell` writes into (file, volume, slice) what tells volumes apart, without instance numbers."""
    files = []
    for volume in range(volumes):
        moved = np.zeros(3) if moved_mm is None else np.array(moved_mm[volume])
        for number, place in enumerate(places):
            data = slice_at(FIRST + moved + [0, 0, STEP_MM * place], pixels_of(volume, number))
            data.SliceThickness = STEP_MM
            tell(data, volume, number)
            files.append(data)
    return files


def enhanced(tell: Callable[[Dataset, int, int], None], volumes: int = 3, places: int = 4, seed: int = 0) -> Dataset:
    """One file of frames in an order that means nothing; `tell` writes into (functional groups, volume, slice)."""
    order = [(volume, place) for volume in range(volumes) for place in range(places)]
    random.Random(seed).shuffle(order)
    data = dicom(np.stack([pixels_of(volume, place) for volume, place in order]))
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4.1"
    shared, measures, plane = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [2.0, 3.0], STEP_MM
    plane.ImageOrientationPatient = list(AXIAL)
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = Items([measures]), Items([plane])
    data.SharedFunctionalGroupsSequence = Items([shared])
    groups = []
    for volume, place in order:
        item, position = Dataset(), Dataset()
        position.ImagePositionPatient = np.add(FIRST, [0, 0, STEP_MM * place]).tolist()
        item.PlanePositionSequence = Items([position])
        tell(item, volume, place)
        groups.append(item)
    data.PerFrameFunctionalGroupsSequence = Items(groups)
    return data


def group(item: Dataset, name: str, **elements: object) -> None:
    """Add a functional group to a frame's."""
    content = Dataset()
    for keyword, value in elements.items():
        setattr(content, keyword, value)
    setattr(item, name, Items([content]))


def write_shuffled(files: Sequence[Dataset], folder: Path, seed: int) -> Path:
    """Write files under names, in folders and in an order that mean nothing."""
    chance = random.Random(seed)
    files = chance.sample(list(files), len(files))
    for data in files:
        inner = folder / chance.choice("abc")
        inner.mkdir(parents=True, exist_ok=True)
        save(data, inner / f"{chance.getrandbits(40):010x}")
    return folder


def all_volumes(path: Path) -> list[Scan]:
    """Every volume of every series, in the order in which they are offered."""
    return [choice.read(index) for choice in list_series(path) for index in range(choice.volumes)]


def check_voxels(
    scan: Scan, volume: int, places: Sequence[float] = range(5), moved_mm: Sequence[float] = (0, 0, 0)
) -> None:
    """Every voxel that a file gave for `volume` lies where its file says."""
    inverse = np.linalg.inv(scan.affine)
    for number, place in enumerate(places):
        for row in range(ROWS):
            for column in range(COLUMNS):
                lps = FIRST + np.array(moved_mm) + [3.0 * column, 2.0 * row, STEP_MM * place]
                index = inverse @ [-lps[0], -lps[1], lps[2], 1]
                np.testing.assert_allclose(index, np.round(index), atol=1e-4)
                found = scan.array[(0, *np.round(index[:3]).astype(int))]
                assert found == pixels_of(volume, number)[row, column]

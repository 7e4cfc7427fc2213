"""Mosaics: pictures in which the slices of a volume lie side by side, known by their structure and taken apart."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import BadInput
from core.scans.dicom.grouping.attributes import private_numbers, private_tags, private_value
from core.scans.dicom.values import as_list, first_number, vector

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_SIEMENS_COUNT = (0x0019, "SIEMENS MR HEADER", 0x0A)
_SIEMENS_HEADER = (0x0029, "SIEMENS CSA HEADER", 0x10)
_UIH_COUNT = (0x0065, "IMAGE PRIVATE HEADER", 0x50)
#: What is read of a file to know a mosaic.
MOSAIC_TAGS: tuple[str | int, ...] = (
    "ImageType",
    "AcquisitionMatrix",
    *private_tags((_SIEMENS_COUNT, _SIEMENS_HEADER, _UIH_COUNT)),
)
#: No scanner takes one slice as wide as this, mm.
_WIDEST_SLICE_MM = 700.0

MOSAIC = (
    "This is a mosaic: the slices of a volume lie side by side in one picture, and the file does not say where they "
    "belong. Convert it to NIfTI (dcm2niix does) and give that."
)


@dataclass(frozen=True)
class Tile:
    """One slice of a mosaic: its number, and which rows and columns of the picture it is."""

    number: int
    top: int
    left: int
    rows: int
    columns: int

    def of(self, picture: np.ndarray) -> np.ndarray:
        """The slice in a decoded picture (rows, columns, …)."""
        return picture[self.top : self.top + self.rows, self.left : self.left + self.columns]


@dataclass(frozen=True, eq=False)
class Mosaic:
    """Slices of a mosaic and how they follow each other.

    Parameters
    ----------
    tiles : tuple of Tile
        In order.
    first : numpy.ndarray, shape (3,)
        From the position that the file gives to the first pixel of the first slice, in pixels: along a row and along a
        column. Siemens gives the corner that a single picture of the size of the mosaic would have about the centre of
        the slice.
    normal : numpy.ndarray, shape (3,)
        From slice to slice, unit vector, LPS.
    step : float
        Distance between slices, mm.
    """

    tiles: tuple[Tile, ...]
    first: np.ndarray
    normal: np.ndarray
    step: float

    def positions(
        self, position: np.ndarray, orientation: np.ndarray, spacing: tuple[float, float]
    ) -> list[np.ndarray]:
        """Centre of the first pixel of each slice, LPS mm; `spacing` is that of rows and of columns."""
        corner = position + orientation[:3] * self.first[0] * spacing[1] + orientation[3:] * self.first[1] * spacing[0]
        return [corner + self.normal * self.step * tile.number for tile in self.tiles]


def mosaic_of(dataset: "Dataset", rows: int, columns: int, pixel_mm: tuple[float, float]) -> Mosaic | None:
    """Take a picture for what its structure says it is: a mosaic, or None for a plain image.

    A mosaic of Siemens says in its private header how many slices it holds and in which direction they follow each
    other (as in nibabel.nicom, which is read here). Others (UIH, Siemens after an anonymiser) do not say enough.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Header of a file of one frame.
    rows, columns : int
        Size of the picture.
    pixel_mm : tuple of float
        Distance between rows and between columns; 0 where unknown.

    Raises
    ------
    BadInput
        When it is a mosaic and does not say where its slices lie.
    """
    header = _siemens_header(dataset)
    numbers = private_numbers(dataset, *_SIEMENS_COUNT) or _items(header, "NumberOfImagesInMosaic")
    count = int(numbers[0]) if numbers else 0
    if count > 1:
        return _of_siemens(dataset, header, count, rows, columns)
    uih = private_numbers(dataset, *_UIH_COUNT)
    says_so = "MOSAIC" in as_list(dataset.get("ImageType"))
    if says_so or (uih and uih[0] > 1) or _is_too_wide(dataset, rows, columns, pixel_mm):
        raise BadInput(MOSAIC)
    return None


def _of_siemens(dataset: "Dataset", header: dict[str, Any], count: int, rows: int, columns: int) -> Mosaic:
    across = math.ceil(math.sqrt(count))
    normal = vector(_items(header, "SliceNormalVector"), 3)
    step = first_number(dataset.get("SpacingBetweenSlices")) or first_number(dataset.get("SliceThickness"))
    # the first slice of the volume is not the first of the protocol: the order is turned round
    turned = any(number > 0 for number in _items(header, "ProtocolSliceNumber")[:1])
    if rows % across or columns % across or normal is None or not np.linalg.norm(normal) or not step or turned:
        raise BadInput(MOSAIC)
    height, width = rows // across, columns // across
    tiles = tuple(
        Tile(number, number // across * height, number % across * width, height, width) for number in range(count)
    )
    first = np.array([(columns - width) / 2, (rows - height) / 2])
    return Mosaic(tiles, first, normal / np.linalg.norm(normal), abs(step))


def _is_too_wide(dataset: "Dataset", rows: int, columns: int, pixel_mm: tuple[float, float]) -> bool:
    """Whether a picture is several times its acquisition matrix, and wider than a slice can be."""
    matrix = [first_number(value) or 0 for value in as_list(dataset.get("AcquisitionMatrix"))]
    sides = [side for side in matrix if side > 0]
    if not sides or min(rows * pixel_mm[0], columns * pixel_mm[1]) < _WIDEST_SLICE_MM:
        return False
    times = rows / max(sides)
    return times >= 2 and times == int(times) and rows == columns


def _siemens_header(dataset: "Dataset") -> dict[str, Any]:
    """The tags of Siemens' own header; empty without one that can be read."""
    from nibabel.nicom import csareader

    content = private_value(dataset, *_SIEMENS_HEADER)
    if not isinstance(content, bytes):
        return {}
    try:
        return dict(csareader.read(content)["tags"])
    except Exception:  # whatever a damaged header makes of it: then it says nothing
        return {}


def _items(header: dict[str, Any], name: str) -> list[float]:
    numbers = (first_number(item) for item in header.get(name, {}).get("items", ()))
    return [number for number in numbers if number is not None]

"""A DICOM file with pixels, and the frames in it: everything but the pixels themselves."""

import hashlib
from dataclasses import dataclass, field

import numpy as np

from core.scans.dicom.dataset import DEFLATED
from core.scans.dicom.geometry.mosaic import Tile
from core.scans.dicom.grouping.attributes import FrameAttributes
from core.scans.dicom.objects import ObjectKind
from core.scans.dicom.pixels.scale import UNKNOWN, IntensityScale
from core.scans.limits import MEGABYTE
from core.scans.sources import Source


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One two-dimensional image within a DICOM file.

    Parameters
    ----------
    image : DicomImage
        The file.
    index : int
        Which frame of the file, from 0.
    position : numpy.ndarray, shape (3,), optional
        Centre of the first pixel, LPS mm.
    orientation : numpy.ndarray, shape (6,), optional
        Unit vectors along a row and along a column, LPS.
    spacing : tuple of float
        Distance between rows and between columns, mm; (0, 0) when the file does not say.
    thickness : float
        Slice thickness, mm; 0 when the file does not say.
    step : float
        Distance between slices as the file states it, mm; 0 when it does not.
    slope, intercept : float
        Intensity = stored × slope + intercept.
    time : int, optional
        Temporal position.
    order : tuple of float
        Sorts frames at one position in time.
    attributes : FrameAttributes
        What tells the frames of one volume from those of another.
    tile : Tile, optional
        Of a mosaic: which part of the frame this is.
    """

    image: "DicomImage"
    index: int
    position: np.ndarray | None
    orientation: np.ndarray | None
    spacing: tuple[float, float]
    thickness: float
    step: float
    slope: float
    intercept: float
    time: int | None
    order: tuple[float, ...]
    attributes: FrameAttributes
    tile: Tile | None = None

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.image.rows if self.tile is None else self.tile.rows

    @property
    def columns(self) -> int:
        """Number of columns."""
        return self.image.columns if self.tile is None else self.tile.columns

    @property
    def identity(self) -> tuple[str, int, int]:
        """A name that no other frame has, from what is in the file."""
        return self.image.identity, self.index, -1 if self.tile is None else self.tile.number


@dataclass(eq=False)
class DicomImage:
    """A DICOM file with pixels.

    Parameters
    ----------
    source : Source
        The file.
    transfer_syntax : str, optional
        UID; None where the file has none.
    series, instance : str
        Hashes of the UIDs.
    identity : str
        Hash of everything that was read of the header: copies of one image share it, and nothing else does.
    content : str
        The same without the UID of the image: copies that were given another one share it too.
    kind : ObjectKind
        What the pixels are: an image, a picture of a screen, a segmentation, a map.
    pixels_at : int
        Where in the file the pixels begin, bytes.
    modality : str, optional
        Code, if it is one of the standard's.
    series_number : int, optional
        As shown on scanners.
    rows, columns, bits_stored, samples : int
        Shape and depth of a frame.
    photometric : str
        MONOCHROME2 …
    signed : bool
        Whether stored values are signed.
    scale : IntensityScale
        What the intensities are.
    detector_spacing : bool
        Whether the spacing is that on the detector and not in the patient.
    spacing_note : str, optional
        What else its millimetres are worth.
    problem : str, optional
        Why the pixels cannot be read: raised when they are asked for, so that no slice vanishes silently.
    frames : list of Frame
        What it holds.
    """

    source: Source
    transfer_syntax: str | None
    series: str
    instance: str
    modality: str | None
    series_number: int | None
    rows: int
    columns: int
    samples: int
    bits_stored: int
    photometric: str
    signed: bool
    detector_spacing: bool = False
    spacing_note: str | None = None
    scale: IntensityScale = UNKNOWN
    problem: str | None = None
    frames: list[Frame] = field(default_factory=list)
    identity: str = ""
    content: str = ""
    kind: ObjectKind = ObjectKind.IMAGE
    pixels_at: int = 0

    def digest(self) -> str:
        """Hash of the pixels as stored (of a deflated file: of all of it)."""
        found = hashlib.sha256()
        with self.source.open() as stream:
            stream.seek(0 if self.transfer_syntax == DEFLATED else self.pixels_at)
            while part := stream.read(MEGABYTE):
                found.update(part)
        return found.hexdigest()

    @property
    def inverted(self) -> bool:
        """Whether grey levels are turned round so that larger is brighter; quantities are what they are."""
        return self.photometric == "MONOCHROME1" and not self.scale.quantity


def native_bytes(image: DicomImage, count: int, bits_allocated: int) -> int:
    """Bytes that `count` uncompressed frames take."""
    bits = image.rows * image.columns * image.samples * count * bits_allocated
    return -(-(bits * 2 // 3 if image.photometric == "YBR_FULL_422" else bits) // 8)

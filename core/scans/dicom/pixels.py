"""Pixels of DICOM frames: decoding what is compressed, undoing inversion and scaling."""

import struct
from collections.abc import Iterator, Sequence
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from core.errors import BadInput
from core.scans.dicom.dataset import dicom_errors, read_dataset
from core.scans.dicom.decoder import BAD_PIXELS, Decoder
from core.scans.dicom.header import DicomImage, Frame, native_bytes
from core.scans.limits import BOMB_BYTES, BOMB_MESSAGE, BOMB_RATIO, Limits
from core.scans.samples import luminance
from core.scans.sources import CUT_OFF

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_KEYWORDS = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "RedPaletteColorLookupTableDescriptor",
    "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor",
    "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData",
    "SegmentedRedPaletteColorLookupTableData",
    "SegmentedGreenPaletteColorLookupTableData",
    "SegmentedBluePaletteColorLookupTableData",
    "ModalityLUTSequence",
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
    "FloatPixelData",
    "DoubleFloatPixelData",
    "PixelData",
)
_START_OF_FRAME = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}
#: RLE makes at most 128 bytes out of two.
_RLE_MAX_RATIO = 64


def read_frames(frames: Sequence[Frame], limits: Limits, decoder: Decoder) -> Iterator[np.ndarray]:
    """Decode frames of one file, in the order given.

    Parameters
    ----------
    frames : sequence of Frame
        All of one `DicomImage`.
    limits : Limits
        Largest sizes.
    decoder : Decoder
        For compressed frames.

    Yields
    ------
    numpy.ndarray, float32 or float64, shape (rows, columns)
        Intensities; larger is brighter.

    Raises
    ------
    BadInput
    """
    image = frames[0].image
    if image.problem:
        raise BadInput(image.problem)
    dataset = read_dataset(image.source, limits, _KEYWORDS)
    with dicom_errors():
        _prepare(dataset, image)
    for frame in frames:
        with dicom_errors():
            stored = _decode(dataset, image, frame.index, decoder)
            values = _grey(stored, dataset, image)
        yield values.astype(np.float64) * frame.slope + frame.intercept if _scaled(frame) else values


def is_colour(image: DicomImage) -> bool:
    """Whether frames hold colours (read as luminance)."""
    return image.samples > 1 or image.photometric == "PALETTE COLOR"


def _scaled(frame: Frame) -> bool:
    return (frame.slope, frame.intercept) != (1.0, 0.0)


def _prepare(dataset: "Dataset", image: DicomImage) -> None:
    """Check that the transfer syntax can be decoded and that native pixels are all there."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.pixels import get_decoder
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    meta = getattr(dataset, "file_meta", None) or FileMetaDataset()
    dataset.file_meta = meta
    if "TransferSyntaxUID" not in meta:
        implicit, little = dataset.original_encoding
        meta.TransferSyntaxUID = (
            ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        )
    try:
        decoder = get_decoder(meta.TransferSyntaxUID)
    except NotImplementedError:
        raise _unsupported() from None
    if not decoder.is_available:
        raise _unsupported()
    if not meta.TransferSyntaxUID.is_encapsulated:
        _check_native(dataset, image)


def _unsupported() -> BadInput:
    return BadInput(
        "The pixels are compressed in a way that is not read (transfer syntax): "
        "export the series uncompressed or as lossless JPEG 2000."
    )


def _check_native(dataset: "Dataset", image: DicomImage) -> None:
    held = max(len(dataset.get(name) or b"") for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData"))
    frames = int(dataset.get("NumberOfFrames") or 1)
    if held < native_bytes(image, frames, int(dataset.BitsAllocated)):
        raise BadInput(CUT_OFF)


def _decode(dataset: "Dataset", image: DicomImage, index: int, decoder: Decoder) -> np.ndarray:
    from pydicom.encaps import get_frame
    from pydicom.pixels import pixel_array

    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        count = int(dataset.get("NumberOfFrames") or 1)
        packed = get_frame(dataset.PixelData, index, number_of_frames=count)
        _check_compressed_frame(packed, dataset, image)
        return decoder.decode(packed, dataset)
    try:
        return pixel_array(dataset, index=index)
    except (RuntimeError, ValueError, NotImplementedError):
        raise BadInput(BAD_PIXELS) from None


def _check_compressed_frame(packed: bytes, dataset: "Dataset", image: DicomImage) -> None:
    """Compare what the compressed frame announces with what the header does, before a decoder allocates for it."""
    from pydicom.uid import RLELossless

    expanded = prod((image.rows, image.columns, image.samples, -(-int(dataset.BitsAllocated) // 8)))
    if expanded > BOMB_BYTES and expanded > BOMB_RATIO * len(packed):
        raise BadInput(BOMB_MESSAGE)
    if dataset.file_meta.TransferSyntaxUID == RLELossless:
        if expanded > _RLE_MAX_RATIO * len(packed):
            raise BadInput(BAD_PIXELS)
        return
    if packed.startswith(b"\xff\xd8\xff"):
        size = _jpeg_size(packed, int(dataset.BitsAllocated))
    else:
        size = _jpeg_2000_size(packed)
    if size is None:
        raise BadInput(BAD_PIXELS)
    if size != (image.rows, image.columns):
        raise BadInput("The compressed pixels are of another size than the DICOM header says: export the series again.")


def _jpeg_2000_size(packed: bytes) -> tuple[int, int] | None:
    """Rows and columns in the SIZ segment of a JPEG 2000 (or HTJ2K) code stream, bare or in a JP2 box."""
    at = packed.find(b"\xff\x4f\xff\x51")
    if at < 0 or len(packed) < at + 24:
        return None
    width, height, left, top = struct.unpack_from(">4L", packed, at + 8)
    return height - top, width - left


def _jpeg_size(packed: bytes, bits_allocated: int) -> tuple[int, int] | None:
    """Rows and columns in the frame header of a JPEG or JPEG-LS stream; None without one, or for an absurd one."""
    at = 2
    while at + 9 <= len(packed) and packed[at] == 0xFF:
        marker = packed[at + 1]
        if marker in _START_OF_FRAME:
            precision = packed[at + 4]
            if marker == 0xC1 and precision == 12:
                raise _unsupported()  # no decoder of free licence reads lossy JPEG of 12 bits
            if not 2 <= precision <= bits_allocated:
                return None  # GDCM would return what happens to be in memory
            rows, columns = struct.unpack_from(">HH", packed, at + 5)
            return rows, columns
        at += 1 if marker == 0xFF else 2 + struct.unpack_from(">H", packed, at + 2)[0]
    return None


def _grey(stored: np.ndarray, dataset: "Dataset", image: DicomImage) -> np.ndarray:
    from pydicom.pixels.processing import apply_color_lut, apply_modality_lut

    if image.photometric == "PALETTE COLOR":
        return luminance(apply_color_lut(stored, dataset))
    if image.samples > 1:
        return luminance(stored)
    if image.photometric == "MONOCHROME1":
        # the darkest value there can be becomes the brightest: -1 - v for signed values, maximum - v otherwise
        top = -1 if image.signed else 2**image.bits_stored - 1
        stored = top - stored.astype(np.int64) if stored.dtype.kind in "iu" else -stored
    if dataset.get("ModalityLUTSequence"):
        return np.asarray(apply_modality_lut(stored, dataset))
    return stored

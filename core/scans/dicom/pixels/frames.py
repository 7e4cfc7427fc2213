"""Pixels of DICOM frames: decoding what is compressed, from stored values to intensities and colours."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from core.errors import BadInput
from core.scans.dicom.dataset import dicom_errors, read_dataset
from core.scans.dicom.decoder import BAD_PIXELS, Decoder
from core.scans.dicom.image import DicomImage, Frame, native_bytes
from core.scans.dicom.pixels.stored import Bits, Padding
from core.scans.dicom.pixels.tables import LookUpTable, modality_table, palette_table
from core.scans.limits import BOMB_BYTES, BOMB_MESSAGE, BOMB_RATIO, Limits
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
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "FloatPixelPaddingValue",
    "FloatPixelPaddingRangeLimit",
    "DoubleFloatPixelPaddingValue",
    "DoubleFloatPixelPaddingRangeLimit",
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
    "FloatPixelData",
    "DoubleFloatPixelData",
    "PixelData",
)
#: What pydicom and the decoders turn to RGB.
_COLOUR_SPACES = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"})
_IMAGE_ELEMENTS = frozenset(
    (
        *("SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows", "Columns"),
        *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "ExtendedOffsetTable"),
        *("ExtendedOffsetTableLengths", "PixelData"),
    )
)
#: Whole numbers of so many bits are exact in float32; seen from the end of a wider range, small ones would be rounded.
_EXACT_BITS = 24
_START_OF_FRAME = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}
#: RLE makes at most 128 bytes out of two.
_RLE_MAX_RATIO = 64


@dataclass(frozen=True, eq=False)
class Pixels:
    """One frame, decoded.

    Parameters
    ----------
    values : numpy.ndarray, any real dtype, shape (rows, columns) or (rows, columns, 3)
        Intensities, larger is brighter; or red, green and blue.
    padding : numpy.ndarray, bool, shape (rows, columns), optional
        Where nothing was imaged: the intensity there means nothing.
    stray : int
        Pixels whose words have bits set above those that hold the value: these bits are left out.
    """

    values: np.ndarray
    padding: np.ndarray | None = None
    stray: int = 0


def read_frames(frames: Sequence[Frame], limits: Limits, decoder: Decoder) -> Iterator[Pixels]:
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
    Pixels
        Colours where `is_colour` says so.

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
        meaning = _Meaning.of(dataset, image)
        _check_colours(image, meaning.bits)
        words = _header_of_words(dataset, image)
    for frame in frames:
        with dicom_errors():
            if words is None:
                pixels = meaning.of_frame(_decode(dataset, image, meaning.bits, frame.index, decoder), None, frame)
            else:
                decoded = _decode(words, image, meaning.bits, frame.index, decoder)
                pixels = meaning.of_frame(meaning.bits.values(decoded), decoded, frame)
        yield pixels


def is_colour(image: DicomImage) -> bool:
    """Whether frames hold colours."""
    return image.samples > 1 or image.photometric == "PALETTE COLOR"


@dataclass(frozen=True, eq=False)
class _Meaning:
    """How stored values of one file become intensities (PS3.3 C.7.6.3 and C.11.1) or colours."""

    bits: Bits
    padding: Padding | None
    palette: LookUpTable | None
    table: LookUpTable | None
    colour: bool
    inverted: bool

    @classmethod
    def of(cls, dataset: "Dataset", image: DicomImage) -> "_Meaning":
        colour = is_colour(image)
        bits = Bits.of(dataset)
        palette = palette_table(dataset, image.signed) if image.photometric == "PALETTE COLOR" else None
        return cls(
            bits=bits,
            padding=None if colour else Padding.of(dataset, bits),
            palette=palette,
            table=None if colour else modality_table(dataset, image.signed),
            colour=colour,
            inverted=image.inverted,
        )

    def of_frame(self, stored: np.ndarray, words: np.ndarray | None, frame: Frame) -> Pixels:
        if self.colour:
            return Pixels((stored if self.palette is None else self.palette(stored))[..., :3])
        padding = None if self.padding is None else self.padding.among(stored, self.bits, words)
        exact = stored.dtype.kind in "iu" and self.bits.stored <= _EXACT_BITS
        values = stored
        ends: float = self.bits.lowest + self.bits.highest if exact else 0
        if self.table is not None:
            # a file has a table or a slope; one that has both means the table (PS3.3 C.11.1)
            values, ends = self.table(stored), 2**self.table.bits - 1
        elif (frame.slope, frame.intercept) != (1.0, 0.0):
            values = stored.astype(np.float64) * frame.slope + frame.intercept
            ends = ends * frame.slope + 2 * frame.intercept
        if self.inverted:
            # the lowest value there can be and the highest change places
            values = ends - (values.astype(np.int64) if values.dtype.kind in "iu" else values)
        return Pixels(values, padding, self._count_stray(words, padding))

    def _count_stray(self, words: np.ndarray | None, padding: np.ndarray | None) -> int:
        stray = None if words is None else self.bits.stray(words)
        if stray is None:
            return 0
        return int(np.count_nonzero(stray if padding is None else stray & ~padding))


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


def _check_colours(image: DicomImage, bits: Bits) -> None:
    """Refuse colours that would come out as other ones."""
    if image.samples == 1:
        return
    wide = bits.allocated > 8 and image.photometric.startswith("YBR_FULL")
    if wide or image.photometric not in _COLOUR_SPACES:
        raise BadInput("The colours of the DICOM file are coded in a way that is not read: export it as RGB.")
    if bits.shift:
        raise BadInput("The colours of the DICOM file lie in the upper bits of each word: export it as 8-bit RGB.")


def _header_of_words(dataset: "Dataset", image: DicomImage) -> "Dataset | None":
    """For grey pixels stored as words: the same data set, saying that every bit counts.

    pydicom looks for values in the lower bits only, and padding may have more bits than a value.
    """
    from pydicom.dataset import Dataset
    from pydicom.uid import RLELossless

    syntax = dataset.file_meta.TransferSyntaxUID
    in_words = "PixelData" in dataset and int(dataset.BitsAllocated) >= 8
    if image.samples > 1 or not in_words or (syntax.is_encapsulated and syntax != RLELossless):
        return None
    words = Dataset({element.tag: element for element in dataset if element.keyword in _IMAGE_ELEMENTS})
    words.file_meta = dataset.file_meta
    words.set_original_encoding(*dataset.original_encoding)
    words.BitsStored, words.HighBit = words.BitsAllocated, words.BitsAllocated - 1
    words.PixelRepresentation = 0
    return words


def _decode(dataset: "Dataset", image: DicomImage, bits: Bits, index: int, decoder: Decoder) -> np.ndarray:
    from pydicom.encaps import get_frame
    from pydicom.pixels import pixel_array

    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        count = int(dataset.get("NumberOfFrames") or 1)
        packed = get_frame(dataset.PixelData, index, number_of_frames=count)
        _check_compressed_frame(packed, dataset, image, bits)
        return decoder.decode(packed, dataset)
    try:
        return pixel_array(dataset, index=index)
    except (RuntimeError, ValueError, NotImplementedError):
        raise BadInput(BAD_PIXELS) from None


def _check_compressed_frame(packed: bytes, dataset: "Dataset", image: DicomImage, bits: Bits) -> None:
    """Compare what the compressed frame announces with what the header does, before a decoder allocates for it."""
    from pydicom.uid import RLELossless

    expanded = prod((image.rows, image.columns, image.samples, -(-int(dataset.BitsAllocated) // 8)))
    if expanded > BOMB_BYTES and expanded > BOMB_RATIO * len(packed):
        raise BadInput(BOMB_MESSAGE)
    if dataset.file_meta.TransferSyntaxUID == RLELossless:
        if expanded > _RLE_MAX_RATIO * len(packed):
            raise BadInput(BAD_PIXELS)
        return
    is_jpeg = packed.startswith(b"\xff\xd8\xff")
    announced = _jpeg_frame(packed, int(dataset.BitsAllocated)) if is_jpeg else _jpeg_2000_frame(packed)
    if announced is None:
        raise BadInput(BAD_PIXELS)
    if announced[:2] != (image.rows, image.columns):
        raise BadInput("The compressed pixels are of another size than the DICOM header says: export the series again.")
    if bits.shift and announced[2] > bits.stored:
        raise BadInput("Pixel values lie in the upper bits of compressed words: export the series uncompressed.")


def _jpeg_2000_frame(packed: bytes) -> tuple[int, int, int] | None:
    """Rows, columns and bits in the SIZ segment of a JPEG 2000 (or HTJ2K) code stream, bare or in a JP2 box."""
    at = packed.find(b"\xff\x4f\xff\x51")
    if at < 0 or len(packed) < at + 43:
        return None
    width, height, left, top = struct.unpack_from(">4L", packed, at + 8)
    return height - top, width - left, (packed[at + 42] & 0x7F) + 1


def _jpeg_frame(packed: bytes, bits_allocated: int) -> tuple[int, int, int] | None:
    """Rows, columns and bits in the frame header of a JPEG or JPEG-LS stream; None without a sane one."""
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
            return rows, columns, precision
        at += 1 if marker == 0xFF else 2 + struct.unpack_from(">H", packed, at + 2)[0]
    return None

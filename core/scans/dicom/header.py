"""What one DICOM file is: its frames, where they lie, and how its pixels are stored. No patient, no free text."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from core.errors import BadInput
from core.scans.dicom.dataset import BAD_DICOM, DEFLATED, FileMeta, dicom_errors, read_dataset, read_meta
from core.scans.dicom.directory import DICOMDIR_CLASS
from core.scans.dicom.functional_groups import FunctionalGroups, functional_groups
from core.scans.dicom.geometry.mosaic import MOSAIC, MOSAIC_TAGS, mosaic_of
from core.scans.dicom.geometry.nuclear import NUCLEAR_KEYWORDS, nuclear_slices
from core.scans.dicom.geometry.pixel_size import PIXEL_SIZE_KEYWORDS, pixel_size
from core.scans.dicom.grouping.attributes import TOP_LEVEL, AttributeReader
from core.scans.dicom.image import DicomImage, Frame, native_bytes
from core.scans.dicom.objects import (
    KIND_KEYWORDS,
    ObjectKind,
    kind_of,
    modality_of,
    scale_of,
    scaling_of,
    without_image,
)
from core.scans.dicom.pixels.scale import IntensityScale
from core.scans.dicom.values import as_list, first_number, short_hash, unit_vectors, vector
from core.scans.limits import MAX_FRAMES, Limits
from core.scans.sources import CUT_OFF, Source

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_PIXEL_TAGS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_KEYWORDS = (
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "SeriesNumber",
    "AcquisitionNumber",
    "InstanceNumber",
    "TemporalPositionIdentifier",
    "EchoNumbers",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "SliceThickness",
    "SpacingBetweenSlices",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "PixelRepresentation",
    "RedPaletteColorLookupTableDescriptor",
    "ModalityLUTSequence",
    "RescaleSlope",
    "RescaleIntercept",
    "DoseGridScaling",
    "GridFrameOffsetVector",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    *PIXEL_SIZE_KEYWORDS,
    *NUCLEAR_KEYWORDS,
    *KIND_KEYWORDS,
    *TOP_LEVEL,
    *MOSAIC_TAGS,
)


class OnlyADirectory(BadInput):
    """A DICOMDIR among the files: nothing is missed by passing over it."""


def read_image_header(source: Source, limits: Limits) -> DicomImage:
    """Read everything but the pixels.

    Raises
    ------
    BadInput
        No pixels in it, sizes that cannot be, damaged.
    """
    limits.check_file(source.size)
    meta = read_meta(source)
    if meta.media_class == DICOMDIR_CLASS:
        raise OnlyADirectory("A DICOMDIR is only a table of contents: give the folder it lies in, or a zip of that.")
    stop = _StopAtPixels()
    dataset = read_dataset(source, limits, _KEYWORDS, stop, stop.watch)
    with dicom_errors():
        modality = modality_of(dataset)
        if stop.length is None:
            raise without_image(dataset, modality)
    with dicom_errors():
        image = _image(source, meta.transfer_syntax, dataset, modality)
        count = int(dataset.get("NumberOfFrames") or 1)
        _check_sizes(image, count, limits)
        image.problem = _missing_pixels(image, count, int(dataset.get("BitsAllocated") or 0), stop, source, meta)
        image.pixels_at = stop.start
        image.frames = _frames(image, dataset, count)
        _take_apart(image, dataset)
        image.scale = _scale(image, dataset)
        _name(image, dataset)
    return image


def _name(image: DicomImage, dataset: "Dataset") -> None:
    """Name an image by what is in it, never by what its file is called."""
    first = image.frames[0]
    unique = image.instance if dataset.get("SOPInstanceUID") else image.digest()
    # some anonymisers give all files one UID: what lies elsewhere, or was taken later, is another image
    image.instance = short_hash(f"{unique}{first.position}{first.time}{first.order}")
    places = [(_bytes(f.position), _bytes(f.orientation), f.spacing, f.slope, f.intercept) for f in image.frames]
    header = (places, [f.attributes for f in image.frames])
    image.content = short_hash(f"{image.series}{image.modality}{image.rows}{image.columns}{header}")
    image.identity = short_hash(f"{image.content}{unique}")


def _bytes(numbers: np.ndarray | None) -> bytes:
    return b"" if numbers is None else numbers.tobytes()


def _take_apart(image: DicomImage, dataset: "Dataset") -> None:
    """Make frames of the slices of a mosaic; one that cannot be taken apart has a problem."""
    first = image.frames[0]
    places = {_bytes(frame.position) for frame in image.frames}
    if image.problem or len(places) > 1 or image.kind is not ObjectKind.IMAGE:
        return
    try:
        mosaic = mosaic_of(dataset, image.rows, image.columns, first.spacing)
    except BadInput as problem:
        image.problem = str(problem)
        return
    if mosaic is None:
        return
    if len(image.frames) > 1 or first.position is None or first.orientation is None or min(first.spacing) <= 0:
        image.problem = MOSAIC
        return
    positions = mosaic.positions(first.position, first.orientation, first.spacing)
    image.frames = [
        replace(
            first,
            tile=tile,
            position=position,
            attributes=replace(first.attributes, sequence=(first.attributes.sequence[0], float(tile.number))),
        )
        for tile, position in zip(mosaic.tiles, positions, strict=True)
    ]


class _StopAtPixels:
    """Stops pydicom before the pixels, and remembers how many bytes are said to follow and how many do."""

    def __init__(self) -> None:
        self.length: int | None = None
        self.start = 0
        self._stream: BinaryIO | None = None

    def watch(self, stream: BinaryIO) -> None:
        self._stream = stream

    def __call__(self, tag: Any, representation: str | None, length: int) -> bool:
        if tag not in _PIXEL_TAGS:
            return False
        self.length = length
        self.start = self._stream.tell() if self._stream is not None else 0
        return True


def _image(source: Source, syntax: str | None, dataset: "Dataset", modality: str | None) -> DicomImage:
    number = first_number(dataset.get("SeriesNumber"))
    instance = str(dataset.get("SOPInstanceUID") or "")
    return DicomImage(
        source=source,
        transfer_syntax=syntax,
        series=short_hash(str(dataset.get("SeriesInstanceUID") or "")),
        instance=short_hash(instance),
        modality=modality,
        series_number=None if number is None else int(number),
        rows=int(dataset.get("Rows") or 0),
        columns=int(dataset.get("Columns") or 0),
        samples=int(dataset.get("SamplesPerPixel") or 1),
        bits_stored=int(dataset.get("BitsStored") or dataset.get("BitsAllocated") or 16),
        photometric=str(dataset.get("PhotometricInterpretation") or "MONOCHROME2"),
        signed=bool(dataset.get("PixelRepresentation") or 0),
        kind=kind_of(dataset, modality),
    )


def _check_sizes(image: DicomImage, count: int, limits: Limits) -> None:
    if not 1 <= count <= MAX_FRAMES:
        raise BadInput("The DICOM file gives a number of frames that cannot be true: export it again.")
    limits.check_array(image.rows, image.columns)
    if image.samples not in (1, 3, 4) or not 1 <= image.bits_stored <= 64:
        raise BadInput(BAD_DICOM)


def _missing_pixels(
    image: DicomImage, count: int, bits_allocated: int, stop: _StopAtPixels, source: Source, meta: FileMeta
) -> str | None:
    """For pixels stored plainly: whether the file holds as many as its header announces."""
    from pydicom.uid import UID

    assert stop.length is not None
    if stop.length == 0xFFFFFFFF or (image.transfer_syntax and UID(image.transfer_syntax).is_encapsulated):
        return None
    promised = native_bytes(image, count, bits_allocated)
    # what a deflated file holds is known only after inflating; decoding checks it
    held = stop.length if meta.transfer_syntax == DEFLATED else min(stop.length, source.size - stop.start)
    return CUT_OFF if held < promised else None


def _frames(image: DicomImage, dataset: "Dataset", count: int) -> list[Frame]:
    shared, per_frame = functional_groups(dataset)
    if per_frame and len(per_frame) != count:
        raise BadInput("The DICOM file describes another number of frames than it holds: export it again.")
    offsets = [float(value) for value in as_list(dataset.get("GridFrameOffsetVector"))]
    reader = AttributeReader(dataset)
    if per_frame:
        groups = (FunctionalGroups(dataset, shared, own) for own in per_frame)
        return [_frame(image, group, index, reader) for index, group in enumerate(groups)]
    first = _frame(image, FunctionalGroups(dataset, shared, None), 0, reader)
    nuclear = None if image.problem else nuclear_slices(dataset, count)
    if nuclear is not None:
        return [
            replace(
                _numbered(first, index),
                position=position,
                orientation=nuclear.orientation,
                time=time,
                attributes=replace(_numbered(first, index).attributes, time=time),
            )
            for index, (position, time) in enumerate(zip(nuclear.positions, nuclear.times, strict=True))
        ]
    if count == 1 or image.problem:
        return [first]
    positions: list[np.ndarray | None] = [None] * count
    if len(offsets) == count and first.position is not None and first.orientation is not None:
        normal = np.cross(first.orientation[:3], first.orientation[3:])
        # offsets are relative, or (older) absolute along the normal: only differences matter
        positions = [first.position + normal * (offset - offsets[0]) for offset in offsets]
    return [replace(_numbered(first, index), position=position) for index, position in enumerate(positions)]


def _numbered(first: Frame, index: int) -> Frame:
    """The frame of that number in a file whose frames are described together."""
    sequence = (first.attributes.sequence[0], float(index))
    return replace(
        first,
        index=index,
        order=(*first.order[:-1], float(index)),
        attributes=replace(first.attributes, sequence=sequence),
    )


def _frame(image: DicomImage, groups: FunctionalGroups, index: int, reader: AttributeReader) -> Frame:
    position = vector(groups.get("PlanePositionSequence", "ImagePositionPatient"), 3)
    orientation = unit_vectors(vector(groups.get("PlaneOrientationSequence", "ImageOrientationPatient"), 6))
    size = pixel_size(groups)
    image.detector_spacing, image.spacing_note = size.on_detector, size.note
    slope, intercept = scaling_of(groups.dataset, groups, image.kind)
    time = first_number(groups.get("FrameContentSequence", "TemporalPositionIndex"))
    time = first_number(groups.get("", "TemporalPositionIdentifier")) if time is None else time
    order = (groups.get("", "AcquisitionNumber"), groups.get("", "EchoNumbers"), groups.get("", "InstanceNumber"))
    return Frame(
        image=image,
        index=index,
        position=position if orientation is not None else None,
        orientation=orientation,
        spacing=size.spacing,
        thickness=abs(first_number(groups.get("PixelMeasuresSequence", "SliceThickness")) or 0.0),
        step=abs(first_number(groups.get("PixelMeasuresSequence", "SpacingBetweenSlices")) or 0.0),
        slope=slope,
        intercept=intercept,
        time=None if time is None else int(time),
        order=(*(first_number(value) or 0.0 for value in order), float(index)),
        attributes=reader.read(groups, index, None if time is None else int(time)),
    )


def _scale(image: DicomImage, dataset: "Dataset") -> IntensityScale:
    shared, per_frame = functional_groups(dataset)
    first = FunctionalGroups(dataset, shared, per_frame[0] if per_frame else None)
    plain = all((frame.slope, frame.intercept) == (1.0, 0.0) for frame in image.frames)
    return scale_of(dataset, first, image.kind, image.modality, plain)

"""Volume files: NIfTI-1/2 (one file or a pair), Analyze, MGH/MGZ, streamed straight into RAS+ float32."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import BinaryIO, cast

import numpy as np

from core.errors import BadInput
from core.scans.limits import MAX_FRAMES, MEGABYTE, Limits
from core.scans.orientation import file_view, ras_affine, ras_shape, source_space
from core.scans.samples import COLOURS, COMPLEX_NOTE, EXACT, RGB_NOTE, FiniteFilter, grey_and_colours
from core.scans.scan import Scan
from core.scans.sources import CUT_OFF, Source, drain, open_gzip, read_exactly, skip
from core.scans.volumes.header import VolumeHeader, read_header

_SLAB_BYTES = 4 * MEGABYTE


@dataclass(frozen=True, eq=False)
class VolumeFile:
    """A volume file whose header was read and found possible.

    Parameters
    ----------
    header : VolumeHeader
        What it says.
    source : Source
        Where the samples are (the ``.img`` of a pair).
    packed : bool
        Whether `source` is gzip.
    """

    header: VolumeHeader
    source: Source
    packed: bool


def open_volume_file(
    source: Source, packed: bool, limits: Limits, image: tuple[Source, bool] | None = None
) -> VolumeFile:
    """Read the header, and refuse what the file cannot hold or the limits do not allow, before allocating.

    Parameters
    ----------
    source : Source
        The file (the ``.hdr`` of a pair).
    packed : bool
        Whether it is gzip.
    limits : Limits
        Largest sizes.
    image : (Source, bool), optional
        For a pair: the ``.img`` and whether that is gzip.

    Raises
    ------
    BadInput
    """
    if packed:
        limits.check_file(source.size)
    else:
        limits.check_expanded(source.size)
    with _content(source, packed) as stream:
        head = stream.read(1024)
    header = read_header(head)
    if header.pair and image is None:
        raise BadInput("This is only the header of an image: give the .img file that belongs to it as well.")
    holder, holder_packed = image if header.pair and image is not None else (source, packed)
    if not 1 <= header.volumes <= MAX_FRAMES:
        raise BadInput("The file says it holds no volume, or more than can be true: export it again.")
    promised = header.offset + prod(header.shape) * header.volumes * header.dtype.itemsize
    limits.check_expanded(promised, holder.size if holder_packed else None)
    if not holder_packed and promised > holder.size:
        raise BadInput(
            f"The header asks for {promised / 1e6:.4g} MB and the file holds {holder.size / 1e6:.4g} MB: "
            "it was cut off or its header is wrong; copy or export it again."
        )
    limits.check_array(COLOURS if header.dtype.names else 1, *header.shape)
    return VolumeFile(header, holder, holder_packed)


def read_volume(file: VolumeFile, volume: int | None = None) -> Scan:
    """Read one volume.

    Parameters
    ----------
    file : VolumeFile
        From `open_volume_file`.
    volume : int, optional
        Which volume of a 4D file, from 0; the first when not given, and a note says so.

    Returns
    -------
    Scan
        One channel, RAS+.

    Raises
    ------
    BadInput
        Truncated or damaged data, no such volume, no finite value.
    """
    header = file.header
    index = volume or 0
    if not 0 <= index < header.volumes:
        raise BadInput(f"There is no volume {index}: the file holds {header.volumes}, counted from 0.")
    space = source_space(header.affine, header.shape, header.forms)
    finite = FiniteFilter()
    with _content(file.source, file.packed) as stream:
        volume_bytes = prod(header.shape) * header.dtype.itemsize
        _go_to(stream, header.offset + index * volume_bytes, file.packed)
        array = np.empty((COLOURS if header.dtype.names else 1, *ras_shape(space)), dtype=np.float32)
        _fill([file_view(channel, space) for channel in array], stream, header, finite)
        if file.packed:
            skip(stream, (header.volumes - 1 - index) * volume_bytes)
            drain(stream)
    notes = [*header.notes, *finite.notes()]
    grey, colours = grey_and_colours(array)
    if colours is not None:
        notes.append(RGB_NOTE)
    elif header.dtype.kind == "c":
        notes.append(COMPLEX_NOTE)
    if header.volumes > 1:
        chosen = "the first one was taken" if volume is None else f"volume {index} was taken"
        notes.append(f"The file holds {header.volumes} volumes: {chosen} (counted from 0).")
    units = "8-bit" if header.dtype.names else None
    return Scan(grey, ras_affine(space), units=units, notes=tuple(notes), source=space, colours=colours)


def _fill(views: Sequence[np.ndarray], stream: BinaryIO, header: VolumeHeader, finite: FiniteFilter) -> None:
    """Stream one volume into a view a channel (the file's axis order), some slices at a time: one copy of it in all."""
    columns, rows, slices = header.shape
    slice_bytes = columns * rows * header.dtype.itemsize
    step = max(1, _SLAB_BYTES // slice_bytes)
    for first in range(0, slices, step):
        count = min(step, slices - first)
        raw = np.frombuffer(read_exactly(stream, count * slice_bytes), dtype=header.dtype)
        slab = raw.reshape((columns, rows, count), order="F")
        for view, values in zip(views, _channels(slab, header), strict=True):
            view[..., first : first + count] = finite(values)


def _channels(slab: np.ndarray, header: VolumeHeader) -> list[np.ndarray]:
    """Red, green and blue, which the standard does not scale, or the one channel of other values."""
    if slab.dtype.names:
        return [slab[name] for name in slab.dtype.names[:COLOURS]]
    return [_intensities(slab, header)]


def _intensities(slab: np.ndarray, header: VolumeHeader) -> np.ndarray:
    """Stored samples → values; the standard scales both parts of a complex number."""
    scaled = (header.slope, header.intercept) != (1.0, 0.0)
    if slab.dtype.kind == "c":
        return np.abs(slab * header.slope + header.intercept * (1 + 1j) if scaled else slab)
    if not scaled:
        return slab
    with np.errstate(all="ignore"):
        values = slab.astype(np.float64) * header.slope + header.intercept
        return values if _may_be_large_labels(header) else values.astype(np.float32)


def _may_be_large_labels(header: VolumeHeader) -> bool:
    """Whether scaled samples are whole numbers too large for float32; what is scaled by a fraction was measured."""
    whole = header.slope.is_integer() and header.intercept.is_integer()
    if not whole or header.dtype.kind not in "iu":
        return whole
    limits = np.iinfo(header.dtype)
    largest = max(abs(int(limits.min)), int(limits.max)) * abs(header.slope) + abs(header.intercept)
    return largest >= EXACT


@contextmanager
def _content(source: Source, packed: bool) -> Iterator[BinaryIO]:
    with source.open() as stream:
        if not packed:
            yield stream
            return
        with open_gzip(stream) as unpacked:
            yield cast(BinaryIO, unpacked)


def _go_to(stream: BinaryIO, position: int, packed: bool) -> None:
    if packed:
        skip(stream, position)
    elif stream.seek(position, io.SEEK_SET) != position:
        raise BadInput(CUT_OFF)

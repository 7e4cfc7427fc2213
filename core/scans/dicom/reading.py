"""DICOM series as scans: single files, folders, multi-frame and 4D."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby

import numpy as np

from core.errors import BadInput
from core.scans.dicom.decoder import Decoder
from core.scans.dicom.grouping.volume import Volume
from core.scans.dicom.header import OnlyADirectory, read_image_header
from core.scans.dicom.image import DicomImage, Frame
from core.scans.dicom.pixels.background import Background
from core.scans.dicom.pixels.frames import is_colour, read_frames
from core.scans.dicom.series import DicomSeries, group_series
from core.scans.limits import MAX_FRAMES, Limits
from core.scans.orientation import file_view, ras_affine, ras_shape, source_space, usable_affine
from core.scans.samples import COLOURS, RGB_NOTE, FiniteFilter, grey_and_colours
from core.scans.scan import Scan, SourceSpace
from core.scans.sources import Source
from core.wording import percent


def find_series(sources: Iterable[Source], limits: Limits) -> tuple[list[DicomSeries], list[BadInput]]:
    """Read the headers of DICOM files and sort them into series.

    Returns
    -------
    series : list of DicomSeries
        Largest volume first is not promised.
    problems : list of BadInput
        For each file without an image in it, why.
    """
    images: list[DicomImage] = []
    problems: list[BadInput] = []
    directories: list[BadInput] = []
    frames = 0
    for source in sources:
        try:
            image = read_image_header(source, limits)
        except OnlyADirectory as problem:
            directories.append(problem)
            continue
        except BadInput as problem:
            # the sentence alone: what raised it holds on to all that it had read
            problems.append(BadInput(str(problem)))
            continue
        frames += len(image.frames)
        if frames > MAX_FRAMES:
            raise BadInput(f"There are more than {MAX_FRAMES} DICOM frames: give one series.")
        images.append(image)
    return group_series(images), problems if images else problems + directories


def read_series(series: DicomSeries, limits: Limits, volume: int | None = None) -> Scan:
    """Read one volume (or one 2D image) of a series.

    Parameters
    ----------
    series : DicomSeries
        From `find_series`.
    limits : Limits
        Largest sizes.
    volume : int, optional
        Which volume of a 4D series or frame of a 2D one, from 0; the first when not given, and a note says so.

    Returns
    -------
    Scan
        ``(1, X, Y, Z)`` in RAS+, or ``(1, rows, columns)`` for a single slice.

    Raises
    ------
    BadInput
    """
    index = volume or 0
    if not 0 <= index < len(series.volumes):
        raise BadInput(f"There is no volume {index}: the series holds {len(series.volumes)}, counted from 0.")
    if series.problem:
        raise BadInput(series.problem)
    chosen = series.volumes[index]
    limits.check_array(*series.shape)
    if not usable_affine(chosen.affine):
        raise BadInput("The positions in the DICOM files make no sense: export the series again.")
    flat = len(series.shape) == 2
    space = SourceSpace(chosen.affine, series.shape) if flat else source_space(chosen.affine, series.shape)
    shape = series.shape if flat else ras_shape(space)
    channels = COLOURS if is_colour(series.image) else 1
    limits.check_array(channels, *shape)
    array = np.zeros((channels, *shape), dtype=np.float32)
    views = [channel[..., None].transpose(1, 0, 2) if flat else file_view(channel, space) for channel in array]
    notes = _notes(series, chosen, volume) + _fill(views, chosen, limits)
    grey, colours = grey_and_colours(array)
    return Scan(
        grey,
        chosen.affine if flat else ras_affine(space),
        modality=series.image.modality,
        units=series.image.scale.units,
        notes=(*notes, *([] if colours is None else [RGB_NOTE])),
        source=space,
        colours=colours,
    )


def _fill(views: Sequence[np.ndarray], volume: Volume, limits: Limits) -> list[str]:
    """Decode into a view (columns, rows, slices; zeros) a channel, file by file, and say what was replaced.

    One copy of the volume in all.
    """
    finite, background, stray = FiniteFilter(), Background(), 0
    fills: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for index, place, weight in volume.filling:
        fills[index].append((place, weight))
    ordered = sorted(fills.items(), key=lambda item: volume.frames[item[0]].identity)
    with Decoder() as decoder:
        for _, items in groupby(ordered, key=lambda item: volume.frames[item[0]].image.identity):
            pictures = [list(tiles) for _, tiles in groupby(items, key=lambda item: volume.frames[item[0]].index)]
            decoded = read_frames([volume.frames[picture[0][0]] for picture in pictures], limits, decoder)
            for picture, pixels in zip(pictures, decoded, strict=True):
                values = finite(pixels.values)
                stray += pixels.stray
                for index, places in picture:
                    _put(views, places, _of_frame(values, volume.frames[index]))
                    padding = None if pixels.padding is None else _of_frame(pixels.padding, volume.frames[index])
                    for place, _ in places:
                        background.look_at(place, _of_frame(values, volume.frames[index]), padding)
    background.fill(views[0])
    return [*finite.notes(), *background.notes(), *_stray_notes(stray / finite.total)]


def _stray_notes(share: float) -> list[str]:
    if not share:
        return []
    return [
        f"{percent(share)} of the pixels have bits set above those that the header says hold the value: "
        "these bits were left out. If the picture looks torn, export it again."
    ]


def _of_frame(picture: np.ndarray, frame: Frame) -> np.ndarray:
    return picture if frame.tile is None else frame.tile.of(picture)


def _put(views: Sequence[np.ndarray], places: Sequence[tuple[int, float]], values: np.ndarray) -> None:
    """Add a slice to where it belongs, weighted."""
    for place, weight in places:
        for view, channel in zip(views, np.atleast_3d(values).transpose(2, 1, 0), strict=True):
            view[..., place] += channel if weight == 1.0 else weight * channel


def _notes(series: DicomSeries, read: Volume, volume: int | None) -> list[str]:
    image = series.image
    notes = [*read.notes, *series.notes, *([image.spacing_note] if image.spacing_note else [])]
    if image.inverted:
        notes.append("MONOCHROME1 inverted: larger is brighter.")
    elif image.photometric == "MONOCHROME1":
        notes.append("The file asks for large values to be shown dark (MONOCHROME1): here they are bright, and kept.")
    if len(series.volumes) > 1:
        what = "volume" if len(series.shape) == 3 else "frame"
        chosen = "the first one was taken" if volume is None else f"{what} {volume} was taken"
        names = series.volume_names
        words = f": {names[volume or 0]}" if names and names[volume or 0] else ""
        notes.append(f"The series holds {len(series.volumes)} {what}s: {chosen} (counted from 0){words}.")
    return notes

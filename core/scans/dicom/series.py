"""From frames to series: what belongs together, in which order, where in space, and what is odd about it."""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import BadInput
from core.scans.dicom.header import DicomImage, Frame

_LPS_TO_RAS = np.array([-1.0, -1.0, 1.0])
#: Directions of one stack agree to this (about 0.06°).
_SAME_DIRECTION = 1e-3
_SAME_SPACING = 1e-3
#: Modalities whose images make a stack even when they do not say where they lie.
_STACKED_MODALITIES = frozenset({"CT", "MR", "PT"})
_MAX_DIRECTIONS = 500
_EVEN_STEP = 0.01
_TILT_DEGREES = 0.5


@dataclass(frozen=True, eq=False)
class DicomSeries:
    """Frames that make one image, or several volumes over the same grid.

    Parameters
    ----------
    key : str
        12 hex digits, the same whenever the same files are read.
    volumes : list of list of Frame
        Frames of each volume, in order along the normal. One frame each: a 2D image.
    affine : numpy.ndarray, shape (4, 4), float64
        Index → RAS+ mm. Index is (column, row, slice) for volumes and (row, column, 0) for images.
    notes : tuple of str
        What is odd about the geometry.
    """

    key: str
    volumes: list[list[Frame]]
    affine: np.ndarray
    notes: tuple[str, ...]

    @property
    def image(self) -> DicomImage:
        """The first file, for what all of them share."""
        return self.volumes[0][0].image

    @property
    def shape(self) -> tuple[int, ...]:
        """(columns, rows, slices), or (rows, columns) for 2D."""
        rows, columns, slices = self.image.rows, self.image.columns, len(self.volumes[0])
        return (rows, columns) if slices == 1 else (columns, rows, slices)

    @property
    def files(self) -> int:
        """Number of files it comes from."""
        return len({frame.image.instance for volume in self.volumes for frame in volume})

    @property
    def description(self) -> str:
        """For choosing, from technical fields only: series descriptions are free text and may name the patient."""
        rows, columns, slices = self.image.rows, self.image.columns, len(self.volumes[0])
        parts = [self.image.modality or "DICOM"]
        if self.image.series_number is not None:
            parts.append(f"series {self.image.series_number}")
        parts.append(f"{columns}×{rows}" + (f"×{slices}" if slices > 1 else ""))
        axes = 3 if slices > 1 else 2
        spacing = np.linalg.norm(self.affine[:3, :axes], axis=0)
        parts.append("×".join(f"{length:.3g}" for length in spacing) + " mm")
        if len(self.volumes) > 1:
            parts.append(f"{len(self.volumes)} {'volumes' if slices > 1 else 'frames'}")
        return " · ".join(parts)


def group_series(images: Iterable[DicomImage]) -> list[DicomSeries]:
    """Sort frames into series that share series, size, direction and spacing.

    Raises
    ------
    BadInput
        When they lie in more directions than any series does.
    """
    groups: dict[tuple[object, ...], list[list[Frame]]] = defaultdict(list)
    seen: set[str] = set()
    repeated: Counter[str] = Counter()
    for image in images:
        if image.instance in seen:
            repeated[image.series] += 1
            continue
        seen.add(image.instance)
        for frame in image.frames:
            clusters = groups[_coarse_key(frame)]
            for cluster in clusters:
                if _same_grid(cluster[0], frame):
                    cluster.append(frame)
                    break
            else:
                if len(clusters) >= _MAX_DIRECTIONS:
                    raise BadInput("The slices of the DICOM series lie in too many directions: give one series.")
                clusters.append([frame])
    return [_series(frames, repeated[frames[0].image.series]) for clusters in groups.values() for frames in clusters]


def _coarse_key(frame: Frame) -> tuple[object, ...]:
    image = frame.image
    alone = frame.position is None and (len(image.frames) > 1 or image.modality not in _STACKED_MODALITIES)
    return (
        image.series,
        image.modality,
        image.rows,
        image.columns,
        frame.position is None,
        # projections and pictures that lie nowhere in space are no stack: each file is an image of its own
        image.instance if alone else None,
    )


def _same_grid(one: Frame, other: Frame) -> bool:
    if one.spacing == other.spacing and one.orientation is other.orientation:
        return True
    if not np.allclose(one.spacing, other.spacing, rtol=_SAME_SPACING, atol=1e-6):
        return False
    if one.orientation is None or other.orientation is None or one.position is None:
        return True
    return bool(np.abs(one.orientation - other.orientation).max() < _SAME_DIRECTION)


def _series(frames: list[Frame], repeated: int) -> DicomSeries:
    notes: list[str] = []
    if repeated:
        notes.append(f"{repeated} file(s) were there twice and read once.")
    if frames[0].position is None:
        volumes, affine = _unplaced(frames, notes)
    else:
        volumes, affine = _placed(frames, notes)
    if frames[0].image.detector_spacing:
        notes.append("Millimetres are those on the detector: structures in the patient are smaller.")
    return DicomSeries(_key(volumes), volumes, affine, tuple(notes))


def _unplaced(frames: list[Frame], notes: list[str]) -> tuple[list[list[Frame]], np.ndarray]:
    frames = sorted(frames, key=lambda frame: frame.order)
    first = frames[0]
    rows, columns = _spacing(first, notes)
    if len(first.image.frames) > 1 or len(frames) == 1:
        return [[frame] for frame in frames], np.diag([rows, columns, 1.0, 1.0])
    distance = first.step or first.thickness or 1.0
    notes.append(
        "The files do not say where they lie: slices are in order of their number, "
        f"{distance:.3g} mm apart, and left and right are not certain."
    )
    return [frames], np.diag([-columns, -rows, distance, 1.0])


def _placed(frames: list[Frame], notes: list[str]) -> tuple[list[list[Frame]], np.ndarray]:
    orientation = frames[0].orientation
    assert orientation is not None
    normal = np.cross(orientation[:3], orientation[3:])
    normal /= np.linalg.norm(normal)
    volumes = _volumes(frames, normal, notes)
    slices = volumes[0]
    rows, columns = _spacing(frames[0], notes)
    along_row, along_column = orientation[:3] * columns, orientation[3:] * rows
    positions = np.array([frame.position for frame in slices])
    affine = np.eye(4)
    affine[:3, 3] = positions[0] * _LPS_TO_RAS
    if len(slices) == 1:
        step = normal * (frames[0].thickness or 1.0)
        affine[:3, :3] = np.stack([along_column, along_row, step], axis=1) * _LPS_TO_RAS[:, None]
        return volumes, affine
    step = (positions[-1] - positions[0]) / (len(slices) - 1)
    affine[:3, :3] = np.stack([along_row, along_column, step], axis=1) * _LPS_TO_RAS[:, None]
    notes.extend(_oddities(positions, step, normal))
    return volumes, affine


def _spacing(frame: Frame, notes: list[str]) -> tuple[float, float]:
    """Distance between rows and between columns, mm."""
    if min(frame.spacing) > 0:
        return frame.spacing
    notes.append("The file does not say how large a pixel is: 1 mm is assumed.")
    return 1.0, 1.0


def _volumes(frames: list[Frame], normal: np.ndarray, notes: list[str]) -> list[list[Frame]]:
    """Split frames that share positions into volumes, each sorted along the normal."""
    by_place = _by_place(frames, normal)
    counts = {len(place) for place in by_place}
    times = [frame.time for frame in frames]
    if len({*times}) > 1 and None not in times:
        volumes = _by_time(by_place)
        if volumes:
            _note_left_out(frames, volumes, notes)
            return volumes
    for place in by_place:
        place.sort(key=lambda frame: (frame.time or 0, frame.order))
    volumes = [[place[index] for place in by_place] for index in range(min(counts))]
    _note_left_out(frames, volumes, notes)
    return volumes


def _by_place(frames: list[Frame], normal: np.ndarray) -> list[list[Frame]]:
    """Frames at one distance along the normal, by growing distance."""
    distances = [float(frame.position @ normal) for frame in frames if frame.position is not None]
    tolerance = 0.01 * min(frames[0].thickness or 1.0, 1.0)
    places: list[list[Frame]] = []
    last = -math.inf
    for distance, index in sorted(zip(distances, range(len(frames)), strict=True)):
        if distance - last > tolerance:
            places.append([])
            last = distance
        places[-1].append(frames[index])
    return places


def _by_time(by_place: list[list[Frame]]) -> list[list[Frame]]:
    """One volume per temporal position that has exactly one frame at every place; empty if there is none."""
    times: dict[int, list[Frame]] = defaultdict(list)
    for place in by_place:
        counted = Counter(frame.time for frame in place)
        for frame in place:
            if frame.time is not None and counted[frame.time] == 1:
                times[frame.time].append(frame)
    return [times[time] for time in sorted(times) if len(times[time]) == len(by_place)]


def _note_left_out(frames: list[Frame], volumes: list[list[Frame]], notes: list[str]) -> None:
    missing = len(frames) - sum(len(volume) for volume in volumes)
    if missing:
        notes.append(
            f"{missing} slice(s) belong to incomplete volumes or lie where another slice lies: they were left out."
        )


def _oddities(positions: np.ndarray, step: np.ndarray, normal: np.ndarray) -> list[str]:
    """Uneven spacing and shear, with how much."""
    notes = []
    distances = positions @ normal
    gaps = np.diff(distances)
    mean = float(gaps.mean())
    if float(np.abs(gaps - mean).max()) > _EVEN_STEP * mean:
        even = np.linspace(distances[0], distances[-1], len(distances))
        error = float(np.abs(distances - even).max())
        notes.append(
            f"Slice spacing is uneven ({gaps.min():.2f} to {gaps.max():.2f} mm, mean {mean:.2f} mm): "
            f"slices are placed evenly, up to {error:.2f} mm from where they were taken."
        )
        steps = gaps / gaps.min()
        if float(np.abs(steps - np.round(steps)).max()) < _EVEN_STEP:
            notes.append(f"{int(np.round(steps).sum()) - len(gaps)} slice(s) seem to be missing.")
    cosine = float(abs(step @ normal) / np.linalg.norm(step))
    tilt = math.degrees(math.acos(min(1.0, cosine)))
    if tilt > _TILT_DEGREES:
        notes.append(
            f"Gantry tilt of {tilt:.1f}°: slices are shifted against each other; the affine keeps the shear, "
            "views along slices look slanted."
        )
    return notes


def _key(volumes: Sequence[Sequence[Frame]]) -> str:
    names = sorted(
        {f"{frame.image.series}{frame.image.instance}{frame.index}" for volume in volumes for frame in volume}
    )
    return hashlib.sha256("".join(names).encode()).hexdigest()[:12]

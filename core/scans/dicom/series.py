"""From frames to series: volumes over one place in space, to choose from, and what is odd about them."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from core.errors import BadInput
from core.scans.dicom.grouping.belonging import cut_at_gaps, stacks_of
from core.scans.dicom.grouping.places import distances_along, grid_step, positions_of
from core.scans.dicom.grouping.repeats import without_repeats
from core.scans.dicom.grouping.segmentation import segments_of
from core.scans.dicom.grouping.volume import Volume, known_spacing, place_frames
from core.scans.dicom.image import DicomImage, Frame
from core.scans.dicom.objects import ObjectKind

#: Directions of one stack agree to this (about 0.06°).
_SAME_DIRECTION = 1e-3
_SAME_SPACING = 1e-3
#: Modalities whose images make a stack even when they do not say where they lie.
_STACKED_MODALITIES = frozenset({"CT", "MR", "PT"})
_MAX_DIRECTIONS = 500
_TOO_MANY_DIRECTIONS = "The slices of the DICOM series lie in too many directions or places: give one series."
#: Volumes whose corners are no further apart, mm, are of one series: patients move, and scanners follow them.
_SAME_PLACE_MM = 10.0
#: And their directions differ by no more than this (about 6°).
_PATIENT_TURNS = 0.1
#: Images of these are taken before others of any size: what was measured comes before what was made of it.
_SECOND_CHOICE_COMPONENTS = frozenset({"phase", "real", "imaginary", "mixed"})


@dataclass(frozen=True, eq=False)
class DicomSeries:
    """Volumes (or 2D images) of one size in one place, each with its own affine.

    Parameters
    ----------
    key : str
        12 hex digits, the same whenever the same files are read, whatever they are called.
    volumes : list of Volume
        At least one. All of one shape.
    notes : tuple of str
        What was left out or is odd, beside the notes of each volume.
    problem : str, optional
        Why none of it can be read.
    """

    key: str
    volumes: list[Volume]
    notes: tuple[str, ...]
    problem: str | None = None

    @property
    def image(self) -> DicomImage:
        """The first file, for what all of them share."""
        return self.volumes[0].first.image

    @property
    def affine(self) -> np.ndarray:
        """Index → RAS+ mm of the first volume, shape (4, 4)."""
        return self.volumes[0].affine

    @property
    def shape(self) -> tuple[int, ...]:
        """(columns, rows, slices), or (rows, columns) for 2D."""
        first, slices = self.volumes[0].first, self.volumes[0].slices
        return (first.rows, first.columns) if slices == 1 else (first.columns, first.rows, slices)

    @property
    def files(self) -> int:
        """Number of files it comes from."""
        return len({frame.image.identity for volume in self.volumes for frame in volume.frames})

    @property
    def is_second_choice(self) -> bool:
        """Whether other images come first, however small: phases, segmentations, maps, doses, pictures of a screen."""
        first = self.volumes[0].first
        attributes = first.attributes
        return (
            attributes.component in _SECOND_CHOICE_COMPONENTS
            or first.image.kind is not ObjectKind.IMAGE
            or first.image.modality == "RTDOSE"
            or self.problem is not None
        )

    @property
    def volume_names(self) -> tuple[str, ...]:
        """What sets each volume apart; empty where nothing does."""
        names = tuple(volume.first.attributes.words for volume in self.volumes)
        return names if len(set(names)) > 1 else ()

    @property
    def description(self) -> str:
        """For choosing, from technical fields only: series descriptions are free text and may name the patient."""
        first, slices = self.volumes[0].first, self.volumes[0].slices
        parts = [self.image.modality or "DICOM"]
        if self.image.series_number is not None:
            parts.append(f"series {self.image.series_number}")
        attributes = first.attributes
        if attributes.segment is not None:
            parts.append(f"segment {attributes.segment}")
        if attributes.component in _SECOND_CHOICE_COMPONENTS:
            parts.append(str(attributes.component))
        parts.append(f"{first.columns}×{first.rows}" + (f"×{slices}" if slices > 1 else ""))
        # of an image the first index is the row, and its columns are named first
        axes = [0, 1, 2] if slices > 1 else [1, 0]
        spacing = np.linalg.norm(self.affine[:3, axes], axis=0)
        if self.problem is None:
            parts.append("×".join(f"{length:.3g}" for length in spacing) + " mm")
        if len(self.volumes) > 1:
            parts.append(f"{len(self.volumes)} {'volumes' if slices > 1 else 'frames'}")
        return " · ".join(parts)


def group_series(images: Iterable[DicomImage]) -> list[DicomSeries]:
    """Sort frames into series: what belongs together first, then where it lies.

    The result depends on what is in the files alone, not on their names or their order. What cannot be sorted becomes
    a series with a `problem`, and costs the others nothing.
    """
    kept, repeated = without_repeats(images)
    groups: dict[tuple[object, ...], list[list[Frame]]] = defaultdict(list)
    crowded: set[tuple[object, ...]] = set()
    for image in kept:
        for frame in image.frames:
            key = _coarse_key(frame)
            cluster = next((cluster for cluster in groups[key] if _same_grid(cluster[0], frame)), None)
            if cluster is not None:
                cluster.append(frame)
            elif len(groups[key]) < _MAX_DIRECTIONS:
                groups[key].append([frame])
            else:
                crowded.add(key)
    found: list[DicomSeries] = []
    for key, clusters in groups.items():
        if key in crowded:
            found.append(_unreadable(clusters[0], _TOO_MANY_DIRECTIONS))
        else:
            found.extend(_series_of(clusters, repeated))
    return found


def _coarse_key(frame: Frame) -> tuple[object, ...]:
    image = frame.image
    stacked = image.modality in _STACKED_MODALITIES and image.kind is ObjectKind.IMAGE and image.samples == 1
    # a page with the dose in it is "CT" too
    stacked = stacked and (image.modality != "CT" or image.scale.units == "HU")
    alone = frame.position is None and (len(image.frames) > 1 or not stacked)
    return (
        image.series,
        image.modality,
        image.kind,
        image.samples,
        frame.rows,
        frame.columns,
        frame.position is None,
        # projections and pictures that lie nowhere in space are no stack: each file is an image of its own
        image.identity if alone else None,
    )


def _same_grid(one: Frame, other: Frame) -> bool:
    if one.spacing == other.spacing and one.orientation is other.orientation:
        return True
    if not np.allclose(one.spacing, other.spacing, rtol=_SAME_SPACING, atol=1e-6):
        return False
    if one.orientation is None or other.orientation is None or one.position is None:
        return True
    return bool(np.abs(one.orientation - other.orientation).max() < _SAME_DIRECTION)


def _series_of(clusters: list[list[Frame]], repeated: Counter[str]) -> list[DicomSeries]:
    """Series of frames that share a coarse key; one cluster a direction."""
    readable: list[Volume] = []
    found: list[DicomSeries] = []
    for frames in clusters:
        broken = next((frame.image.problem for frame in frames if frame.image.problem), None)
        if broken is not None:
            found.append(_unreadable(frames, broken))
            continue
        if frames[0].position is None:
            found.extend(_unplaced(frames, repeated))
            continue
        try:
            if frames[0].image.kind is ObjectKind.SEGMENTATION:
                readable.extend(segments_of(frames))
            else:
                readable.extend(volume for stack in stacks_of(frames) for volume in _without_gaps(stack))
        except BadInput as problem:
            found.append(_unreadable(frames, str(problem)))
    try:
        found.extend(_one_series(volumes, lost, repeated) for volumes, lost in _together(readable))
    except BadInput as problem:
        found.append(_unreadable(clusters[0], str(problem)))
    return found


def _without_gaps(stack: list[Frame]) -> list[Volume]:
    """One volume for each piece of a stack that no wide gap runs through."""
    pieces = cut_at_gaps(stack)
    volumes = [place_frames(piece) for piece in pieces]
    if len(volumes) == 1:
        return volumes
    gap = max(
        float(distances_along([before[-1], after[0]])[1] - distances_along([before[-1]])[0])
        for before, after in pairwise(pieces)
    )
    note = f"The slices have a gap of up to {gap:.4g} mm: on either side of it is an image of its own."
    return [replace(volume, notes=(*volume.notes, note)) for volume in volumes]


def _unreadable(frames: list[Frame], problem: str) -> DicomSeries:
    volume = Volume(frames, np.eye(4), 1, ())
    return DicomSeries(_key([volume]), [volume], (), problem)


def _unplaced(frames: list[Frame], repeated: Counter[str]) -> list[DicomSeries]:
    """Frames that do not say where they lie: pictures, or slices in order of their numbers."""
    first, notes = frames[0], list[str]()
    rows, columns = known_spacing(first, notes)
    numbers = {frame.attributes.sequence for frame in frames}
    in_file = len(first.image.frames) > 1
    if in_file or len(frames) == 1 or len(numbers) < len(frames) or not first.attributes.numbered:
        affine = np.diag([rows, columns, 1.0, 1.0])
        pictures = [Volume([frame], affine, 1, ((0, 0, 1.0),), tuple(notes)) for frame in frames]
        alone = [pictures] if in_file else [[picture] for picture in pictures]
        return [_one_series(volumes, 0, repeated) for volumes in alone]
    parts: dict[tuple[object, ...], list[Frame]] = defaultdict(list)
    for frame in sorted(frames, key=lambda frame: frame.attributes.sequence):
        attributes = frame.attributes
        parts[attributes.component, attributes.b_value, attributes.echo, attributes.time].append(frame)
    distance = first.step or first.thickness or 1.0
    notes.append(
        "The files do not say where they lie: slices are in order of their number, "
        f"{distance:.3g} mm apart, and left and right are not certain."
    )
    affine = np.diag([-columns, -rows, distance, 1.0])
    filled = [
        Volume(part, affine, len(part), tuple((at, at, 1.0) for at in range(len(part))), tuple(notes))
        for part in parts.values()
    ]
    return [_one_series(volumes, lost, repeated) for volumes, lost in _together(filled)]


def _together(volumes: list[Volume]) -> list[tuple[list[Volume], int]]:
    """Volumes of one shape in one place; slices of incomplete ones are counted."""
    groups: list[list[Volume]] = []
    lost: list[int] = []
    for volume in sorted(volumes, key=lambda volume: (-len(volume.frames), _order(volume))):
        for at, group in enumerate(groups):
            if _is_part_of(volume, group[0]):
                lost[at] += len(volume.frames)
                break
            if _is_another_time(group[0], volume):
                group.append(volume)
                break
        else:
            if len(groups) == _MAX_DIRECTIONS:
                raise BadInput(_TOO_MANY_DIRECTIONS)
            groups.append([volume])
            lost.append(0)
    return [(sorted(group, key=_order), count) for group, count in zip(groups, lost, strict=True)]


def _order(volume: Volume) -> tuple[object, ...]:
    attributes = volume.first.attributes
    numbers = [frame.attributes.sequence for frame in volume.frames]
    return (
        attributes.time or 0,
        attributes.cardiac_delay or 0.0,
        attributes.acquisition,
        min(numbers),
        attributes.b_value or 0.0,
        attributes.echo or 0.0,
        attributes.telling,
        min(frame.identity for frame in volume.frames),
    )


def _apart(volume: Volume) -> tuple[object, ...]:
    """What is chosen as an image of its own, not as one more volume."""
    attributes = volume.first.attributes
    return attributes.localiser, attributes.segment, attributes.component, attributes.stack


def _is_another_time(one: Volume, other: Volume) -> bool:
    direction, turned = one.first.orientation, other.first.orientation
    if direction is not None and turned is not None and float(np.abs(direction - turned).max()) > _PATIENT_TURNS:
        return False
    return (
        _apart(one) == _apart(other)
        and one.slices == other.slices
        and float(np.abs(one.corners - other.corners).max()) <= _SAME_PLACE_MM
    )


def _is_part_of(volume: Volume, whole: Volume) -> bool:
    """Whether all slices of `volume` lie where slices of the larger `whole` lie."""
    if _apart(volume) != _apart(whole) or len(volume.frames) >= len(whole.frames):
        return False
    if volume.first.position is None or whole.first.position is None or not _same_grid(whole.first, volume.first):
        return False
    places, line = distances_along(whole.frames), positions_of(whole.frames)
    distances = distances_along([whole.first, *volume.frames])[1:]
    there = np.stack([np.interp(distances, places, line[:, axis]) for axis in range(3)], axis=1)
    aside = np.linalg.norm(positions_of(volume.frames) - there, axis=1).max()
    along = np.abs(distances[:, None] - places).min(axis=1).max()
    return bool(aside <= _SAME_PLACE_MM and along <= grid_step(whole.frames) / 2)


def _one_series(volumes: list[Volume], lost: int, repeated: Counter[str]) -> DicomSeries:
    notes: list[str] = []
    image = volumes[0].first.image
    if repeated[image.series]:
        notes.append(f"{repeated[image.series]} file(s) were there twice and read once.")
    if lost:
        notes.append(
            f"{lost} slice(s) belong to incomplete volumes or lie where another slice lies: they were left out."
        )
    if image.detector_spacing:
        notes.append("Millimetres are those on the detector: structures in the patient are smaller.")
    return DicomSeries(_key(volumes), volumes, tuple(notes))


def _key(volumes: Sequence[Volume]) -> str:
    names = sorted(
        {f"{frame.image.series}{frame.image.instance}{frame.index}" for volume in volumes for frame in volume.frames}
    )
    return hashlib.sha256("".join(names).encode()).hexdigest()[:12]

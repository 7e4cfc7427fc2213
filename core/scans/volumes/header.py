"""Headers of volume files: what they promise, and where the patient lies."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import BadInput
from core.scans.orientation import usable_affine
from core.scans.scan import HeaderForms
from core.scans.sniff import Kind, sniff
from core.scans.sources import CUT_OFF
from core.scans.volumes.geometry import affine_of_voxel_size, nifti_geometry, voxel_size
from core.scans.volumes.surfaces import NO_IMAGE, refuse_surface_intent, refuse_surface_shape


@dataclass(frozen=True, eq=False)
class VolumeHeader:
    """What a volume file says about itself, and nothing about the patient.

    Parameters
    ----------
    format : str
        For people: "NIfTI-1", "MGH" …
    shape : tuple of int
        Three spatial axes, as stored.
    volumes : int
        Number of volumes behind each other.
    dtype : numpy.dtype
        As stored, byte order included; with fields R, G, B for colours.
    slope, intercept : float
        Intensity = stored × slope + intercept.
    offset : int
        Bytes before the first sample.
    affine : numpy.ndarray, shape (4, 4), float64
        Index → RAS+ mm.
    pair : bool
        Whether the samples are in another file.
    notes : tuple of str
        What was repaired or had to be assumed.
    forms : HeaderForms, optional
        For NIfTI: its two forms, which maps leave with.
    """

    format: str
    shape: tuple[int, int, int]
    volumes: int
    dtype: np.dtype
    slope: float
    intercept: float
    offset: int
    affine: np.ndarray
    pair: bool
    notes: tuple[str, ...] = ()
    forms: HeaderForms | None = None


def read_header(head: bytes) -> VolumeHeader:
    """Parse the start of a volume file (about 1 kB).

    Raises
    ------
    BadInput
        When it is no volume file, or one with nothing to show as an image.
    """
    from nibabel.spatialimages import HeaderDataError

    kind = sniff(head)
    try:
        if kind is Kind.MGH:
            return _read_mgh(head)
        if kind is Kind.ANALYZE:
            return _read_analyze(head)
        if kind in (Kind.NIFTI, Kind.NIFTI_PAIR):
            return _read_nifti(head, pair=kind is Kind.NIFTI_PAIR)
    except (ValueError, OverflowError, KeyError, TypeError, HeaderDataError):
        raise BadInput("The header of the image makes no sense: export the image again.") from None
    raise BadInput("This is not a NIfTI, Analyze or MGH file: give an image in one of the formats that are read.")


def _read_nifti(head: bytes, pair: bool) -> VolumeHeader:
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    version = 2 if head[4:6] in (b"n+", b"ni") else 1
    header_class: Any = Nifti2Header if version == 2 else Nifti1Header
    header = _parse(header_class, head)
    refuse_surface_intent(int(header["intent_code"]))
    shape, volumes = _spatial_shape([int(n) for n in header["dim"]])
    smallest_offset = 0 if pair else header_class.single_vox_offset
    geometry = nifti_geometry(header, shape)
    slope, intercept, scaling_notes = _scaling(header)
    return VolumeHeader(
        format=f"NIfTI-{version}",
        shape=shape,
        volumes=volumes,
        dtype=_stored_type(header),
        slope=slope,
        intercept=intercept,
        offset=max(int(header["vox_offset"]), smallest_offset),
        affine=geometry.affine,
        pair=pair,
        notes=(*geometry.notes, *scaling_notes),
        forms=geometry.forms,
    )


def _read_analyze(head: bytes) -> VolumeHeader:
    from nibabel.spm2analyze import Spm2AnalyzeHeader

    header: Any = _parse(Spm2AnalyzeHeader, head)
    shape, volumes = _spatial_shape([int(n) for n in header["dim"]])
    slope, intercept, scaling_notes = _scaling(header)
    spacing, repairs = voxel_size(header)
    return VolumeHeader(
        format="Analyze",
        shape=shape,
        volumes=volumes,
        dtype=_stored_type(header),
        slope=slope,
        intercept=intercept,
        offset=max(int(header["vox_offset"]), 0),
        affine=affine_of_voxel_size(header, spacing, shape),
        pair=True,
        notes=(
            *repairs,
            *scaling_notes,
            "The Analyze format does not say which side is left: stored right to left is assumed.",
        ),
    )


def _parse(header_class: Any, head: bytes) -> Any:
    """The fixed fields only: extensions are free text, and not needed."""
    size = header_class.template_dtype.itemsize
    if len(head) < size:
        raise BadInput(CUT_OFF)
    return header_class(head[:size], check=False)


def _read_mgh(head: bytes) -> VolumeHeader:
    from nibabel.freesurfer.mghformat import MGHHeader

    # nibabel's header ends with the file's last fields, which stand behind the samples and are not needed
    size = MGHHeader.template_dtype.itemsize
    if len(head) < MGHHeader(check=False).get_data_offset():
        raise BadInput(CUT_OFF)
    header: Any = MGHHeader(head[:size].ljust(size, b"\0"), check=False)
    columns, rows, slices, volumes = (int(n) for n in header["dims"])
    if min(columns, rows, slices, volumes) < 1:
        raise BadInput("The image has a size of zero along one axis: export it again.")
    refuse_surface_shape((columns, rows, slices))
    notes: tuple[str, ...] = ()
    if int(header["goodRASFlag"]) != 1:
        # nibabel has put FreeSurfer's own defaults in place
        notes = ("The file does not say where the patient lies: coronal slices of 1 mm are assumed.",)
    affine = np.asarray(header.get_affine(), dtype=np.float64)
    if not usable_affine(affine):
        raise BadInput("The geometry in the header makes no sense: export the image again.")
    return VolumeHeader(
        format="MGH",
        shape=(columns, rows, slices),
        volumes=volumes,
        dtype=header.get_data_dtype().newbyteorder(">"),
        slope=1.0,
        intercept=0.0,
        offset=int(header.get_data_offset()),
        affine=affine,
        pair=False,
        notes=notes,
    )


def _spatial_shape(dimensions: list[int]) -> tuple[tuple[int, int, int], int]:
    """``dim`` of a header → three spatial axes and the number of volumes."""
    count = dimensions[0]
    if not 1 <= count <= 7:
        raise BadInput("The header of the image makes no sense (number of axes): export the image again.")
    sizes = dimensions[1 : count + 1]
    refuse_surface_shape(sizes)
    if min(sizes) < 1:
        raise BadInput("The image has a size of zero along one axis: export it again.")
    while len(sizes) > 3 and sizes[-1] == 1:
        sizes.pop()
    if len(sizes) > 4:
        raise BadInput(
            f"The image has {len(sizes)} axes, and Lightbox shows volumes (3) and series of volumes (4): "
            "save one volume of it."
        )
    if len(sizes) == 1:  # few numbers, but a list all the same
        raise BadInput(NO_IMAGE)
    sizes += [1] * (3 - len(sizes))
    return (sizes[0], sizes[1], sizes[2]), sizes[3] if len(sizes) == 4 else 1


def _scaling(header: Any) -> tuple[float, float, tuple[str, ...]]:
    """Slope and intercept, and what had to be assumed: a slope of 0, or one that is no number, means none."""
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or not np.isfinite(slope):
        return 1.0, 0.0, ()
    if not np.isfinite(intercept):
        return slope, 0.0, ("The header scales values and adds what is no number: nothing was added.",)
    return slope, intercept, ()


def _stored_type(header: Any) -> np.dtype:
    from nibabel.spatialimages import HeaderDataError

    try:
        dtype = np.dtype(header.get_data_dtype())
    except (KeyError, HeaderDataError):
        raise BadInput("The samples are of a type that is not read: save the image as float32 or int16.") from None
    colours = dtype.names is not None and len(dtype.names) >= 3
    if dtype.itemsize == 0 or not (colours or dtype.kind in "iufcb"):
        raise BadInput("The samples are of a type that is not read: save the image as float32 or int16.")
    return dtype

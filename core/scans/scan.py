"""The Scan: what every loader returns and everything else works on."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from core.errors import BadInput
from core.scans.grid import Grid


@dataclass(frozen=True, eq=False)
class Form:
    """One of the two places that a NIfTI header gives a volume.

    Parameters
    ----------
    affine : numpy.ndarray, shape (4, 4), float64
        The file's own index → RAS+ mm.
    code : int
        What it refers to, nifti1.h's ``NIFTI_XFORM_*``: 1 the scanner, 2 another file, 3 Talairach, 4 MNI 152 …
    """

    affine: np.ndarray
    code: int


@dataclass(frozen=True, eq=False)
class HeaderForms:
    """The forms of a NIfTI header that can be used; a file without both says nothing about its place."""

    sform: Form | None = None
    qform: Form | None = None


@dataclass(frozen=True, eq=False)
class SourceSpace:
    """How the file stored what the Scan holds in RAS+, so that maps can go back into the file's own space.

    Parameters
    ----------
    affine : numpy.ndarray, shape (4, 4), float64
        The file's own index → RAS+ mm.
    shape : tuple of int
        The file's own spatial shape.
    orientation : numpy.ndarray, shape (3, 2), optional
        nibabel orientation (axis, flip) that takes the file's axes to RAS+; None for 2D images.
    forms : HeaderForms, optional
        For NIfTI: what its header said, so that a map says the same. None for other formats.
    """

    affine: np.ndarray
    shape: tuple[int, ...]
    orientation: np.ndarray | None = None
    forms: HeaderForms | None = None


@dataclass(frozen=True, eq=False)
class Scan:
    """Image with its geometry and nothing about the patient.

    Parameters
    ----------
    array : numpy.ndarray, float32
        Channels first: ``(C, X, Y, Z)`` in RAS+ order, or ``(C, rows, columns)`` for a 2D image, first row on top.
        Finite everywhere.
    affine : numpy.ndarray, shape (4, 4), float64
        Index → RAS+ millimetres (2D: index is ``(row, column, 0)``).
    modality : str, optional
        DICOM-like code ("MR", "CT", "DX") where the file says it.
    units : str, optional
        Unit of the intensities ("HU", "probability"), where known.
    notes : tuple of str
        Sentences on what was changed or lost on reading ("gantry tilt of 12°", "RGB read as luminance").
    source : SourceSpace, optional
        The file's own space; by default the Scan's.
    colours : numpy.ndarray, float32, shape (3, *spatial), optional
        Red, green and blue of a colour picture, whose luminance `array` is. A picture may code three images of one
        slice in them (water, fat and in-phase MR): models of three channels are fed these.

    Raises
    ------
    BadInput
        When the array has not 3 or 4 axes with samples on each, the affine is no 4x4 place in space, or the colours
        are not three images of the array's size.
    """

    array: np.ndarray
    affine: np.ndarray
    modality: str | None = None
    units: str | None = None
    notes: tuple[str, ...] = ()
    source: SourceSpace | None = field(default=None)
    colours: np.ndarray | None = field(default=None)

    def __post_init__(self) -> None:
        if self.array.ndim not in (3, 4) or 0 in self.array.shape:
            raise BadInput(
                f"Shape {self.array.shape} is no scan's: give (channels, X, Y, Z) or (channels, rows, columns)."
            )
        if np.shape(self.affine) != (4, 4) or not np.isfinite(self.affine).all():
            raise BadInput("The affine of a scan is a 4x4 matrix of finite numbers, index to RAS+ millimetres.")
        if not np.linalg.norm(self.affine[:3, : self.dimensions], axis=0).all():
            raise BadInput("The affine of a scan gives every axis a length above 0.")
        if self.colours is not None and (self.array.shape[0] != 1 or self.colours.shape != (3, *self.array.shape[1:])):
            raise BadInput("The colours of a scan are three images of the size of its one channel.")

    @property
    def dimensions(self) -> int:
        """2 for images, 3 for volumes."""
        return self.array.ndim - 1

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.array.shape[0])

    @property
    def shape(self) -> tuple[int, ...]:
        """Spatial shape, channels not counted."""
        return tuple(int(n) for n in self.array.shape[1:])

    @property
    def grid(self) -> Grid:
        """The sampling grid of the array."""
        return Grid(self.shape, self.affine)

    @property
    def spacing_mm(self) -> tuple[float, ...]:
        """Millimetres between neighbouring samples along each spatial axis."""
        return self.grid.spacing_mm

    @property
    def in_millimetres(self) -> bool:
        """Whether `spacing_mm` is known; if not, pixels are its lengths."""
        return self.grid.in_millimetres

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of shape, affine, voxels, colours, unit, and the file's axis order and forms (64 hex digits).

        It is a scan's only name in the store. The axis order and the forms count because maps go back into them: the
        same volume stored in two orders is two scans. The unit counts because models are fed by it.
        """
        turned = None if self.source is None or self.source.orientation is None else self.source.orientation.tolist()
        geometry = (self.array.shape, _rounded(self.affine), turned)
        digest = hashlib.sha256(repr(geometry).encode())
        digest.update(np.ascontiguousarray(self.array, dtype=np.float32).data)
        if self.colours is not None:
            digest.update(np.ascontiguousarray(self.colours, dtype=np.float32).data)
        if self.units is not None:
            digest.update(self.units.encode())
        if self.source is not None and self.source.forms is not None:
            forms = (self.source.forms.sform, self.source.forms.qform)
            digest.update(repr([form and (form.code, _rounded(form.affine)) for form in forms]).encode())
        return digest.hexdigest()


def _rounded(affine: np.ndarray) -> list[list[float]]:
    """Numbers of an affine to 0.1 µm, -0 as 0."""
    rounded: list[list[float]] = (np.round(affine, 4) + 0.0).tolist()
    return rounded

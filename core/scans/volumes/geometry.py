"""Where a NIfTI header says that the patient lies, with the repairs that the standard and nibabel make."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.scans.orientation import usable_affine
from core.scans.scan import Form, HeaderForms

_TO_MILLIMETRES = {1: 1000.0, 2: 1.0, 3: 0.001}
#: Rounding of three float32, below which nibabel takes a rotation's fourth number for 0.
_QUATERNION_ROUNDING = 3 * float(np.finfo(np.float32).eps)
#: Numbers with two digits behind the point are as far from unit length; beyond it they are no rotation.
_QUATERNION_SLACK = 0.01
#: A qfac of -0.99999 is one, too.
_QFAC_ROUNDING = 1e-3
#: Codes that nifti1.h gives a meaning: scanner, aligned, Talairach, MNI 152, another template.
_KNOWN_CODES = range(1, 6)


@dataclass(frozen=True, eq=False)
class Geometry:
    """Place of a volume.

    Parameters
    ----------
    affine : numpy.ndarray, shape (4, 4), float64
        Index → RAS+ mm.
    forms : HeaderForms
        The header's usable forms in mm, of which a reader takes `affine`: its sform, else its qform.
    notes : tuple of str
        What was repaired or had to be assumed.
    """

    affine: np.ndarray
    forms: HeaderForms
    notes: tuple[str, ...]


def nifti_geometry(header: Any, shape: tuple[int, int, int]) -> Geometry:
    """Best geometry of a NIfTI header: sform, else qform, else voxel size alone.

    Only what the geometry is taken from is spoken of.

    Parameters
    ----------
    header : nibabel.nifti1.Nifti1Header
        Of NIfTI-1 or NIfTI-2, unchecked.
    shape : tuple of int
        Spatial shape.

    Notes
    -----
    The repairs are those of the standard's library (``nifti_quatern_to_mat44`` in nifti1_io.c) and of nibabel's header
    checks: a voxel size of 0 counts as 1, a negative one without its sign, a qfac that is neither 1 nor -1 as 1, and a
    quaternion a little longer than 1 is brought back to length 1. Where the two differ (a qfac of -2) nibabel is
    followed, and the note says that left and right are not certain.
    """
    to_millimetres = _TO_MILLIMETRES.get(int(header["xyzt_units"]) & 7, 1.0)
    notes: tuple[str, ...] = ()
    if to_millimetres != 1:
        unit = "metres" if to_millimetres > 1 else "micrometres"
        notes = (f"Lengths are stored in {unit} and read as millimetres.",)
    found = {"sform": _sform(header, to_millimetres), "qform": _qform(header, to_millimetres)}
    codes = {name: int(header[f"{name}_code"]) for name in found}
    coded = [name for name in found if codes[name] > 0]
    usable = [name for name in coded if usable_affine(found[name][0])]
    forms = HeaderForms(**{name: Form(found[name][0], codes[name]) for name in usable})
    if usable:
        # a code that nifti1.h does not know is the weaker promise
        taken = min(usable, key=lambda name: codes[name] not in _KNOWN_CODES)
        affine, repairs = found[taken]
        kept = forms if taken == "sform" else HeaderForms(qform=forms.qform)
        return Geometry(affine, kept, (*notes, *repairs, *_choice_notes(taken, coded, forms)))
    spacing, repairs = voxel_size(header, to_millimetres)
    place = (
        "The geometry in the header is unusable: only its voxel size was taken, left and right are not certain."
        if coded
        else "The file does not say where and how the patient lies: the place, left and right are not certain."
    )
    return Geometry(affine_of_voxel_size(header, spacing, shape), forms, (*notes, *repairs, place))


def voxel_size(header: Any, to_millimetres: float = 1.0) -> tuple[np.ndarray, tuple[str, ...]]:
    """Voxel size in mm, shape (3,), and what was repaired: what is no length counts as 1, a minus sign as none."""
    stored = np.asarray(header["pixdim"][1:4], dtype=np.float64) * to_millimetres
    size = np.abs(stored)
    missing = ~(np.isfinite(size) & (size > 1e-4) & (size < 1e4))
    negative = ~missing & (stored < 0)
    notes = []
    if missing.any():
        notes.append(f"The header gives voxels no size along {_axes(missing)}: 1 mm is assumed.")
    if negative.any():
        notes.append(f"The header gives voxels a negative size along {_axes(negative)}: it was read without the sign.")
    return np.where(missing, 1.0, size), tuple(notes)


def affine_of_voxel_size(header: Any, spacing: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Index → mm (4, 4) from voxel sizes in mm alone, the middle of the volume at the origin."""
    spacing = spacing * (-1 if header.default_x_flip else 1, 1, 1)
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = -spacing * (np.asarray(shape) - 1) / 2
    return affine


def _choice_notes(taken: str, coded: list[str], forms: HeaderForms) -> tuple[str, ...]:
    if taken == "qform" and "sform" in coded and forms.sform is None:
        return ("The sform of the header is unusable: its qform was taken.",)
    if forms.sform is not None and forms.qform is not None:
        sides = np.linalg.det(forms.sform.affine[:3, :3]) * np.linalg.det(forms.qform.affine[:3, :3])
        if sides < 0:
            return (f"The sform and the qform of the header differ in which side is left: the {taken} was taken.",)
    return ()


def _sform(header: Any, to_millimetres: float) -> tuple[np.ndarray, tuple[str, ...]]:
    form = np.eye(4)
    form[:3] = [np.asarray(header[f"srow_{axis}"], dtype=np.float64) * to_millimetres for axis in "xyz"]
    return form, ()


def _qform(header: Any, to_millimetres: float) -> tuple[np.ndarray, tuple[str, ...]]:
    """Affine of the qform in mm and what was repaired; not finite where its numbers are no rotation."""
    from nibabel.quaternions import quat2mat

    spacing, spacing_notes = voxel_size(header, to_millimetres)
    qfac, qfac_notes = _qfac(header)
    quaternion, quaternion_notes = _quaternion(header)
    form = np.eye(4)
    if quaternion is None:
        return form * np.nan, ()
    form[:3, :3] = quat2mat(quaternion) * (*spacing[:2], spacing[2] * qfac)
    form[:3, 3] = [float(header[f"qoffset_{axis}"]) * to_millimetres for axis in "xyz"]
    return form, (*spacing_notes, *qfac_notes, *quaternion_notes)


def _qfac(header: Any) -> tuple[float, tuple[str, ...]]:
    """Whether the third axis runs on (1) or back (-1)."""
    stored = float(header["pixdim"][0])
    if abs(abs(stored) - 1) < _QFAC_ROUNDING:
        return float(np.sign(stored)), ()
    said = f"The header's qfac is {stored:g}, neither 1 nor -1: it was read as 1"
    if stored < 0:
        return 1.0, (f"{said}, which some programs read as -1: left and right are not certain.",)
    return 1.0, (f"{said}, as the standard says.",)


def _quaternion(header: Any) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Unit quaternion (w, x, y, z) of the header's x, y and z; None where they are no rotation."""
    stored = np.array([float(header[f"quatern_{axis}"]) for axis in "bcd"])
    w_squared = 1 - stored @ stored
    if not np.isfinite(w_squared) or w_squared < -_QUATERNION_SLACK:
        return None, ()
    if w_squared > _QUATERNION_ROUNDING:
        return np.array([np.sqrt(w_squared), *stored]), ()
    unit = np.array([0.0, *(stored / np.linalg.norm(stored))])
    if w_squared >= -_QUATERNION_ROUNDING:
        return unit, ()
    return unit, ("The rotation in the header is a rounding longer than 1: it was brought back to length 1.",)


def _axes(which: np.ndarray) -> str:
    return " and ".join(axis for axis, yes in zip("xyz", which, strict=True) if yes)

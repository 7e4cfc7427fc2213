"""Axial slices of people who never lived: building blocks for image pairs, and the T1/T2 pairs made of them.

A slice is cut out of the MNI152 T1, grey- and white-matter templates that nilearn ships, at a chosen height, tilted,
deformed smoothly and with ventricles of its own size (`slice_anatomy`). What a scanner would see of it is painted by
tissue, then spoilt by a bias field (`bias_field`) and by noise (`rician_noise`). All lengths are millimetres; images
are hung as radiologists do: anterior on top, the patient's right on the left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from scipy import ndimage

from core.phantoms.fields import random_field

#: rows and columns of a slice at 1 mm, both multiples of 8
SLICE_SHAPE = (232, 200)
#: middle of the templates' field of view, mm (x, y)
_CENTRE_MM = (0.0, -18.0)
#: index 0, 0, 0 of nilearn's 1 mm templates, RAS+ mm
_TEMPLATE_FROM = np.array([-98.0, -134.0, -72.0], dtype=np.float32)
#: about where the lateral ventricles meet, mm (x, y)
_VENTRICLES_MM = (0.0, -10.0)


def slice_points(
    height_mm: float,
    shape: Sequence[int] = SLICE_SHAPE,
    spacing_mm: float = 1.0,
    tilt_degrees: Sequence[float] = (0, 0, 0),
) -> np.ndarray:
    """Template position of every pixel of an axial slice, before any deformation.

    Parameters
    ----------
    height_mm : float
        MNI z of the slice's centre; −10..50 cuts through ventricles or basal ganglia.
    shape : sequence of int
        Rows and columns.
    spacing_mm : float
        Size of a pixel.
    tilt_degrees : sequence of three floats
        Turns of the slice about the x, y and z axes (nodding, leaning, turning the head), degrees.

    Returns
    -------
    numpy.ndarray, float32, shape (3, rows, columns)
        x, y, z in RAS+ mm: y falls along the rows, x along the columns.
    """
    rows, columns = shape
    y = ((rows - 1) / 2 - np.arange(rows)) * spacing_mm
    x = ((columns - 1) / 2 - np.arange(columns)) * spacing_mm
    plane = np.stack([*np.meshgrid(x, y), np.zeros((rows, columns))])
    about_x, about_y, about_z = np.deg2rad(tilt_degrees)
    turned = np.tensordot(_rotation(0, about_x) @ _rotation(1, about_y) @ _rotation(2, about_z), plane, axes=1)
    return (turned + np.array([*_CENTRE_MM, height_mm])[:, None, None]).astype(np.float32)


def smooth_image(
    shape: Sequence[int], fwhm_mm: float, random: np.random.Generator, spacing_mm: float = 1.0
) -> np.ndarray:
    """Gaussian random image of unit variance and about `fwhm_mm` correlation width, float32, `shape` rows, columns."""
    positions = [np.arange(n) * spacing_mm for n in shape]
    return random_field(positions, [(0.0, float(at[-1])) for at in positions], fwhm_mm, random)


def deform(
    points_mm: np.ndarray, deviation_mm: float, fwhm_mm: float, random: np.random.Generator, spacing_mm: float = 1.0
) -> np.ndarray:
    """Shift `points_mm` (3, rows, columns) by a smooth random field, also out of the plane.

    Parameters
    ----------
    points_mm : numpy.ndarray
        As `slice_points` gives them.
    deviation_mm : float
        Standard deviation of the shift along each axis.
    fwhm_mm : float
        Correlation width of the shift; keep it above 6 × `deviation_mm`, or the anatomy folds over.
    random : numpy.random.Generator
        Source of the field.
    spacing_mm : float
        Size of a pixel.
    """
    shift = np.stack([smooth_image(points_mm.shape[1:], fwhm_mm, random, spacing_mm) for _ in range(3)])
    return points_mm + np.float32(deviation_mm) * shift


def magnify(points_mm: np.ndarray, centre_mm: Sequence[float], radius_mm: float, strength: float) -> np.ndarray:
    """Make what lies about `centre_mm` (x, y) larger, fading to no change beyond about two radii.

    `strength` 0.3 makes the centre 1/(1 − 0.3) = 1.43 times as large, −0.2 smaller; −1..1 exclusive never folds.
    """
    offset = np.stack([points_mm[axis] - centre_mm[axis] for axis in range(2)])
    pull = strength * np.exp(-(offset**2).sum(axis=0) / (2 * radius_mm**2))
    moved = points_mm.copy()
    moved[:2] -= (pull * offset).astype(np.float32)
    return moved


def bias_field(
    shape: Sequence[int], strength: float, random: np.random.Generator, fwhm_mm: float = 110.0, spacing_mm: float = 1.0
) -> np.ndarray:
    """Slowly varying gain of the coil, float32, about 1: ``exp(strength · smooth image)``; multiply an image by it."""
    return np.exp(np.float32(strength) * smooth_image(shape, fwhm_mm, random, spacing_mm))


def rician_noise(image: np.ndarray, deviation: float, random: np.random.Generator) -> np.ndarray:
    """Magnitude of `image` plus complex Gaussian noise of standard `deviation` in each part, float32: noise of MR.

    In air the mean is 1.25 × `deviation`, not zero.
    """
    real, imaginary = random.standard_normal((2, *image.shape), dtype=np.float32) * np.float32(deviation)
    return np.hypot(image + real, imaginary)


def sample_template(name: Literal["t1", "grey", "white", "brain"], points_mm: np.ndarray) -> np.ndarray:
    """A template at `points_mm` (3, rows, columns), linear, float32, 0..1; 0 outside its field of view.

    ``t1`` is the brain without the skull, ``grey`` and ``white`` are probabilities, ``brain`` is 1 inside.
    """
    indices = points_mm - _TEMPLATE_FROM[:, None, None]
    return ndimage.map_coordinates(_template(name), indices, order=1)


@dataclass(frozen=True, eq=False)
class SliceAnatomy:
    """What a slice is made of; every image float32, 0..1, shape (rows, columns).

    Parameters
    ----------
    t1 : numpy.ndarray
        The T1 template's own signal inside the brain: texture for what is painted.
    grey, white, fluid : numpy.ndarray
        Shares of each tissue inside the brain; with `skull`, `scalp` and air they add up to 1.
    skull, scalp : numpy.ndarray
        Rings of bone and of skin with fat about the brain and the fluid around it.
    points_mm : numpy.ndarray, shape (3, rows, columns)
        Template position of every pixel: says where a structure lies in this slice.
    """

    t1: np.ndarray
    grey: np.ndarray
    white: np.ndarray
    fluid: np.ndarray
    skull: np.ndarray
    scalp: np.ndarray
    points_mm: np.ndarray

    @property
    def air(self) -> np.ndarray:
        """What no tissue fills."""
        return np.clip(1 - self.grey - self.white - self.fluid - self.skull - self.scalp, 0, 1)

    @property
    def head(self) -> np.ndarray:
        """Where there is any tissue, bool."""
        return self.air < 0.5


def slice_anatomy(
    height_mm: float, random: np.random.Generator, shape: Sequence[int] = SLICE_SHAPE, ventricles: float = 0.0
) -> SliceAnatomy:
    """One person's slice: tilted, deformed, with skull and scalp of random thickness.

    Parameters
    ----------
    height_mm : float
        MNI z, −10..50.
    random : numpy.random.Generator
        Draws tilt, size of the head, deformation, thickness of the rings: same state, same person.
    shape : sequence of int
        Rows and columns at 1 mm.
    ventricles : float
        How much larger (0.35) or smaller (−0.15) than the template's the ventricles are; see `magnify`.
    """
    points = slice_points(height_mm, shape, tilt_degrees=random.normal(0, (4.0, 2.5, 3.0)).tolist())
    scale = random.normal(1, (0.03, 0.03))[:, None, None]
    middle = np.array(_CENTRE_MM)[:, None, None]
    points[:2] = (points[:2] - middle) / scale + middle
    points = deform(points, 2.0, 32.0, random)
    points = deform(points, 0.8, 12.0, random)
    points = magnify(points, _VENTRICLES_MM, 26.0, ventricles)

    brain = sample_template("brain", points)
    within, skull, scalp = _rings(brain, random)
    grey, white = within * sample_template("grey", points), within * sample_template("white", points)
    fluid = np.clip(within - grey - white, 0, 1)
    return SliceAnatomy(sample_template("t1", points), grey, white, fluid, skull, scalp, points)


def _rings(brain: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, ...]:
    """What the skull holds, bone and scalp: soft bands of the distance from the brain, of varying thickness."""
    # the head is rounder than the brain: close the gaps between lobes, then smooth the outline
    outline = ndimage.gaussian_filter(ndimage.binary_closing(np.pad(brain > 0.5, 24), iterations=8).astype(float), 4)
    hull = (outline[24:-24, 24:-24] > 0.5) | (brain > 0.5)
    distance = ndimage.distance_transform_edt(~hull)
    edges: list[np.ndarray] = []
    for mean, spread in ((2.5, 0.5), (5.5, 0.8), (5.0, 0.9)):
        thickness = mean * random.uniform(0.75, 1.3) + spread * smooth_image(brain.shape, 40.0, random)
        edges.append((edges[-1] if edges else 0.0) + np.maximum(thickness, 1.0))
    beyond = [np.clip(distance - edge + 0.5, 0, 1) for edge in edges]
    bands = (1 - beyond[0], beyond[0] - beyond[1], beyond[1] - beyond[2])
    return tuple(band.astype(np.float32) for band in bands)


def _rotation(axis: int, angle: float) -> np.ndarray:
    """Turn about one axis, (3, 3)."""
    first, second = [other for other in range(3) if other != axis]
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = np.cos(angle)
    matrix[first, second], matrix[second, first] = -np.sin(angle), np.sin(angle)
    return matrix


@lru_cache(maxsize=4)
def _template(name: str) -> np.ndarray:
    from nilearn import datasets  # a second of imports that only phantoms need

    if name == "brain":
        return (_template("t1") > 0).astype(np.float32)
    load = {
        "t1": datasets.load_mni152_template,
        "grey": datasets.load_mni152_gm_template,
        "white": datasets.load_mni152_wm_template,
    }[name]
    return np.asarray(load(resolution=1).dataobj, dtype=np.float32)

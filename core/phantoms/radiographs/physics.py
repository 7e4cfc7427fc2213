"""From solids to a film: projected thickness, Beer-Lambert, scatter, grain, collimation, side marker, display."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import ndimage

from core.phantoms.fields import random_field
from core.phantoms.radiographs.body import Anatomy
from core.phantoms.radiographs.shapes import Box, Part, Tube, shell_and_core, thickness, turned

#: linear attenuation at about 60 keV, per mm: soft tissue, and what mineral of compact bone adds to it
_MU_TISSUE, _MU_MINERAL = 0.020, 0.038
#: photons are counted on pixels of this share of the film, whatever the film's size
_COUNTED_PIXEL = 1 / 128
#: how much of what is broad the display takes away, and how broad that is, shares of the film
_FLATTENED, _BROAD = 0.4, 0.1
#: cells of trabecular bone across the film
_TRABECULAE = 96


@dataclass(frozen=True)
class Handling:
    """How one film was taken: where the person lay, how long it was exposed, how it was displayed.

    Parameters
    ----------
    degrees : float
        Turn of the person on the film, clockwise.
    scale : float
        Size on the film, 1 as intended.
    shift : tuple of float
        Of the middle, shares of the film, x and y.
    mirrored : bool
        Film flipped left to right.
    stretch : float
        Height over width after a tilt of the tube, 1 without.
    photons : float
        Mean number on a pixel behind the person.
    scatter : float
        Share of the photons that come from elsewhere.
    blur : float
        Standard deviation of the focal spot's and the detector's blur, shares of the film.
    gamma : float
        Exponent of the display.
    window : tuple of float
        Darkest and brightest percentile of what is displayed.
    level : float
        Added brightness before the display clips, shares of the window.
    shutters : tuple of float
        Where the four collimator leaves stand, shares of the film from its edges: left, right, top, bottom.
    shutter_degrees : float
        Turn of the collimator.
    border : float
        Grey of what the collimator hides.
    """

    degrees: float
    scale: float
    shift: tuple[float, float]
    mirrored: bool
    stretch: float
    photons: float
    scatter: float
    blur: float
    gamma: float
    window: tuple[float, float]
    level: float
    shutters: tuple[float, float, float, float]
    shutter_degrees: float
    border: float


@dataclass(frozen=True)
class SideMarker:
    """A lead letter on the film.

    Parameters
    ----------
    letter : {"L", "R"}
        Which.
    place : tuple of float
        Its middle, shares of the film, x and y.
    height : float
        Of the letter, share of the film.
    degrees : float
        Turn, clockwise.
    """

    letter: Literal["L", "R"]
    place: tuple[float, float]
    height: float
    degrees: float


#: strokes in a box of height 1, y down
_LETTERS: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "L": (((-0.3, -0.5), (-0.3, 0.5), (0.3, 0.5)),),
    "R": (
        ((-0.3, 0.5), (-0.3, -0.5), (0.08, -0.5), (0.3, -0.37), (0.3, -0.13), (0.08, 0.0), (-0.3, 0.0)),
        ((0.0, 0.0), (0.32, 0.5)),
    ),
}
_STROKE, _PLATE = 0.1, (0.5, 0.68)


def film_points(size: int) -> np.ndarray:
    """Place of every pixel's middle, shares of the film from its middle: x right, y down; (2, size, size)."""
    across = ((np.arange(size) + 0.5) / size - 0.5).astype(np.float32)
    return np.stack(np.meshgrid(across, across))


def body_points(points: np.ndarray, anatomy: Anatomy, handling: Handling, random: np.random.Generator) -> np.ndarray:
    """Where in the body, mm, each pixel of the film looks: handling undone, then a smooth deformation of the body."""
    placed: np.ndarray = points - np.array(handling.shift, dtype=np.float32)[:, None, None]
    placed = placed * np.array([-1 if handling.mirrored else 1, 1])[:, None, None]
    scale = np.array([handling.scale, handling.scale * handling.stretch], dtype=np.float32)
    placed = turned(placed.astype(np.float32), -handling.degrees) / scale[:, None, None]
    axis = points[0, 0]
    # drawn over the film, not over the body: as smooth as the body's own bends, and no pixel size in it
    bend = np.stack([random_field([axis, axis], [(-0.5, 0.5)] * 2, 0.33, random) for _ in range(2)])
    middle = np.array(anatomy.middle, dtype=np.float32)[:, None, None]
    return (placed + np.float32(0.011) * bend) * np.float32(anatomy.field) + middle


def project(anatomy: Anatomy, points: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Attenuation along the beam (float32) and where there is bone (bool), both (rows, columns).

    `points` are those of `body_points`.
    """
    shape = points.shape[1:]
    tissue, mineral, bone = np.zeros(shape, np.float32), np.zeros(shape, np.float32), np.zeros(shape, bool)
    for part in anatomy.flesh:
        for rows, columns, depth, half in _within(part, points):
            tissue[rows, columns] = np.maximum(tissue[rows, columns], part.density * thickness(depth, half))
    for part in anatomy.air:
        for rows, columns, depth, half in _within(part, points):
            tissue[rows, columns] -= np.float32(part.density) * thickness(depth, half)
    axis = np.linspace(-0.5, 0.5, shape[0], dtype=np.float32)
    trabeculae = 1 + np.float32(0.2) * _enlarged(random.standard_normal((_TRABECULAE,) * 2, np.float32), shape[0])
    fibres = 1 + np.float32(0.035) * random_field([axis, axis], [(-0.5, 0.5)] * 2, 0.09, random)
    for part in anatomy.bones:
        for rows, columns, depth, half in _within(part, points):
            shell, core = shell_and_core(depth, half, part.cortex)
            within = shell + part.spongy * core * trabeculae[rows, columns]
            mineral[rows, columns] += np.float32(part.density) * within
            bone[rows, columns] |= depth > 0
    return _MU_TISSUE * np.maximum(tissue, 0) * fibres + _MU_MINERAL * mineral, bone


def develop(
    attenuation: np.ndarray, handling: Handling, marker: SideMarker | None, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The displayed film, what the collimator left open, and the marker's plate: float32 0..1, bool, bool."""
    size = attenuation.shape[0]
    points = film_points(size)
    opening = _opening(points, handling)
    transmitted = np.exp(-attenuation)
    veil = _enlarged(_coarse(transmitted * opening, 16), size)
    arriving = (1 - handling.scatter) * transmitted + handling.scatter * veil
    plate = np.zeros(attenuation.shape, bool)
    if marker is not None:
        # lead lies on the cassette: it stops scatter too
        letter, plate = _lead(points, marker)
        arriving = arriving * np.exp(-3.5 * letter - 0.08 * plate)
    blur = handling.blur * size
    edge = np.maximum(ndimage.gaussian_filter(opening.astype(np.float32), blur), 1e-3)
    arriving = ndimage.gaussian_filter(arriving * opening, blur) / edge
    behind = opening & (attenuation > 0.05)
    typical = float(np.median(arriving[behind])) if behind.any() else 1.0
    photons = handling.photons * (_COUNTED_PIXEL * size) ** -2 / typical
    noise = random.standard_normal(arriving.shape, dtype=np.float32)
    counted = np.maximum(arriving + noise * np.sqrt(arriving / photons), 0.25 / photons)
    grey = -np.log(counted)
    # display stations flatten what is broad and keep detail
    broad = ndimage.gaussian_filter(grey * opening, _BROAD * size) / np.maximum(
        ndimage.gaussian_filter(opening.astype(np.float32), _BROAD * size), 1e-3
    )
    grey = grey - _FLATTENED * broad
    shown = grey[opening] if opening.any() else grey
    low, high = np.percentile(shown, handling.window)
    film = np.clip((grey - low) / max(float(high - low), 0.3) + handling.level, 0, 1) ** handling.gamma
    film = film * edge + handling.border * (1 - edge)
    return film.astype(np.float32), opening, plate & opening


def _within(part: Part, points: np.ndarray) -> Iterator[tuple[slice, slice, np.ndarray, np.ndarray]]:
    """The part's window of the film, if it has one: rows, columns, depth and half thickness there."""
    low, high = part.bounds()
    inside = (points[0] >= low[0]) & (points[0] <= high[0]) & (points[1] >= low[1]) & (points[1] <= high[1])
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if rows.size:
        window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        yield *window, *part.at(points[(slice(None), *window)])


def _opening(points: np.ndarray, handling: Handling) -> np.ndarray:
    left, right, top, bottom = handling.shutters
    x, y = turned(points, -handling.shutter_degrees)
    return (x > left - 0.5) & (x < 0.5 - right) & (y > top - 0.5) & (y < 0.5 - bottom)


def _lead(points: np.ndarray, marker: SideMarker) -> tuple[np.ndarray, np.ndarray]:
    """Lead of the letter, 0..1, and its plate."""
    place = np.array(marker.place, dtype=np.float32)[:, None, None]
    own = turned(points - place, -marker.degrees) / np.float32(marker.height)
    pixel = 1 / (marker.height * points.shape[1])
    strokes = [Tube(stroke, _STROKE).at(own)[0] for stroke in _LETTERS[marker.letter]]
    letter = np.clip(np.max(strokes, axis=0) / pixel + 0.5, 0, 1)
    return letter, Box((0, 0), _PLATE, 0.12).at(own)[0] > 0


def _enlarged(image: np.ndarray, size: int) -> np.ndarray:
    """Bilinear, the outermost cells' middles on the edges."""
    at = np.linspace(0, image.shape[0] - 1, size, dtype=np.float32)
    first = np.minimum(at.astype(int), image.shape[0] - 2)
    share = at - first
    rows = image[first] * (1 - share)[:, None] + image[first + 1] * share[:, None]
    return rows[:, first] * (1 - share) + rows[:, first + 1] * share


def _coarse(image: np.ndarray, cells: int) -> np.ndarray:
    """Scatter on a grid of `cells`: the image's block means, spread over a fifth of the film."""
    block = image.shape[0] // cells
    means = image[: block * cells, : block * cells].reshape(cells, block, cells, block).mean(axis=(1, 3))
    return ndimage.gaussian_filter(means, 0.1 * cells, mode="nearest")

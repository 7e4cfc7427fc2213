"""Shapes that radiographs are drawn of: depth below the outline and half thickness along the beam at every point.

A shape is known by its depth field, positive inside: how far a point of the film lies below the shape's outline. With
`half`, the half thickness in its middle, a rounded solid has the projected thickness ``2·√(half² − (half − depth)²)``
up to that depth and ``2·half`` beyond: exact for tubes (half = radius) and ellipsoids. Lengths are millimetres.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

#: points of the film: (x, y) each
Points = Sequence[Any] | np.ndarray
_SMALL = 1e-6


class Shape(ABC):
    """One outline."""

    @abstractmethod
    def bounds(self) -> np.ndarray:
        """Smallest and largest x and y, shape (2, 2): ``[low, high]``."""

    @abstractmethod
    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Depth below the outline and half thickness at `points` (2, rows, columns), both float32 (rows, columns)."""


class Tube(Shape):
    """A chain of capsules whose radius changes from joint to joint.

    Parameters
    ----------
    joints : sequence of (x, y)
        Two or more points of its axis.
    radii : float or sequence of float
        Radius at each joint.
    half : float, optional
        Largest half thickness: below the radius, the tube is flat.
    """

    def __init__(self, joints: Points, radii: ArrayLike, half: float | None = None) -> None:
        self.joints = np.asarray(joints, dtype=np.float32)
        self.radii = np.broadcast_to(np.asarray(radii, dtype=np.float32), len(self.joints))
        self.half = np.inf if half is None else half

    def bounds(self) -> np.ndarray:
        """See `Shape.bounds`."""
        return np.stack(
            [(self.joints - self.radii[:, None]).min(axis=0), (self.joints + self.radii[:, None]).max(axis=0)]
        )

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Shape.at`."""
        depth = radius = None
        for start, end, first, last in zip(self.joints, self.joints[1:], self.radii, self.radii[1:], strict=False):
            axis = end - start
            from_start = points - start[:, None, None]
            along = np.tensordot(axis, from_start, axes=1) / max(float(axis @ axis), _SMALL)
            along = np.clip(along, 0, 1)
            local = first + (last - first) * along
            across = from_start - axis[:, None, None] * along
            inside = local - np.hypot(across[0], across[1])
            if depth is None or radius is None:
                depth, radius = inside, local
            else:
                radius = np.where(inside > depth, local, radius)
                depth = np.maximum(depth, inside)
        assert depth is not None and radius is not None, "a tube has two joints at least"
        return depth, np.minimum(radius, np.float32(self.half))


class Ellipse(Shape):
    """An ellipsoid.

    Parameters
    ----------
    centre : (x, y)
        Its middle.
    semi_axes : (float, float)
        Half its length along its own x and y.
    angle : float
        Turn of its axes, degrees clockwise on the film.
    half : float, optional
        Half thickness along the beam; the smaller semi-axis by default.
    """

    def __init__(self, centre: ArrayLike, semi_axes: ArrayLike, angle: float = 0.0, half: float | None = None) -> None:
        self.centre = np.asarray(centre, dtype=np.float32)
        self.semi_axes = np.asarray(semi_axes, dtype=np.float32)
        self.angle = angle
        self.half = float(self.semi_axes.min()) if half is None else half

    def bounds(self) -> np.ndarray:
        """See `Shape.bounds`."""
        reach = self.semi_axes.max()
        return np.stack([self.centre - reach, self.centre + reach])

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Shape.at`."""
        own = turned(points - self.centre[:, None, None], -self.angle) / self.semi_axes[:, None, None]
        depth = (1 - np.hypot(own[0], own[1])) * np.float32(self.half)
        return depth, np.full_like(depth, self.half)


class Box(Shape):
    """A rectangle with round corners and edges; see `Ellipse`. `corner` is the corners' radius."""

    def __init__(
        self,
        centre: ArrayLike,
        semi_axes: ArrayLike,
        corner: float,
        angle: float = 0.0,
        half: float | None = None,
    ) -> None:
        self.centre = np.asarray(centre, dtype=np.float32)
        self.semi_axes = np.asarray(semi_axes, dtype=np.float32)
        self.corner = np.float32(min(corner, float(self.semi_axes.min())))
        self.angle = angle
        self.half = float(self.semi_axes.min()) if half is None else half

    def bounds(self) -> np.ndarray:
        """See `Shape.bounds`."""
        reach = np.hypot(*self.semi_axes)
        return np.stack([self.centre - reach, self.centre + reach])

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Shape.at`."""
        own = np.abs(turned(points - self.centre[:, None, None], -self.angle))
        beyond = own - (self.semi_axes - self.corner)[:, None, None]
        outside = np.hypot(np.maximum(beyond[0], 0), np.maximum(beyond[1], 0))
        depth = self.corner - outside - np.minimum(np.maximum(beyond[0], beyond[1]), 0)
        return depth, np.full_like(depth, self.half)


class Outline(Shape):
    """A closed smooth curve through `corners`, `half` thick in its middle.

    Parameters
    ----------
    corners : sequence of (x, y)
        Three or more points, in order; a closed Catmull-Rom spline runs through them.
    half : float
        Half thickness along the beam.
    """

    _PIECES = 4

    def __init__(self, corners: Points, half: float) -> None:
        self.corners = _smooth(np.asarray(corners, dtype=np.float32), self._PIECES)
        self.half = half

    def bounds(self) -> np.ndarray:
        """See `Shape.bounds`."""
        return np.stack([self.corners.min(axis=0), self.corners.max(axis=0)])

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Shape.at`."""
        x, y = points
        nearest = np.full(x.shape, np.inf, dtype=np.float32)
        inside = np.zeros(x.shape, dtype=bool)
        for start, end in zip(self.corners, np.roll(self.corners, -1, axis=0), strict=True):
            edge = end - start
            dx, dy = x - start[0], y - start[1]
            along = np.clip((dx * edge[0] + dy * edge[1]) / max(float(edge @ edge), _SMALL), 0, 1)
            nearest = np.minimum(nearest, (dx - along * edge[0]) ** 2 + (dy - along * edge[1]) ** 2)
            if edge[1]:
                # an edge that a ray to the right of the point crosses
                crossed = ((start[1] > y) != (end[1] > y)) & (dx < edge[0] / edge[1] * dy)
                inside ^= crossed
        distance = np.sqrt(nearest)
        depth = np.where(inside, distance, -distance)
        return depth, np.full_like(depth, self.half)


@dataclass(frozen=True, eq=False)
class Part:
    """A solid made of shapes that melt into one another.

    Parameters
    ----------
    shapes : tuple of Shape
        What it is made of; where they overlap it is as thick as the thickest, not their sum.
    cortex : float
        Thickness of its dense shell, mm; 0 for soft tissue and air.
    spongy : float
        Mineral of what the shell holds, as a share of the shell's.
    density : float
        Factor on all of it.
    blend : float
        How far shapes melt into one another, mm.
    """

    shapes: tuple[Shape, ...]
    cortex: float = 0.0
    spongy: float = 0.25
    density: float = 1.0
    blend: float = 1.0

    def bounds(self) -> np.ndarray:
        """Smallest and largest x and y, shape (2, 2)."""
        each = np.stack([shape.bounds() for shape in self.shapes])
        return np.stack([each[:, 0].min(axis=0) - self.blend, each[:, 1].max(axis=0) + self.blend])

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As `Shape.at`, of the melted shapes."""
        fields = [shape.at(points) for shape in self.shapes]
        if len(fields) == 1:
            return fields[0]
        depths, halves = np.stack([depth for depth, _ in fields]), np.stack([half for _, half in fields])
        deepest = depths.max(axis=0)
        weights = np.exp((depths - deepest) / np.float32(self.blend))
        total = weights.sum(axis=0)
        return deepest + np.float32(self.blend) * np.log(total), (weights * halves).sum(axis=0) / total


def thickness(depth: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Projected thickness of a rounded solid, mm, zero outside; see the module's text."""
    below = np.clip(depth, 0, half)
    return 2 * np.sqrt(np.maximum(below * (2 * half - below), 0))


def shell_and_core(depth: np.ndarray, half: np.ndarray, cortex: float) -> tuple[np.ndarray, np.ndarray]:
    """Projected thickness of a shell `cortex` thick, and of what it holds, mm."""
    whole = thickness(depth, half)
    core = thickness(depth - cortex, np.maximum(half - cortex, 0))
    return whole - core, core


def turned(points: np.ndarray, degrees: float) -> np.ndarray:
    """Vectors along the first axis, turned clockwise on the film (x right, y down)."""
    angle = np.deg2rad(degrees)
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return np.stack([cosine * points[0] - sine * points[1], sine * points[0] + cosine * points[1]])


def toward(start: ArrayLike, degrees: float, length: float) -> np.ndarray:
    """Point `length` away from `start`; 0 degrees is up on the film, 90 to the right."""
    angle = np.deg2rad(degrees)
    return np.asarray(start, dtype=float) + length * np.array([np.sin(angle), -np.cos(angle)])


def moved(point: ArrayLike, x: float, y: float) -> np.ndarray:
    """`point`, `x` further right and `y` further down."""
    return np.asarray(point, dtype=float) + np.array([x, y])


def mirrored(corners: Points) -> np.ndarray:
    """The same points on the other side of x = 0."""
    return np.asarray(corners, dtype=float) * [-1, 1]


def _smooth(corners: np.ndarray, pieces: int) -> np.ndarray:
    """Points of the closed Catmull-Rom spline through `corners`, `pieces` for each of them."""
    before, after, beyond = (np.roll(corners, shift, axis=0) for shift in (1, -1, -2))
    steps = np.arange(pieces, dtype=np.float32)[:, None, None] / pieces
    curve = 0.5 * (
        2 * corners
        + (after - before) * steps
        + (2 * before - 5 * corners + 4 * after - beyond) * steps**2
        + (3 * (corners - after) + beyond - before) * steps**3
    )
    return np.swapaxes(curve, 0, 1).reshape(-1, 2).astype(np.float32)

"""What radiographed anatomies have in common: who it is of, what is in it, and bones that many regions share."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from core.phantoms.radiographs.shapes import Part, Shape, Tube, toward


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Solids in the beam; every anatomy has its own origin.

    Parameters
    ----------
    field : float
        Side of the film, mm.
    flesh, bones, air : tuple of Part
        Soft tissue (as thick as the thickest of its parts), bones (each adds to the others: they lie behind one
        another), and what displaces tissue: lungs, bowel gas, sinuses.
    middle : (x, y)
        What lies in the middle of the film, mm.
    """

    field: float
    flesh: tuple[Part, ...]
    bones: tuple[Part, ...]
    air: tuple[Part, ...] = ()
    middle: tuple[float, float] = (0.0, 0.0)


class Body:
    """One person's build and one film's pose: where every random number of an anatomy comes from.

    Parameters
    ----------
    person, pose : numpy.random.Generator
        What stays from film to film of a person, and what does not.
    """

    def __init__(self, person: np.random.Generator, pose: np.random.Generator) -> None:
        self._person, self._pose = person, pose
        self.girth = self.share(0.09)
        self.cortex = self.share(0.18)
        self.fat = self.share(0.13)
        self.spongy = 0.28 * self.share(0.25)
        self.calcium = self.share(0.12)

    def share(self, spread: float) -> float:
        """A factor of the person about 1, log-normal."""
        return float(np.exp(spread * self._clipped(self._person)))

    def lengths(self, *usual: float, spread: float = 0.05) -> list[float]:
        """The person's lengths about the usual ones, each its own."""
        return [length * self.share(spread) for length in usual]

    def build(self, usual: float, spread: float) -> float:
        """A number of the person, normal."""
        return usual + spread * self._clipped(self._person)

    def posed(self, usual: float, spread: float) -> float:
        """A number of this film, normal."""
        return usual + spread * self._clipped(self._pose)

    @staticmethod
    def _clipped(random: np.random.Generator) -> float:
        """Standard normal, no further out than 2.5: nobody is a monster."""
        return float(np.clip(random.standard_normal(), -2.5, 2.5))

    def chance(self, probability: float) -> bool:
        """Whether something is so on this film."""
        return bool(self._pose.random() < probability)

    def bone(
        self, *shapes: Shape, cortex: float = 2.0, spongy: float = 1.0, density: float = 1.0, blend: float = 1.5
    ) -> Part:
        """A bone of this person; `cortex` mm and `spongy`, `density` as shares of the usual."""
        return Part(shapes, cortex * self.cortex, self.spongy * spongy, self.calcium * density, blend)

    def long_bone(
        self,
        start: ArrayLike,
        end: ArrayLike,
        shaft: float,
        ends: tuple[float, float] = (1.6, 1.5),
        cortex: float = 0.4,
        flare: float = 0.2,
    ) -> Part:
        """A shaft of radius `shaft` with wider ends; `cortex` and `ends` in shaft radii, `flare` of the length."""
        start, end = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
        radius = shaft * self.girth
        first, last = start + flare * (end - start), end + flare * (start - end)
        length = float(np.hypot(*(end - start)))
        # the round heads end where the bone does
        along = (end - start) / max(length, 1e-6)
        joints = [start + along * radius * ends[0], first, last, end - along * radius * ends[1]]
        tube = Tube(joints, [radius * ends[0], radius, radius, radius * ends[1]])
        return self.bone(tube, cortex=cortex * radius, spongy=0.6)


def soft(*shapes: Shape, blend: float = 6.0, density: float = 1.0) -> Part:
    """Soft tissue or air: no shell."""
    return Part(shapes, 0.0, 1.0, density, blend)


def chain(start: ArrayLike, angles: Sequence[float], lengths: Sequence[float]) -> list[np.ndarray]:
    """Joints of a limb: `angles` are of each piece on the film, degrees, 0 up; see `toward`."""
    joints = [np.asarray(start, dtype=float)]
    for angle, length in zip(angles, lengths, strict=True):
        joints.append(toward(joints[-1], angle, length))
    return joints

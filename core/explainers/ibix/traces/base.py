"""What a way to trace is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from core.explainers.base import MapArray
from core.explainers.ibix.notes import Notes
from core.explainers.ibix.report import Watch
from core.explainers.ibix.setup import Setup
from core.networks import Box


class Trace(ABC):
    """One of four.

    Parameters
    ----------
    setup : Setup
        What it is made of.
    notes : Notes
        Takes down what must be known of the map.
    watch : Watch
        Told of progress.
    """

    forward: ClassVar[bool]

    def __init__(self, setup: Setup, notes: Notes, watch: Watch) -> None:
        self.setup, self.notes, self.watch = setup, notes, watch

    @property
    def changes_the_scan(self) -> bool:
        """Whether the network is asked about changed scans, for the map or beside it."""
        return True

    @abstractmethod
    def check_region(self) -> None:
        """Raise `core.errors.BadInput` when the region is missing, or is not one of the side that it lies on."""

    @abstractmethod
    def changed_places(self, marked: np.ndarray) -> np.ndarray:
        """Which samples of the input are changed, bool; `marked` is the region on the input's grid."""

    @abstractmethod
    def arrays(self) -> dict[str, MapArray]:
        """``map``, and what else belongs to it."""


class Forward(Trace):
    """What the marked part of the scan changes in the answer."""

    forward = True

    def check_region(self) -> None:
        """See `Trace`."""
        _ = self.setup.marked

    def changed_places(self, marked: np.ndarray) -> np.ndarray:
        """See `Trace`."""
        return marked


class Backward(Trace):
    """What in the scan changes the marked part of the answer."""

    forward = False

    def check_region(self) -> None:
        """See `Trace`."""
        _ = self.setup.target

    def changed_places(self, marked: np.ndarray) -> np.ndarray:
        """See `Trace`."""
        return self.setup.body


def everywhere(shape: tuple[int, ...]) -> Box:
    """The window that is all of it."""
    return tuple(slice(0, n) for n in shape)

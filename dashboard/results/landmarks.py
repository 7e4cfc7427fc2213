"""Landmarks of a scan: named places that a person drew or loaded, kept with it, and what a map has in each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.errors import LightboxError
from core.runs import Landmark
from core.scans.scan import Scan
from dashboard.components.viewer import Layer, publish
from dashboard.desk import UNDO_DEPTH, owner, shelf
from dashboard.look import theme

if TYPE_CHECKING:
    from core.metrics.landmarks import Overlap

_KEY = "landmarks"
#: What a landmark is called until it gets a name.
_UNNAMED = "landmark"


@dataclass
class LandmarkDesk:
    """What a person is doing with the landmarks of the scan on screen.

    Parameters
    ----------
    scan : str
        Content hash.
    """

    scan: str
    #: name of the landmark that is being drawn
    drawing: str | None = None
    #: region that the viewer is handed to draw on, and how many it was handed so far. Not what is drawn since: that
    #: would come back to the viewer late, and take from it the strokes it can undo
    begun: str | None = None
    handed: int = 0
    #: whether outlines are drawn
    outlined: bool = True
    #: why something could not be kept, until it was said
    problem: str | None = None
    _undo: list[tuple[Landmark, ...]] = field(default_factory=list)

    @property
    def all(self) -> tuple[Landmark, ...]:
        """Landmarks as they are kept."""
        return shelf().landmarks(self.scan)

    @property
    def can_undo(self) -> bool:
        """Whether something was changed."""
        return bool(self._undo)

    def draw(self, name: str | None = None) -> None:
        """Take a landmark in hand; without a name, a new one."""
        self.drawing = name or self.free_name()
        self._hand_over()

    def done(self) -> None:
        """Nothing is drawn any more."""
        self.drawing = None

    def region_in_hand(self, shape: tuple[int, ...]) -> np.ndarray:
        """What drawing began with, bool of the scan's shape."""
        return np.zeros(shape, dtype=bool) if self.begun is None else _region(self.begun, owner())

    def _hand_over(self) -> None:
        self.begun = _regions(self.scan).get(self.drawing or "")
        self.handed += 1

    def painted(self, region: np.ndarray | None) -> None:
        """Take over what was drawn of the landmark in hand; None: nothing of it is left."""
        if self.drawing is None:
            return
        known = {landmark.name: landmark.region for landmark in self.all}
        drawn = shelf().add_region(region) if region is not None and region.any() else None
        if known.get(self.drawing) == drawn:
            return
        if drawn is None:
            known.pop(self.drawing)
        else:
            known[self.drawing] = drawn
        self._keep(known)

    def add(self, found: dict[str, str]) -> None:
        """Keep landmarks that came from a file: name → region. A name that is taken gets a number."""
        known = {landmark.name: landmark.region for landmark in self.all}
        for name, region in found.items():
            known[_numbered(name, known)] = region
        self._keep(known)

    def rename(self, before: str, after: str) -> None:
        """Give a landmark another name."""
        if after == before:
            return
        known = {landmark.name: landmark.region for landmark in self.all}
        if before not in known:  # nothing of it was drawn yet
            self.drawing = after if after not in known and after.strip() else self.drawing
            return
        changed = [replace(landmark, name=after) if landmark.name == before else landmark for landmark in self.all]
        if self._keep_all(changed) and self.drawing == before:
            self.drawing = " ".join(after.split())

    def remove(self, name: str) -> None:
        """Take a landmark away."""
        self.drawing = None if self.drawing == name else self.drawing
        self._keep({landmark.name: landmark.region for landmark in self.all if landmark.name != name})

    def undo(self) -> None:
        """Take back the last change."""
        if not self._undo:
            return
        names = {landmark.region: landmark.name for landmark in self.all}
        before = self._undo.pop()
        try:
            shelf().keep_landmarks(self.scan, before)
        except LightboxError as problem:
            self.problem = str(problem)
        # the landmark in hand may have been given its name by what is taken back
        renamed = {names[landmark.region]: landmark.name for landmark in before if landmark.region in names}
        self.drawing = renamed.get(self.drawing, self.drawing) if self.drawing is not None else None
        self._hand_over()

    def free_name(self) -> str:
        """A name for a new landmark."""
        return _numbered(_UNNAMED, {landmark.name for landmark in self.all}, always=True)

    def _keep(self, wanted: dict[str, str]) -> bool:
        return self._keep_all([Landmark(name, region) for name, region in wanted.items()])

    def _keep_all(self, wanted: Sequence[Landmark]) -> bool:
        before = self.all
        try:
            shelf().keep_landmarks(self.scan, wanted)
        except LightboxError as problem:
            self.problem = str(problem)
            return False
        self._undo.append(before)
        del self._undo[:-UNDO_DEPTH]
        return True


def landmark_desk(scan: str) -> LandmarkDesk:
    """What this session is doing with the landmarks of a scan; of another scan than before, nothing yet."""
    found: LandmarkDesk | None = st.session_state.get(_KEY)
    if found is None or found.scan != scan:
        fresh = LandmarkDesk(scan)
        if found is not None:
            # the viewer counts on: a number it has seen would not make it take a region over
            fresh.handed, fresh.outlined = found.handed, found.outlined
        found = st.session_state[_KEY] = fresh
    return found


def overlaps_with(scan: str, map_path: str) -> "tuple[Overlap, ...]":
    """What a stored map has in each landmark of its scan.

    Parameters
    ----------
    scan : str
        Content hash.
    map_path : str
        File of the map, in the scan's space.
    """
    return _overlaps(map_path, tuple(_regions(scan).items()))


@lru_cache(maxsize=128)
def _overlaps(map_path: str, regions: tuple[tuple[str, str], ...]) -> "tuple[Overlap, ...]":
    from core.metrics.landmarks import overlaps

    values = np.load(map_path, mmap_mode="r", allow_pickle=False)
    return overlaps(values, {name: _region(region, owner()) for name, region in regions})


def outlines(scan: Scan, name: str, without: str | None = None) -> list[Layer]:
    """Outlines of the landmarks of a stored scan for its panels; of all but the one that is being drawn.

    Parameters
    ----------
    scan : Scan
        As read from the store.
    name : str
        Its content hash.
    without : str, optional
        Name of a landmark.
    """
    found = []
    for place, (title, region) in enumerate(_regions(name).items()):
        if title != without:
            reference = publish(_samples(region, owner()), scan.affine, owner=owner(), name=f"region:{region}")
            found.append(Layer(reference, "outline", name=title, color=color(place)))
    return found


def color(place: int) -> str:
    """Colour of the landmark at this place of the list."""
    return theme.LANDMARK_COLORS[place % len(theme.LANDMARK_COLORS)]


def _samples(region: str, whose: str) -> Callable[[], np.ndarray]:
    return lambda: _region(region, whose).astype(np.uint8)


def _regions(scan: str) -> dict[str, str]:
    return {landmark.name: landmark.region for landmark in shelf().landmarks(scan)}


@lru_cache(maxsize=32)
def _region(content: str, whose: str) -> np.ndarray:
    return shelf(whose).region(content)


def _numbered(name: str, taken: "set[str] | dict[str, str]", always: bool = False) -> str:
    """The name, with a number behind it where it is taken (or `always`)."""
    if name not in taken and not always:
        return name
    return next(f"{name} {n}" for n in range(1 if always else 2, len(taken) + 3) if f"{name} {n}" not in taken)

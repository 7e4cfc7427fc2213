"""The scans that come with Lightbox: ``assets/scans/scans.yaml``."""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from core.cohorts.landmark_labels import read_landmark_names
from core.settings import ASSETS
from dashboard.backend import pool, questions
from dashboard.desk import owner, shelf


@dataclass(frozen=True)
class DemoScan:
    """A scan that ships with Lightbox.

    Parameters
    ----------
    name, title, description : str
        Short name, what it is called on screen, one sentence.
    path : pathlib.Path
        The file.
    model : str, optional
        The model it is a good example for.
    synthetic : bool
        Not of a real person; said wherever it is shown.
    target : pathlib.Path, optional
        The image that a regressor should make of it.
    explainer : str, optional
        The explainer it is a good example for.
    landmarks : pathlib.Path, optional
        Image of labels, 0 is nothing.
    landmark_names : dict of int to str
        What the labels are called.
    """

    name: str
    title: str
    description: str
    path: Path
    model: str | None
    synthetic: bool
    target: Path | None = None
    explainer: str | None = None
    landmarks: Path | None = None
    landmark_names: dict[int, str] = field(default_factory=dict)


@lru_cache(maxsize=1)
def scans() -> tuple[DemoScan, ...]:
    """Every demo scan whose file is there, in the order of the list; empty when the assets were not made yet."""
    listing = ASSETS / "scans" / "scans.yaml"
    if not listing.is_file():
        return ()
    content = yaml.safe_load(listing.read_text(encoding="utf-8")) or []
    return tuple(scan for scan in map(_read, content) if scan.path.is_file())


def shipped_as(scan: str) -> DemoScan | None:
    """The demo scan that a stored scan is, by its content hash; None for a scan of one's own."""
    title = shelf().scan_meta(scan)["title"]
    return next((shipped for shipped in scans() if shipped.title == title), None)


def painted(shape: tuple[int, ...]) -> np.ndarray:
    """A spot a little beside the middle of a slice, bool of `shape` (rows, columns): a few strokes of a brush."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return np.asarray(np.hypot(rows / shape[0] - 0.42, columns / shape[1] - 0.46) < 0.03)


def opened(scan: DemoScan) -> str:
    """Put a demo scan into the store; returns its content hash."""
    return pool.ask(questions.read_asset, scan.path, scan.title, owner(), scan.landmarks, scan.landmark_names)


def _read(entry: dict[str, Any]) -> DemoScan:
    path = ASSETS / "scans" / entry["file"]
    landmarks = entry.get("landmarks") or {}
    if isinstance(landmarks, str):
        landmarks = {"file": landmarks}
    marked = _beside(landmarks.get("file"))
    # the same subject may be there as a volume and as a slice
    kind = ", slice" if "slice" in path.stem else ""
    return DemoScan(
        name=path.name.split(".")[0],
        title=entry["title"] + kind,
        description=entry.get("subtitle", ""),
        path=path,
        model=entry.get("model"),
        synthetic=bool(entry.get("synthetic", True)),
        target=_beside(entry.get("target")),
        explainer=entry.get("explainer"),
        landmarks=marked,
        landmark_names=landmarks.get("names") or (read_landmark_names(marked.parent) if marked is not None else {}),
    )


def _beside(name: str | None) -> Path | None:
    """A file that belongs to a demo scan, if it is there."""
    path = ASSETS / "scans" / name if name else None
    return path if path is not None and path.is_file() else None

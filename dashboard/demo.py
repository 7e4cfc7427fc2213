"""The scans that come with Lightbox: ``assets/scans/scans.yaml``."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from core.settings import ASSETS


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
    """

    name: str
    title: str
    description: str
    path: Path
    model: str | None
    synthetic: bool
    target: Path | None = None


@lru_cache(maxsize=1)
def scans() -> tuple[DemoScan, ...]:
    """Every demo scan whose file is there, in the order of the list; empty when the assets were not made yet."""
    listing = ASSETS / "scans" / "scans.yaml"
    if not listing.is_file():
        return ()
    content = yaml.safe_load(listing.read_text(encoding="utf-8")) or []
    return tuple(scan for scan in map(_read, content) if scan.path.is_file())


def _read(entry: dict[str, Any]) -> DemoScan:
    path = ASSETS / "scans" / entry["file"]
    target = ASSETS / "scans" / entry["target"] if entry.get("target") else None
    # the same subject may be there as a volume and as a slice
    kind = "" if path.name.endswith((".nii", ".nii.gz")) else ", slice"
    return DemoScan(
        name=path.name.split(".")[0],
        title=entry["title"] + kind,
        description=entry.get("subtitle", ""),
        path=path,
        model=entry.get("model"),
        synthetic=bool(entry.get("synthetic", True)),
        target=target if target is not None and target.is_file() else None,
    )

"""The scans that come with Lightbox: ``assets/scans/scans.yaml``."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

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
    """

    name: str
    title: str
    description: str
    path: Path
    model: str | None
    synthetic: bool


@lru_cache(maxsize=1)
def scans() -> tuple[DemoScan, ...]:
    """Every demo scan whose file is there, in the order of the list; empty when the assets were not made yet."""
    listing = ASSETS / "scans" / "scans.yaml"
    if not listing.is_file():
        return ()
    content = yaml.safe_load(listing.read_text(encoding="utf-8")) or {}
    found = (
        DemoScan(
            name=entry.get("name") or Path(entry["file"]).name.split(".")[0],
            title=entry["title"],
            description=entry.get("description", ""),
            path=listing.parent / entry["file"],
            model=entry.get("model"),
            synthetic=bool(entry.get("synthetic", True)),
        )
        for entry in content.get("scans", [])
    )
    return tuple(scan for scan in found if scan.path.is_file())

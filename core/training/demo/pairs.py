"""Demo models and scans of image-to-image models: synthetic pairs of slices of the same head."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from core.models.card import Card, write_card
from core.phantoms.slices.mr import SliceSubject, t1_t2_pair
from core.progress import Report
from core.scans.scan import Scan
from core.training.demo.cards import introduced
from core.training.recipes.autoencoder import AutoencoderParameters, AutoencoderRecipe

T1_T2_MODEL = "t1-t2-phantom"
#: seed of the demo slices: no training, validation or test pair was drawn with it
DEMO_SLICE_SEED = 4711
_FULL_SCALE = 65535


@dataclass(frozen=True)
class DemoPair:
    """One demo slice: what it is called and whose it is."""

    title: str
    subject: SliceSubject


#: number of the slice → what it shows
T1_T2_PAIRS = {
    1: DemoPair("T1, wide ventricles", SliceSubject(height_mm=18.0, ventricles=0.40, lesions=2)),
    2: DemoPair("T1, basal ganglia", SliceSubject(height_mm=3.0, ventricles=-0.05, lesions=1)),
    3: DemoPair("T1, many lesions", SliceSubject(height_mm=27.0, ventricles=0.15, lesions=7)),
}


def t1_t2_settings(seed: int, epochs: int, pairs: int) -> AutoencoderParameters:
    """How `t1-t2-phantom` is trained: the paper's network and loss, smaller batches and so more steps."""
    return AutoencoderParameters(seed=seed, epochs=epochs, phantom_train=pairs, batch=8, learning_rate=3e-3)


def train_t1_t2(settings: AutoencoderParameters, folder: Path, command: str, report: Report) -> Card:
    """Train `t1-t2-phantom`, write it to `folder` and give its card a title, a text and `command`."""
    card = AutoencoderRecipe().train(settings, None, folder, report)
    card = introduced(
        card,
        "T1 → T2 phantom, autoencoder",
        "Makes a T2-weighted slice of a T1-weighted one: the paper's autoencoder on synthetic axial slices at 1 mm. It "
        "never saw a person: what it makes of a real scan means nothing.",
        command,
    )
    write_card(card, folder)
    return card


def write_t1_t2_scans(folder: Path) -> None:
    """Write the demo T1 slices, the true T2 slices beside them, and their entries in ``scans.yaml``."""
    folder.mkdir(parents=True, exist_ok=True)
    entries: list[dict[str, Any]] = []
    for number, pair in T1_T2_PAIRS.items():
        shown, true = demo_t1_t2_pair(number)
        files = f"t1-slice-{number}.png", f"t2-slice-{number}.png"
        for scan, file in zip((shown, true), files, strict=True):
            write_png16(scan.array[0] / _FULL_SCALE, folder / file, pixel_mm=1.0)
        subject = pair.subject
        entries.append(
            {
                "file": files[0],
                "title": pair.title,
                "subtitle": f"synthetic T1 slice at z = {subject.height_mm:.0f} mm, with its true T2 slice",
                "model": T1_T2_MODEL,
                "target": files[1],
                "height_mm": subject.height_mm,
                "ventricles": subject.ventricles,
                "lesions": subject.lesions,
            }
        )
    add_to_index(folder, entries)


def demo_t1_t2_pair(number: int) -> tuple[Scan, Scan]:
    """T1 and true T2 of demo slice `number`, 16-bit."""
    return t1_t2_pair(T1_T2_PAIRS[number].subject, [DEMO_SLICE_SEED, number])


def add_to_index(folder: Path, entries: list[dict[str, Any]]) -> None:
    """Put `entries` into ``folder/scans.yaml``: in place of those of the same file, else at the end."""
    path = folder / "scans.yaml"
    listed = (yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else None) or []
    fresh = {entry["file"]: entry for entry in entries}
    index = [fresh.pop(entry["file"], entry) for entry in listed] + list(fresh.values())
    path.write_text(yaml.safe_dump(index, sort_keys=False, allow_unicode=True), encoding="utf-8")


def write_png16(image: np.ndarray, path: Path, pixel_mm: float | None = None) -> None:
    """Write 0..1 as 16-bit grey, full scale is 1; `pixel_mm` is noted as the picture's resolution."""
    from PIL import Image

    resolution: dict[str, Any] = {} if pixel_mm is None else {"dpi": (25.4 / pixel_mm, 25.4 / pixel_mm)}
    Image.fromarray(np.round(image * _FULL_SCALE).astype(np.uint16)).save(path, optimize=True, **resolution)

"""The demo's MR → CT model and its scans: synthetic pairs of slices of the same head."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.models.card import Card, write_card
from core.phantoms.slices.ct import mr_ct_pair
from core.progress import Report
from core.scans.scan import Scan
from core.training.demo.cards import introduced
from core.training.demo.pairs import DEMO_SLICE_SEED, add_to_index, write_png16
from core.training.recipes.pix2pix import Pix2PixParameters, Pix2PixRecipe

MR_CT_MODEL = "mr-ct-phantom"
_FULL_SCALE = 65535


@dataclass(frozen=True)
class DemoHead:
    """One demo slice: what it is called, its MNI z, and the number of the person."""

    title: str
    height_mm: float
    person: int


#: number of the slice → what it shows
MR_CT_HEADS = {
    1: DemoHead("MR, frontal sinus", 0.0, 3),
    2: DemoHead("MR, calcified pineal gland", 6.0, 5),
    3: DemoHead("MR, above the ventricles", 36.0, 4),
}


def mr_ct_settings(seed: int, steps: int, pairs: int) -> Pix2PixParameters:
    """How `mr-ct-phantom` is trained: a quarter of the paper's width, and the faster for it."""
    return Pix2PixParameters(
        seed=seed, steps=steps, phantom_train=pairs, width=16, patch_width=16, batch=2, learning_rate=1e-3
    )


def train_mr_ct(settings: Pix2PixParameters, folder: Path, command: str, report: Report) -> Card:
    """Train `mr-ct-phantom` and write it to `folder`; see `introduce_mr_ct`."""
    card = introduce_mr_ct(Pix2PixRecipe().train(settings, None, folder, report), command)
    write_card(card, folder)
    return card


def introduce_mr_ct(card: Card, command: str) -> Card:
    """The card with a title, a text and `command`."""
    return introduced(
        card,
        "MR → CT phantom, pix2pix",
        "Makes a CT slice in HU of a T1-weighted MR slice: pix2pix's U-Net at a quarter of the paper's width, on "
        "synthetic axial slices at 1 mm. It never saw a person: what it makes of a real scan means nothing.",
        command,
    )


def write_mr_ct_scans(folder: Path) -> None:
    """Write the demo MR slices, the true CT slices beside them, and their entries in ``scans.yaml``."""
    folder.mkdir(parents=True, exist_ok=True)
    entries: list[dict[str, Any]] = []
    for number, head in MR_CT_HEADS.items():
        shown, true = demo_mr_ct_pair(number)
        files = f"mr-slice-{number}.png", f"ct-slice-{number}.tiff"
        write_png16(shown.array[0] / _FULL_SCALE, folder / files[0], pixel_mm=1.0)
        write_hu(true.array[0], folder / files[1], pixel_mm=1.0)
        entries.append(
            {
                "file": files[0],
                "title": head.title,
                "subtitle": f"synthetic MR slice at z = {head.height_mm:.0f} mm, with its true CT slice in HU",
                "model": MR_CT_MODEL,
                "target": files[1],
                "height_mm": head.height_mm,
            }
        )
    add_to_index(folder, entries)


def demo_mr_ct_pair(number: int) -> tuple[Scan, Scan]:
    """MR and true CT of demo slice `number`, 16-bit and HU."""
    head = MR_CT_HEADS[number]
    return mr_ct_pair([DEMO_SLICE_SEED, head.person], head.height_mm)


def write_hu(image: np.ndarray, path: Path, pixel_mm: float) -> None:
    """Write HU as a TIFF of signed 16-bit whole numbers: what is read from it are HU as they are."""
    from PIL import Image

    picture = Image.fromarray(np.round(image).astype(np.int16))
    picture.save(path, compression="tiff_adobe_deflate", dpi=(25.4 / pixel_mm, 25.4 / pixel_mm))

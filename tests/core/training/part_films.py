"""A cohort of small films of three easily told parts."""

from pathlib import Path

import numpy as np
from PIL import Image

PARTS = ("bar", "box", "ring")
#: Settings of the recipe with which training on them takes a second.
TINY = {"network": "shallow", "size": 16, "epochs": 1, "batch": 6, "test": 0.25}


def film(part: str, random: np.random.Generator) -> np.ndarray:
    """A noisy film of 20 × 24 pixels with one bright shape near the middle."""
    rows, columns = np.mgrid[:20, :24]
    down, right = rows - 10 - random.integers(-2, 3), columns - 12 - random.integers(-2, 3)
    radius = np.hypot(down, right)
    shape = {
        "bar": np.abs(right) < 2,
        "box": (np.abs(down) < 5) & (np.abs(right) < 5),
        "ring": (radius > 4) & (radius < 7),
    }[part]
    return np.clip(random.normal(60, 8, shape.shape) + 120 * shape, 0, 255).astype(np.uint8)


def films(folder: Path, patients: int = 36, uneven: bool = False, per_patient: int = 2) -> Path:
    """A cohort of several films a patient, of one part; `uneven` leaves a third of the rings' patients out."""
    random = np.random.default_rng(0)
    folder.mkdir()
    rows = ["participant_id\tdiagnosis\tfile"]
    for patient in range(patients):
        part = PARTS[patient % 3]
        if uneven and part == "ring" and patient > patients // 3:
            continue
        for number in range(per_patient):
            file = f"{patient}-{number}.png"
            Image.fromarray(film(part, random)).save(folder / file)
            rows.append(f"sub-{patient:02d}\t{part}\t{file}")
    (folder / "participants.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder

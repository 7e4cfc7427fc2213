"""How many foreign scans the gate catches, and how many held-out phantoms it refuses, for each demo model.

``python -m tests.foreign_scans DATA_FOLDER [MODEL ...] [--phantoms 200]`` prints both shares and what slipped through.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from core.acceptance import judge
from core.errors import LightboxError
from core.models import load_model
from core.models.model import Model
from core.phantoms.grey_matter.cohort import phantom_cohort
from core.phantoms.grey_matter.generator import PhantomParameters
from core.phantoms.radiographs.films import ANATOMIES, RadiographParameters, radiograph_cohort
from core.phantoms.slices.ct import SlicePairsCT, mr_ct_cohort
from core.phantoms.slices.mr import SlicePairs, t1_t2_cohort
from core.scans import Scan
from tests.foreign_scans.bag import foreign

#: Of the phantoms that are drawn here: no model was trained, judged or calibrated on it.
_SEED = 20_261_130
#: So many of them are spoilt for the bag, of every class some.
_SPOILT = 12


def _grey_matter(count: int, spacing_mm: float, plane: str | None) -> Iterator[Scan]:
    drawn = {"seed": _SEED, "twins": 0, "singles": -(-count // 2), "spacing_mm": spacing_mm, "plane": plane}
    cohort = phantom_cohort(PhantomParameters(**drawn))
    yield from (cohort.load(entry) for entry in cohort.entries[:count])


def _films(count: int, marker: str = "random") -> Iterator[Scan]:
    cohort = radiograph_cohort(RadiographParameters(seed=_SEED, films=-(-count // len(ANATOMIES)), marker=marker))
    yield from (cohort.load(entry) for entry in cohort.entries)


def _slices(count: int) -> Iterator[Scan]:
    cohort = t1_t2_cohort(SlicePairs(seed=_SEED, train=0, validation=0, test=count))
    yield from (cohort.load(pair)[0] for pair in cohort.pairs)


def _heads(count: int) -> Iterator[Scan]:
    cohort = mr_ct_cohort(SlicePairsCT(seed=_SEED, train=0, test=count))
    yield from (cohort.load(pair)[0] for pair in cohort.pairs)


_PHANTOMS: dict[str, Callable[[int], Iterator[Scan]]] = {
    "alzheimer-phantom": lambda count: _grey_matter(count, 3.0, None),
    "alzheimer-phantom-slice": lambda count: _grey_matter(count, 1.5, "coronal"),
    "anatomy-shallow": _films,
    "anatomy-deeper": _films,
    "anatomy-augmented": _films,
    "anatomy-marker": lambda count: _films(count, "class"),
    "t1-t2-phantom": _slices,
    "mr-ct-phantom": _heads,
}


def refused(model: Model, scan: Scan) -> bool:
    """Whether the scan is turned away, by a sentence or by the gate."""
    try:
        return judge(model, model.prepare(scan)).refused
    except LightboxError:
        return True


def main() -> None:
    """Print a row a model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("models", nargs="*", default=list(_PHANTOMS))
    parser.add_argument("--phantoms", type=int, default=200)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    for name in chosen.models:
        model, own = load_model(name, device="cpu"), list(_PHANTOMS[name](chosen.phantoms))
        alarms = sum(refused(model, scan) for scan in own)
        missed, total = [], 0
        for what, scan in foreign(chosen.data, model.card, own[:: max(1, len(own) // _SPOILT)][:_SPOILT]):
            total += 1
            if not refused(model, scan):
                missed.append(what)
        caught = 1 - len(missed) / total
        print(f"{name}: {alarms} of {len(own)} phantoms refused; {caught:.1%} of {total} foreign scans caught")
        for what in missed:
            print(f"    not caught: {what}")


if __name__ == "__main__":
    main()

"""Whether a model can read a scan, from signs that do not depend on each other."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from weakref import WeakKeyDictionary

import numpy as np
from torch import nn

from core.acceptance import rules
from core.acceptance.space import Place, covered, place_of_picture, place_of_volume
from core.acceptance.statistics import Statistics, distances_of, fingerprint, looked_at, read_statistics
from core.acceptance.verdict import Acceptance, Sign
from core.errors import BadInput
from core.models.input_grid import contract_grid
from core.models.inputs import PreparedInput
from core.models.model import Model
from core.scans.grid import resample
from core.scans.scan import Scan

#: Group of numbers → what it is for people, and how a scan is that is unlike the training scans in it.
_TITLES = {
    "values": ("Values", "Its values are distributed unlike those of the training scans"),
    "sharpness": ("Sharpness", "It is sharper, more blurred or more noisy than the training scans"),
    "detail": ("Detail", "It has more, or less, fine detail than the training scans"),
    "layout": ("Layout", "What lies where in it is unlike the training scans"),
    "orientation": ("Orientation", "Turned or mirrored it would be more like the training scans than as it is"),
    "features": ("Features", "The network's own features of it are unlike those of the training scans"),
}


def judge(model: Model, prepared: PreparedInput) -> Acceptance:
    """Look at a scan before the model's answer to it is believed.

    Parameters
    ----------
    model : Model
        The network is asked once more, for the features of its layers.
    prepared : PreparedInput
        The scan as the network sees it.

    Returns
    -------
    Acceptance
        Refused where one sign fails; unknown where none does and the model has no statistics of its training scans.
    """
    found = list(rules.signs(model.card, prepared, _place(model, prepared)))
    known = statistics_for(model)
    if known is not None:
        found += _distances(model, prepared, known)
    if not all(sign.passed for sign in found):
        return Acceptance("refused", tuple(found))
    return Acceptance("unknown" if known is None else "accepted", tuple(found))


def statistics_for(model: Model) -> Statistics | None:
    """Statistics that were made for this very network; None where there are none, or they cannot be read."""
    try:
        found = read_statistics(model.folder)
    except BadInput:
        return None
    return found if found is not None and found.of == _fingerprint(model) else None


_known: "WeakKeyDictionary[nn.Module, str]" = WeakKeyDictionary()


def _fingerprint(model: Model) -> str:
    """Fingerprint of a loaded model, computed once."""
    if model.network not in _known:
        _known[model.network] = fingerprint(model.network, model.card.input)
    return _known[model.network]


def _distances(model: Model, prepared: PreparedInput, known: Statistics) -> Iterator[Sign]:
    """How far the scan lies from the training scans, in each way of looking at it."""
    looks = looked_at(model.network, model.card.input, known.layers, prepared.tensor)
    distances = distances_of(known.groups, looks)
    refused = False
    for name, group in known.groups.items():
        title, unlike = _TITLES.get(name, (name, "It is unlike the training scans"))
        distance, limit = distances[name], known.limits[name]
        passed = bool(np.isfinite(distance)) and distance <= limit
        refused |= not passed
        nearer = float((group.held_out < distance).mean())
        sentence = (
            f"{unlike}: {_times(distance / limit)} as far from them as a scan may be."
            if not passed
            else f"Like the training scans: {100 * nearer:.0f} % of held-out scans lie nearer to them."
        )
        yield Sign(name, title, passed, sentence, distance if np.isfinite(distance) else None, limit)
    if not refused:
        yield _together(known, distances)


def _together(known: Statistics, distances: Mapping[str, float]) -> Sign:
    """All signs a little beyond what is usual say as much as one that is far beyond."""
    found, limit = known.together(distances)
    passed = found <= limit
    sentence = (
        "All signs together are as those of held-out scans."
        if passed
        else "All signs together are further from the training scans than those of held-out scans are."
    )
    return Sign("together", "All signs together", passed, sentence, found, limit)


def _times(ratio: float) -> str:
    if not np.isfinite(ratio):
        return "infinitely"
    return f"{ratio:.1f} times" if ratio < 100 else "more than 100 times"


def _place(model: Model, prepared: PreparedInput) -> Place | None:
    """How the scan lies in MNI space; None for a model that has no place there."""
    contract = model.card.input
    if contract.affine is None or contract.space != "MNI152":
        return None
    if prepared.scan.dimensions == 3:
        place = _of_volume(prepared.scan)
        # of a slab only the plane that the model reads has to be there
        return place if contract.plane is None else replace(place, cover=covered(prepared.scan, prepared.grid))
    if contract.plane is None:
        return None
    scan = prepared.scan
    inside = resample(np.ones(scan.shape, np.uint8), scan.grid, prepared.grid, order=0) > 0
    return place_of_picture(prepared.tensor[0, 0].cpu().numpy(), inside, contract_grid(contract), contract.plane)


@lru_cache(maxsize=4)
def _of_volume(scan: Scan) -> Place:
    return place_of_volume(scan)

"""What a model was trained on, in a few kilobytes beside its card: ``acceptance.safetensors``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from torch import nn

from core.acceptance.descriptors import LAYOUT_SIDE, describe
from core.acceptance.distance import Neighbourhood, Orientation
from core.acceptance.features import chosen_layers, pooled_features
from core.acceptance.limits import Usual
from core.acceptance.verdict import STATISTICS
from core.errors import BadInput
from core.models.card import Card, InputContract
from core.networks import convolutions
from core.progress import Progress, Report, silent

_VERSION = 2
_PARTS = ("centres", "scale", "directions", "variances", "held_out")
#: What lies where, and whether it hangs as in the training scans: both are told from the same numbers.
_LAYOUT, _ORIENTATION = "layout", "orientation"
#: Groups that version 1 described otherwise: of its files they are left out.
_DESCRIBED_ANEW = (_LAYOUT,)
#: Most training scans that are looked at, fewer of large ones: so many samples in all, but never fewer scans than that.
_MOST_SCANS, _MOST_SAMPLES, _FEWEST_SCANS = 480, 50_000_000, 200
#: Fewer held-out scans than these say too little: a fifth of the training scans is then held out instead.
_LEAST_HELD_OUT = 20
_TINY = 1e-9


@dataclass(frozen=True, eq=False)
class Group:
    """One way of looking at an input: where training scans lie, and how far held-out ones lay from there.

    Parameters
    ----------
    training : Neighbourhood or Orientation
        Of the training scans.
    held_out : numpy.ndarray, shape (H,)
        Distances of held-out scans, in the same order in every group.
    """

    training: Neighbourhood | Orientation
    held_out: np.ndarray


@dataclass(frozen=True, eq=False)
class Statistics:
    """Everything that is known of a model's training scans.

    Parameters
    ----------
    groups : mapping of str to Group
        By the names that `describe` gives, and ``features``.
    layers : tuple of str
        Layers whose pooled answers are the features.
    of : str
        Fingerprint of the model that it was made for.
    """

    groups: Mapping[str, Group]
    layers: tuple[str, ...]
    of: str

    @cached_property
    def limits(self) -> dict[str, float]:
        """Distance from which a scan is unlike the training scans, in each way of looking at it."""
        return dict(zip(self.groups, np.exp(self._limits[:-1]).tolist(), strict=True))

    def together(self, distances: Mapping[str, float]) -> tuple[float, float]:
        """What all groups say together of a scan, in summed standard deviations, and the limit of it."""
        logarithms = np.log(np.maximum([distances[name] for name in self.groups], _TINY))
        return float(self._usual.with_sum(logarithms[None])[0, -1]), float(self._limits[-1])

    @cached_property
    def _usual(self) -> Usual:
        return Usual(np.log(np.column_stack([group.held_out for group in self.groups.values()])))

    @cached_property
    def _limits(self) -> np.ndarray:
        return self._usual.limits()


def fingerprint(network: nn.Module, contract: InputContract) -> str:
    """SHA-256 of weights and input contract: statistics of another network say nothing of this one."""
    digest = hashlib.sha256(contract.model_dump_json(exclude={"modality"}).encode())
    for name, value in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def looked_at(
    network: nn.Module, contract: InputContract, layers: Sequence[str], tensor: torch.Tensor
) -> dict[str, np.ndarray]:
    """One input (1, C, *spatial) as numbers, by group."""
    found = describe(tensor, contract)
    if layers:
        found["features"] = pooled_features(network, tuple(layers), tensor)[0]
    return found


def distances_of(groups: Mapping[str, Group], looks: Mapping[str, np.ndarray]) -> dict[str, float]:
    """How far one input lies from the training scans in each way of looking (`looked_at`)."""
    return {
        name: float(group.training.distances(looks[_LAYOUT if name == _ORIENTATION else name][None])[0])
        for name, group in groups.items()
    }


def learn(
    network: nn.Module,
    card: Card,
    train: torch.Tensor,
    held_out: torch.Tensor | None = None,
    labels: torch.Tensor | None = None,
    report: Report = silent,
) -> Statistics:
    """Look at training scans and at held-out ones.

    Scans of other grids are resampled before a network is fed: so every other one is looked at as if it had been
    sampled a part of a sample beside.

    Parameters
    ----------
    network : torch.nn.Module
        Trained, in eval mode.
    card : Card
        Its card.
    train, held_out : torch.Tensor, float32, shape (N, C, *spatial)
        As the network is fed.
    labels : torch.Tensor, int64, shape (N,), optional
        Classes of the training scans.

    Raises
    ------
    BadInput
        For fewer than ten training scans.
    """
    if len(train) < 10:
        raise BadInput("Fewer than ten training scans say too little of what a model can read.")
    classes = np.zeros(len(train), int) if labels is None else labels.numpy()
    rows = chosen_rows(len(train), train[0].numel())
    judged = []
    if held_out is not None:
        judged = [held_out[[row]] for row in chosen_rows(len(held_out), train[0].numel())]
    if len(judged) < _LEAST_HELD_OUT:
        judged += [train[[row]] for row in rows[::5]]
        rows = np.delete(rows, np.s_[::5])
    layers = chosen_layers(card.feature_layers or tuple(convolutions(network)))
    random = np.random.default_rng(0)
    total = len(rows) + len(judged)

    def look(tensors: Sequence[torch.Tensor], done: int) -> dict[str, np.ndarray]:
        seen = []
        for number, tensor in enumerate(tensors):
            report(Progress((done + number) / total, "looking at the training scans"))
            given = _sampled_beside(tensor, random) if number % 2 else tensor
            seen.append(looked_at(network, card.input, layers, given))
        return {name: np.stack([one[name] for one in seen]) for name in seen[0]}

    known, tried = look([train[[row]] for row in rows], 0), look(judged, len(rows))
    return Statistics(fitted(known, classes[rows], tried), layers, fingerprint(network, card.input))


def fitted(known: Mapping[str, np.ndarray], classes: np.ndarray, tried: Mapping[str, np.ndarray]) -> dict[str, Group]:
    """Groups of what was seen of training scans (of these classes), and of held-out ones; arrays (scans, numbers)."""
    groups = {}
    for name, vectors in known.items():
        training = Neighbourhood.of(vectors, classes)
        groups[name] = Group(training, training.distances(tried[name]))
        if name == _LAYOUT:
            hung = _orientation(training)
            groups[_ORIENTATION] = Group(hung, hung.distances(tried[name]))
    return groups


def _orientation(layout: Neighbourhood) -> Orientation:
    """Told from what lies where: `describe` makes a picture or a volume of it."""
    size = len(layout.scale)
    dimensions = next(dimensions for dimensions, side in LAYOUT_SIDE.items() if side**dimensions == size)
    return Orientation(layout, (LAYOUT_SIDE[dimensions],) * dimensions)


def chosen_rows(count: int, samples: int, held_out: bool = False) -> np.ndarray:
    """Which of `count` scans of `samples` numbers each are looked at, evenly spread; half as many of held-out ones."""
    most = int(np.clip(_MOST_SAMPLES // samples, _FEWEST_SCANS, _MOST_SCANS)) // (2 if held_out else 1)
    rows: np.ndarray = np.linspace(0, count - 1, min(count, most)).astype(int)
    return rows


def _sampled_beside(tensor: torch.Tensor, random: np.random.Generator) -> torch.Tensor:
    """The input sampled up to a third of a sample further along every axis, by linear interpolation."""
    for axis in range(2, tensor.ndim):
        weight = float(random.uniform(0, 0.3))
        tensor = (1 - weight) * tensor + weight * tensor.roll(1, axis)
    return tensor


def write_statistics(statistics: Statistics, folder: Path) -> None:
    """Write ``acceptance.safetensors``; it is no part of what a model answers, and its content hash stays."""
    arrays = {}
    for name, group in statistics.groups.items():
        training = group.training
        if isinstance(training, Orientation):
            arrays[f"{name}.held_out"] = np.ascontiguousarray(group.held_out, dtype=np.float32)
            continue
        parts = (training.centres, training.scale, training.directions, training.variances, group.held_out)
        for part, values in zip(_PARTS, parts, strict=True):
            kind = np.float16 if part == "directions" else np.float32
            arrays[f"{name}.{part}"] = np.ascontiguousarray(values, dtype=kind)
    told = {"version": _VERSION, "groups": list(statistics.groups), "layers": statistics.layers, "of": statistics.of}
    save_file(arrays, folder / STATISTICS, metadata={"lightbox": json.dumps(told)})
    (folder / STATISTICS).chmod(0o644)


def read_statistics(folder: Path | None) -> Statistics | None:
    """Statistics of the model in `folder`; None where there are none.

    Raises
    ------
    BadInput
        When the file is damaged.
    """
    path = folder / STATISTICS if folder is not None else None
    if path is None or not path.is_file():
        return None
    status = path.stat()
    return _read(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=16)
def _read(path: Path, _changed: int, _size: int) -> Statistics:
    try:
        with safe_open(path, framework="numpy") as file:
            told = json.loads((file.metadata() or {})["lightbox"])
            known = [name for name in told["groups"] if told["version"] > 1 or name not in _DESCRIBED_ANEW]
            groups: dict[str, Group] = {}
            for name in known:
                if name == _ORIENTATION:
                    groups[name] = _hung(groups[_LAYOUT], file.get_tensor(f"{name}.held_out"))
                else:
                    groups[name] = _group([file.get_tensor(f"{name}.{part}") for part in _PARTS])
            if not groups or len({len(group.held_out) for group in groups.values()}) > 1:
                raise ValueError("held-out scans that are not the same in every group")
        return Statistics(groups, tuple(map(str, told["layers"])), str(told["of"]))
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise BadInput(
            f"{STATISTICS} of {path.parent.name} is damaged: remove it, or make it again (python -m core statistics)."
        ) from error


def _group(parts: Sequence[np.ndarray]) -> Group:
    centres, scale, directions, variances, held_out = (np.asarray(part, dtype=np.float64) for part in parts)
    count, size = directions.shape
    fits = centres.ndim == 2 and centres.shape[1] == size == len(scale) and len(variances) == count + 1
    positive = held_out.size and min(scale.min(), variances.min(), held_out.min()) > 0
    if not fits or not positive or not all(np.isfinite(part).all() for part in (centres, scale, directions, held_out)):
        raise ValueError("arrays that do not fit each other")
    return Group(Neighbourhood(centres, scale, directions, variances), held_out)


def _hung(layout: Group, held_out: np.ndarray) -> Group:
    if not isinstance(layout.training, Neighbourhood) or not held_out.size or not held_out.min() > 0:
        raise ValueError("an orientation without a layout")
    return Group(_orientation(layout.training), np.asarray(held_out, dtype=np.float64))

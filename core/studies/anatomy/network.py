"""One network of the study "anatomy": what it answers to each film, and where its map lies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.acceptance.many import as_row
from core.errors import BadInput
from core.metrics.landmarks import Overlap, overlaps
from core.metrics.running import RunningImage
from core.metrics.sanity import with_random_weights
from core.progress import Progress, Report

if TYPE_CHECKING:
    from core.cohorts.cohort import Entry
    from core.explainers.run import Asker
    from core.models.model import Model
    from core.scans.scan import Scan


_RANDOM_SEED = 0


@dataclass(frozen=True, eq=False)
class Film:
    """One film of the study.

    Parameters
    ----------
    name : str
        Its own among all films.
    entry : Entry
        What the cohort knows of it.
    scan : Scan
        The film.
    landmarks : mapping of str to numpy.ndarray of bool
        Those it has, on the film's grid.
    """

    name: str
    entry: Entry
    scan: Scan
    landmarks: Mapping[str, np.ndarray]


class Network:
    """A network that is asked film by film; it keeps sums, never the maps of all films.

    Parameters
    ----------
    model : Model
        A classifier.
    explainer : str
        What draws its maps.
    values : mapping
        Parameters over the explainer's defaults.
    random_films : int
        Films of each class that are also explained with random weights, as a control; 0: none.

    Raises
    ------
    BadInput
        When the explainer does not fit the model, or a parameter does not fit either of them.
    """

    def __init__(self, model: Model, explainer: str, values: Mapping[str, Any], random_films: int = 0) -> None:
        from core.explainers.run import Asker  # torch, which listing studies does without

        try:
            self._asker = Asker(model, explainer, parameters=values)
        except BadInput as error:
            raise BadInput(f"{model.card.name}: {error}") from error
        self.model = model
        self.name = model.card.name
        self.mean_maps: dict[str, RunningImage] = {}
        self.mean_films: dict[str, RunningImage] = {}
        self.empty_maps = 0
        self._before: np.ndarray | None = None
        self._random: Asker | None = None
        if random_films:
            untaught = with_random_weights(model.network, _RANDOM_SEED)
            self._random = self._asker.to(replace(model, network=untaught))
        self._random_left = Counter(dict.fromkeys(model.card.classes, random_films))

    def ask(self, film: Film, report: Report) -> dict[str, Any]:
        """Answer, map and overlaps of one film.

        The map is that of the class the network says, drawn on the network's own grid and laid over the film. Its
        control is the map of the film asked before this one, laid over this film: what a map has on these landmarks
        that knows nothing of this film. Films are asked in random order. The first films of each class are also
        explained with random weights: what a map has there that knows nothing of what was learnt.

        Returns
        -------
        dict
            Row of the study: ``network``, ``film``, ``file``, ``truth``, ``predicted``, ``probability``, ``inside``,
            ``area``, ``control`` and ``random`` (landmark → share, part of the film, share of the other film's map and
            of the one with random weights; NaN for an empty map, no key without that control), ``acceptance`` and
            ``reason`` (whether the network can read the film, and why not).
        """
        from core.acceptance import judge  # torch, which listing studies does without

        prepared = self.model.prepare(film.scan)
        probability = self.model.probabilities(prepared.tensor)
        predicted = max(probability, key=lambda name: probability[name])
        values = self._asker.map(prepared, predicted, report).values
        here = overlaps(prepared.to_scan(values), film.landmarks)
        control: tuple[Overlap, ...] = ()
        if self._before is not None and self._before.shape == values.shape:
            control = overlaps(prepared.to_scan(self._before), film.landmarks)
        self._before = values
        untaught: tuple[Overlap, ...] = ()
        if self._random is not None and film.landmarks and self._random_left[film.entry.label] > 0:
            self._random_left[film.entry.label] -= 1
            without = self._random.map(prepared, predicted, report).values
            untaught = overlaps(prepared.to_scan(without), film.landmarks)
        self._keep(film.entry.label, values, prepared.tensor[0, 0].cpu().numpy())
        return {
            "network": self.name,
            "film": film.name,
            "file": film.entry.file,
            "truth": film.entry.label,
            "predicted": predicted,
            "probability": probability,
            "inside": _shares(here),
            "area": {overlap.name: overlap.area for overlap in here},
            "control": _shares(control),
            "random": _shares(untaught),
            **as_row(judge(self.model, prepared)),
        }

    def _keep(self, label: str, values: np.ndarray, seen: np.ndarray) -> None:
        sizes = np.abs(values, dtype=np.float64)
        total = float(sizes.sum())
        self.mean_films.setdefault(label, RunningImage(spread=False)).add(seen)
        if total > 0:
            self.mean_maps.setdefault(label, RunningImage(spread=False)).add(sizes / total)
        else:
            self.empty_maps += 1


def _shares(found: Iterable[Overlap]) -> dict[str, float]:
    return {overlap.name: overlap.share for overlap in found}


def network_report(report: Report, name: str, turn: int, count: int) -> Report:
    """Report of one network on one film: what the explainer says counts for nothing, that it can be stopped does.

    Parameters
    ----------
    report : Report
        Of the film.
    name : str
        The network's.
    turn, count : int
        Which network, from 0, of how many.
    """

    def inner(progress: Progress) -> None:
        report(Progress(turn / count, name))

    return inner

"""Figures of the study "anatomy", from its rows: accuracy, confusion, overlap with landmarks, kinds over seeds."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

#: Key of a network's landmarks over all of its films.
ALL = "all"

Row = Mapping[str, Any]

_SEED = re.compile(r"-seed-\d+$")


def answers_of(rows: Sequence[Row], classes: Sequence[str], patients: Mapping[str, str]) -> dict[str, Any]:
    """How often one network is right.

    Parameters
    ----------
    rows : sequence of mapping
        Its rows, one a film, at least one.
    classes : sequence of str
        Names of the classes of the confusion matrix.
    patients : mapping of str to str
        Film → whose it is: films of one patient are alike, and the interval counts them so.

    Returns
    -------
    dict
        ``films``, ``balanced_accuracy`` (mean recall of the classes that have a film), ``balanced_accuracy_95``,
        ``recall`` (class → share, only those with a film), ``confusion`` (rows truth, columns predicted).
    """
    from core.metrics.classification import balanced_accuracy, confusion  # brings scikit-learn

    labels = np.array([classes.index(row["truth"]) for row in rows])
    predicted = np.array([classes.index(row["predicted"]) for row in rows])
    accuracy, interval = balanced_accuracy(labels, predicted, [patients[row["film"]] for row in rows])
    counts = confusion(labels, predicted, len(classes))
    return {
        "films": len(rows),
        "balanced_accuracy": accuracy,
        "balanced_accuracy_95": list(interval),
        "recall": {
            name: float(counts[c, c] / counts[c].sum()) for c, name in enumerate(classes) if counts[c].sum() > 0
        },
        "confusion": counts.tolist(),
    }


def landmarks_of(rows: Sequence[Row], landmarks: Sequence[str]) -> dict[str, dict[str, dict[str, Any]]]:
    """Overlap of one network's maps with each landmark, for each class and for all films.

    Returns
    -------
    dict
        Class, or `ALL` → landmark → ``share`` and ``area`` (means over the films that have the landmark and a map
        that is not empty), ``ratio`` (of the two means), ``films`` (how many those are), and what chance has there:
        ``uniform`` (a map that is the same everywhere: the area), ``control`` (mean share of another film's map) and
        ``random`` (that of the network with random weights, over the films where it was taken), None where there is
        none. A landmark that no film of a class has is not there.
    """
    grouped: dict[str, list[Row]] = {ALL: list(rows)}
    for row in rows:
        grouped.setdefault(row["truth"], []).append(row)
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for label, members in grouped.items():
        figures = {name: _figures(members, name) for name in landmarks}
        found[label] = {name: figure for name, figure in figures.items() if figure is not None}
    return found


def _figures(rows: Sequence[Row], landmark: str) -> dict[str, Any] | None:
    usable = [row for row in rows if np.isfinite(row["inside"].get(landmark, np.nan))]
    if not usable:
        return None
    share = float(np.mean([row["inside"][landmark] for row in usable]))
    area = float(np.mean([row["area"][landmark] for row in usable]))
    return {
        "share": share,
        "area": area,
        "ratio": share / area,
        "films": len(usable),
        "uniform": area,
        "control": _mean_or_none(usable, "control", landmark),
        "random": _mean_or_none(usable, "random", landmark),
    }


def _mean_or_none(rows: Sequence[Row], key: str, landmark: str) -> float | None:
    values = [row[key][landmark] for row in rows if np.isfinite(row[key].get(landmark, np.nan))]
    return float(np.mean(values)) if values else None


def landmark_order(rows: Iterable[Row]) -> tuple[str, ...]:
    """Landmarks by the number of films that have them, most first; the first is what the sentence speaks of."""
    films: dict[str, set[str]] = {}
    for row in rows:
        for name in row["area"]:
            films.setdefault(name, set()).add(row["film"])
    return tuple(sorted(films, key=lambda name: -len(films[name])))


def kind_of(network: str) -> str:
    """Name of a network without the seed it was trained from (``NAME-seed-3`` → ``NAME``)."""
    return _SEED.sub("", network)


def kinds_of(networks: Sequence[Mapping[str, Any]], landmarks: Sequence[str]) -> list[dict[str, Any]]:
    """Networks of one kind together; empty when none was trained from several seeds (`kind_of`).

    Returns
    -------
    list of dict
        By mean balanced accuracy, lowest first: ``name``, ``networks`` (how many), ``balanced_accuracy`` and
        ``landmarks`` (name → share over all films), each with ``mean``, ``lowest`` and ``highest`` over the seeds;
        ``points_above`` is how far the mean balanced accuracy is above that of the kind before, in percentage points
        (None for the first).
    """
    if all(kind_of(network["name"]) == network["name"] for network in networks):
        return []
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for network in networks:
        grouped.setdefault(kind_of(network["name"]), []).append(network)
    kinds: list[dict[str, Any]] = []
    for name, members in grouped.items():
        shares = {
            landmark: [member["landmarks"][ALL][landmark]["share"] for member in members]
            for landmark in landmarks
            if all(landmark in member["landmarks"][ALL] for member in members)
        }
        kinds.append(
            {
                "name": name,
                "networks": len(members),
                "balanced_accuracy": _spread([member["balanced_accuracy"] for member in members]),
                "landmarks": {landmark: _spread(values) for landmark, values in shares.items()},
                "points_above": None,
            }
        )
    kinds.sort(key=lambda kind: kind["balanced_accuracy"]["mean"])
    for below, above in pairwise(kinds):
        above["points_above"] = 100 * (above["balanced_accuracy"]["mean"] - below["balanced_accuracy"]["mean"])
    return kinds


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"mean": float(np.mean(values)), "lowest": min(values), "highest": max(values)}

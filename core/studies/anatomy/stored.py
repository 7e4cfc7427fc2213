"""A finished study "anatomy" with types: networks, films, confusion and landmarks. Readable without torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import BadInput
from core.studies.reading import StoredStudy


@dataclass(frozen=True)
class LandmarkShare:
    """Mean over films of what a landmark holds of a map.

    Parameters
    ----------
    share : float
        Mean part of the map inside, 0..1; NaN where every map was empty.
    area : float
        Mean part of the film that the landmark covers, 0..1.
    ratio : float
        How many times more it holds than an even map would; NaN where every map was empty.
    films : int
        How many films that is the mean of.
    control : float
        Mean part that another film's map has inside: what is there without looking at this film; NaN when unknown.
    random : float
        Mean part that the map of the network with random weights has inside: what is there without having learnt;
        NaN when unknown.
    """

    share: float
    area: float
    ratio: float
    films: int
    control: float = float("nan")
    random: float = float("nan")


@dataclass(frozen=True)
class FilmResult:
    """What one network said about one film.

    Parameters
    ----------
    film : str
        Participant, as the cohort names it.
    file : str
        Path of the film below the cohort's folder.
    truth, predicted : str
        Classes.
    probability : mapping of str to float
        Class → probability.
    inside : mapping of str to float
        Landmark → part of the map inside it, 0..1.
    refused : bool
        Whether the network cannot read the film; not where that was not looked at.
    reason : str
        Why.
    """

    film: str
    file: str
    truth: str
    predicted: str
    probability: Mapping[str, float]
    inside: Mapping[str, float]
    refused: bool = False
    reason: str = ""


@dataclass(frozen=True, eq=False)
class NetworkResult:
    """What a study found about one network.

    Parameters
    ----------
    name, title : str
        Of the model.
    films : int
        How many it was asked about.
    balanced_accuracy : float
        Mean recall over classes that have films, 0..1.
    interval : tuple of float
        95 % confidence interval of it.
    confusion : numpy.ndarray of int, shape (classes, classes)
        Films by truth (rows) and prediction (columns).
    landmarks : mapping of str to mapping
        Class, or `ALL` → landmark → `LandmarkShare`.
    mean_maps, mean_films : mapping of str to pathlib.Path
        Class → file of the mean map, of the mean film; classes without a film have none.
    refused : int, optional
        How many of the films it cannot read; None where that was not looked at.
    """

    name: str
    title: str
    films: int
    balanced_accuracy: float
    interval: tuple[float, float]
    confusion: np.ndarray
    landmarks: Mapping[str, Mapping[str, LandmarkShare]]
    mean_maps: Mapping[str, Path]
    mean_films: Mapping[str, Path]
    refused: int | None = None


@dataclass(frozen=True, eq=False)
class AnatomyResult:
    """What a study found about several networks on the same films.

    Parameters
    ----------
    stored : StoredStudy
        The study that was read back.
    classes : tuple of str
        In the order of rows and columns of the confusion matrices.
    networks : dict of str to NetworkResult
        By name, in the order they were asked.
    films : dict of str to tuple of FilmResult
        By network.
    """

    stored: StoredStudy
    classes: tuple[str, ...]
    networks: dict[str, NetworkResult]
    films: dict[str, tuple[FilmResult, ...]]

    @property
    def landmarks(self) -> tuple[str, ...]:
        """Names of all landmarks."""
        found = (name for network in self.networks.values() for shares in network.landmarks.values() for name in shares)
        return tuple(dict.fromkeys(found))

    def of_cell(self, network: str, truth: str, predicted: str) -> tuple[FilmResult, ...]:
        """Films of `truth` that a network took for `predicted`, the surest first."""
        found = [f for f in self.films.get(network, ()) if (f.truth, f.predicted) == (truth, predicted)]
        return tuple(sorted(found, key=lambda film: -film.probability.get(predicted, 0.0)))


def anatomy_of(study: StoredStudy) -> AnatomyResult:
    """The networks and films of a study that was read back.

    Raises
    ------
    BadInput
        When it is not the study ``anatomy``.
    """
    record, folder = study.record, study.folder
    try:
        classes = tuple(record["classes"])
        networks = {found["name"]: _network(found, folder) for found in record["networks"]}
        rows = [(row["network"], _film(row)) for row in record["rows"]]
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput("This study has no networks and films to show: look at its files.") from error
    films = {name: tuple(film for network, film in rows if network == name) for name in networks}
    return AnatomyResult(study, classes, networks, films)


def _network(found: Mapping[str, Any], folder: Path) -> NetworkResult:
    low, high = (_number(value) for value in found["balanced_accuracy_95"])
    return NetworkResult(
        name=found["name"],
        title=found["title"],
        films=int(found["films"]),
        balanced_accuracy=_number(found["balanced_accuracy"]),
        interval=(low, high),
        confusion=np.array(found["confusion"], dtype=np.int64),
        landmarks={
            group: {name: _landmark(value) for name, value in shares.items()}
            for group, shares in found["landmarks"].items()
        },
        mean_maps={name: folder / file for name, file in found["mean_maps"].items()},
        mean_films={name: folder / file for name, file in found["mean_films"].items()},
        refused=found.get("refused"),
    )


def _landmark(value: Mapping[str, Any]) -> LandmarkShare:
    return LandmarkShare(
        _number(value["share"]),
        _number(value["area"]),
        _number(value["ratio"]),
        int(value.get("films", 0)),
        _number(value.get("control")),
        _number(value.get("random")),
    )


def _film(row: Mapping[str, Any]) -> FilmResult:
    inside = {name: _number(share) for name, share in row.get("inside", {}).items()}
    return FilmResult(
        str(row["film"]),
        str(row["file"]),
        row["truth"],
        row["predicted"],
        dict(row["probability"]),
        inside,
        row.get("acceptance") == "refused",
        str(row.get("reason") or ""),
    )


def _number(value: float | None) -> float:
    """A number; JSON holds NaN as null."""
    return float("nan") if value is None else float(value)

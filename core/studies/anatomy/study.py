"""Study "anatomy": several networks on the same films, how often each is right, and where each of them looks.

Paper 3's comparison (Kumar and Menkovski, 2016, section 3) in figures: confusion matrices as behind its figure 4,
balanced accuracy with intervals, the share of each network's map on landmarks beside what chance would have, and the
mean map of a class.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import numpy as np

from core.acceptance.many import Refusals
from core.cohorts.cohort import Cohort, Entry, split_by_subject
from core.cohorts.library import cohort_stamp
from core.cohorts.reading import read_cohort
from core.cohorts.selection import Selection
from core.errors import BadInput
from core.explainers.many import over_many
from core.explainers.registry import get_explainer
from core.files import finite, write_array, write_atomically, write_json
from core.metrics.running import RunningImage
from core.progress import Progress, Report, part_of, silent
from core.reports.nifti import png_bytes
from core.studies.anatomy.figures import ALL, answers_of, kinds_of, landmark_order, landmarks_of
from core.studies.anatomy.network import Film, Network, network_report
from core.studies.anatomy.parameters import MADE_FILMS, AnatomyStudyParameters
from core.studies.anatomy.parts import EXPLAINER_FIELDS, parts_of
from core.studies.anatomy.words import sentence
from core.studies.base import RECORD, Study
from core.studies.record import Parts
from core.tables import write_table

if TYPE_CHECKING:
    from core.models.model import Model

_ORDER_SEED = 0
_BY_LANDMARK = ("inside", "area", "control", "random")


class AnatomyStudy(Study):
    """Ask several networks about the same films."""

    name = "anatomy"
    title = "Anatomy"
    summary = "Several networks on the same films: how often each is right, and how much of its map lies on landmarks."
    parameters_model = AnatomyStudyParameters
    needs_cohort = False
    task = "classification"

    def run(
        self,
        parameters: AnatomyStudyParameters,
        model: Model,
        cohort: Path | None,
        out: Path,
        report: Report = silent,
    ) -> dict[str, Any]:
        """See `Study.run`; without `cohort` films are drawn by a program.

        Those show other people than the films that the recipe draws for training, and are turned, scaled and exposed
        otherwise.

        Every film is put onto each network's own grid. The mean map of a class is the mean of the sizes of its films'
        maps there, each divided by its own sum, so that no film counts more than another; the mean film is what the
        network was fed. Maps are those of the class that a network says.
        """
        from core.models.library import load_model  # brings torch

        report(Progress(0.0, "loading the networks"))
        values = _explainer_values(parameters)
        models = [model, *(load_model(name) for name in parameters.others)]
        networks = [Network(each, parameters.explainer, values, parameters.random_weights) for each in models]
        _refuse_same_names(networks)
        _refuse_a_class_called_all(models)
        source = _source(parameters, cohort)
        chosen, notes = _films(source, parameters, models)
        classes = tuple(dict.fromkeys(name for each in models for name in each.card.classes))
        rows = _ask(source, chosen, networks, part_of(report, 0.0, 0.98))
        report(Progress(0.98, "writing the tables and mean maps"))
        landmarks = landmark_order(rows)
        patients = {name: entry.participant_id for name, entry in chosen.items()}
        found, refusals = [], []
        for network in networks:
            own = [row for row in rows if row["network"] == network.name]
            refusals.append(Refusals.of(network.name, own, "film"))
            found.append(
                {
                    "name": network.name,
                    "title": network.model.card.title,
                    **answers_of(own, classes, patients),
                    "landmarks": landmarks_of(own, landmarks),
                    "empty_maps": network.empty_maps,
                    "refused": len(refusals[-1].reasons),
                    "mean_maps": _write_means(network.mean_maps, out, network.name, "mean", "attribution"),
                    "mean_films": _write_means(network.mean_films, out, network.name, "film", "image"),
                }
            )
        kinds = kinds_of(found, landmarks)
        record = finite(
            {
                "study": self.name,
                "title": self.title,
                "model": model.card.name,
                "parameters": _recorded(parameters, networks),
                "cohort": source.title or source.name,
                "sentence": sentence(found, kinds, landmarks[0] if landmarks else None, refusals),
                "notes": [
                    *source.notes,
                    *notes,
                    *_silent_classes(classes, chosen.values()),
                    *(note for one in refusals for note in one.notes("film")),
                ],
                "classes": classes,
                "landmarks": landmarks,
                "networks": found,
                "kinds": kinds,
                "rows": rows,
                "numbers": _numbers(found, kinds, len(chosen)),
                "files": _write_tables(found, rows, out),
                "synthetic": source.synthetic or any(each.card.synthetic for each in models),
                "hashes": {
                    "model": model.content_hash,
                    "networks": {each.name: each.model.content_hash for each in networks},
                    "cohort": cohort_stamp(cohort) if cohort is not None else None,
                },
            }
        )
        record |= self.parts_of(record).as_record()
        write_json(out / RECORD, record)
        return dict(record)

    @classmethod
    def parts_of(cls, record: Mapping[str, Any]) -> Parts:
        """See `Study.parts_of`; records of today have the same parts."""
        return parts_of(record)


# ---- what goes in


def _explainer_values(parameters: AnatomyStudyParameters) -> dict[str, Any]:
    """What the explainer takes of the study's settings; a setting it does not take must not have been chosen."""
    cls = get_explainer(parameters.explainer)
    known = cls.parameters_model.model_fields
    for name in EXPLAINER_FIELDS:
        if name not in known and getattr(parameters, name) != type(parameters).model_fields[name].default:
            raise BadInput(f"{cls.title} takes no {name}: leave it out, or use deconvnet.")
    values = {name: getattr(parameters, name) for name in EXPLAINER_FIELDS if name in known}
    return {**values, **cls.without_parts}  # maps of single filters are not looked at here


def _refuse_same_names(networks: Sequence[Network]) -> None:
    names = [network.name for network in networks]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise BadInput(f"Two networks are called {twice[0]}: name each once, or give their cards names of their own.")


def _refuse_a_class_called_all(models: Sequence[Model]) -> None:
    named = next((model.card.name for model in models if ALL in model.card.classes), None)
    if named is not None:
        raise BadInput(f"{named} has a class called {ALL}, as the study calls all films: rename it in the card.")


def _source(parameters: AnatomyStudyParameters, folder: Path | None) -> Cohort:
    if folder is not None:
        return read_cohort(folder, parameters.selection)
    if parameters.selection != Selection():
        raise BadInput("Settings of how a cohort is read need --cohort: without one the films are made.")
    from core.phantoms.radiographs.films import RadiographParameters, radiograph_cohort
    from core.training.recipes.anatomy import SHIFTED_SEED

    films = parameters.films or MADE_FILMS
    return radiograph_cohort(RadiographParameters(seed=SHIFTED_SEED, films=films, shifted=True))


def _films(
    cohort: Cohort, parameters: AnatomyStudyParameters, models: Sequence[Model]
) -> tuple[dict[str, Entry], list[str]]:
    """Film name → entry of those to ask about, and sentences on the others."""
    entries, notes = _of_part(cohort, parameters)
    if parameters.classes:
        part = replace(cohort, entries=tuple(entries))
        entries = [entry for name in parameters.classes for entry in part.of_class(name)]
    known = set.intersection(*(set(model.card.classes) for model in models))
    asked = [entry for entry in entries if entry.label in known]
    if not asked:
        theirs = ", ".join(dict.fromkeys(entry.label for entry in entries)) or "none"
        raise BadInput(
            f"No class of these films ({theirs}) is known to every network; they all know "
            f"{', '.join(sorted(known)) or 'none in common'}: choose networks and films of the same classes."
        )
    if len(asked) < len(entries):
        unknown = ", ".join(dict.fromkeys(entry.label for entry in entries if entry.label not in known))
        notes.append(f"{len(entries) - len(asked)} films of classes that not every network knows left out: {unknown}.")
    if parameters.films:
        taken: dict[str, int] = {}
        limited = []
        for entry in asked:
            taken[entry.label] = taken.get(entry.label, 0) + 1
            if taken[entry.label] <= parameters.films:
                limited.append(entry)
        if len(limited) < len(asked):
            notes.append(f"{len(limited)} of {len(asked)} films taken, the first {parameters.films} of each class.")
        asked = limited
    return _named(asked), notes


def _of_part(cohort: Cohort, parameters: AnatomyStudyParameters) -> tuple[Sequence[Entry], list[str]]:
    if parameters.part == "all":
        return cohort.entries, []
    if any(entry.split for entry in cohort.entries) or parameters.test or parameters.validation:
        divided = split_by_subject(cohort, parameters.validation, parameters.test, parameters.seed, one_session=False)
        entries = divided.part(parameters.part)
        if not entries:
            raise BadInput(
                f"The cohort has no film in the split {parameters.part}: choose another with part=NAME or all."
            )
        return entries, [f"{len(entries)} of {len(cohort.entries)} films are in the split {parameters.part}."]
    if parameters.part != "test":
        raise BadInput(
            f"The cohort has no splits, so which films are for {parameters.part} is unknown: give test=SHARE and "
            "seed=N as the recipe had them, or take every film with part=all."
        )
    return cohort.entries, [
        "The cohort has no splits, so every film counts: networks that were trained on some of them look better than "
        "they are (test=SHARE with the recipe's seed holds the same patients out)."
    ]


def _named(entries: Sequence[Entry]) -> dict[str, Entry]:
    """Entries by a name of their own: the participant's, and more where one has several films."""
    whose = [entry.participant_id for entry in entries]
    several = {name for name in whose if whose.count(name) > 1} if len(set(whose)) < len(whose) else set()
    named: dict[str, Entry] = {}
    for entry in entries:
        name = entry.participant_id
        if name in several:
            name = f"{name} {entry.session_id or Path(entry.file).stem}"
        while name in named:
            name += "'"
        named[name] = entry
    return named


def _silent_classes(classes: Sequence[str], entries: Iterable[Entry]) -> list[str]:
    there = {entry.label for entry in entries}
    missing = [name for name in classes if name not in there]
    return [f"No film of {', '.join(missing)}: nothing is said of how often they are found."] if missing else []


def _recorded(parameters: AnatomyStudyParameters, networks: Sequence[Network]) -> dict[str, Any]:
    """The settings, with networks by the name on their card: a path is nobody's business."""
    return parameters.model_dump(mode="json") | {"others": [network.name for network in networks[1:]]}


# ---- asking


def _ask(
    cohort: Cohort, films: Mapping[str, Entry], networks: Sequence[Network], report: Report
) -> list[dict[str, Any]]:
    """Rows of every film and network, films in the cohort's order, asked in random order (see `Network.ask`)."""
    names = list(films)
    order = np.random.default_rng(_ORDER_SEED).permutation(len(names))

    def read(name: str) -> Film:
        return Film(name, films[name], cohort.load(films[name]), cohort.landmarks(films[name]))

    def ask(film: Film, told: Report) -> list[dict[str, Any]]:
        rows = []
        for turn, network in enumerate(networks):
            counted = network_report(told, network.name, turn, len(networks))
            counted(Progress(0.0))
            rows.append(network.ask(film, counted))
        return rows

    readers = [(names[index], partial(read, names[index])) for index in order]
    rows = {order[asked.number]: asked.answer or () for asked in over_many(readers, ask, report=report, word="film")}
    return [row for number in sorted(rows) for row in rows[number]]


# ---- what comes out


def _write_means(
    means: Mapping[str, RunningImage], out: Path, network: str, word: str, kind: Literal["attribution", "image"]
) -> dict[str, str]:
    """Write one mean a class as ``NETWORK/WORD_CLASS.npy``, images also as PNG; returns class → file.

    A class whose films do not share one grid (a model that takes any shape) has no mean.
    """
    files = {}
    for label, stem in _file_stems(list(means)).items():
        values = means[label].mean
        if values is None or means[label].others:
            continue
        (out / network).mkdir(exist_ok=True)
        file = f"{network}/{word}_{stem}"
        write_array(out / f"{file}.npy", values)
        if values.ndim == 2:
            picture = png_bytes(values, kind)
            write_atomically(out / f"{file}.png", partial(_write, picture))
        files[label] = f"{file}.npy"
    return files


def _write(content: bytes, stream: BinaryIO) -> None:
    stream.write(content)


def _file_stems(labels: Sequence[str]) -> dict[str, str]:
    """Class → part of a file name, whatever the class is called; two classes never share one."""
    stems: dict[str, str] = {}
    for label in labels:
        stem = re.sub(r"[^A-Za-z0-9-]+", "-", label).strip("-")[:40] or "class"
        while stem.lower() in {taken.lower() for taken in stems.values()}:
            stem += "-"
        stems[label] = stem
    return stems


def _write_tables(networks: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]], out: Path) -> list[str]:
    tables = {
        "networks.csv": [
            {
                "network": network["name"],
                "films": network["films"],
                "refused": network["refused"],
                "balanced_accuracy": network["balanced_accuracy"],
                "low_95": network["balanced_accuracy_95"][0],
                "high_95": network["balanced_accuracy_95"][1],
                **{f"recall {name}": share for name, share in network["recall"].items()},
            }
            for network in networks
        ],
        "landmarks.csv": [
            {"network": network["name"], "class": label, "landmark": landmark, **figures}
            for network in networks
            for label, landmarks in network["landmarks"].items()
            for landmark, figures in landmarks.items()
        ],
        "films.csv": [
            {
                **{
                    name: row[name]
                    for name in ("network", "film", "file", "truth", "predicted", "acceptance", "reason")
                },
                **{f"p({name})": value for name, value in row["probability"].items()},
                **{f"{key} {name}": share for key in _BY_LANDMARK for name, share in row[key].items()},
            }
            for row in rows
        ],
    }
    for name, content in tables.items():
        write_table(out / name, content)
    return [RECORD, *tables]


def _numbers(networks: Sequence[Mapping[str, Any]], kinds: Sequence[Mapping[str, Any]], films: int) -> dict[str, float]:
    """The main figures, flat: of kinds the means over seeds."""
    numbers: dict[str, float] = {"films": float(films)}
    for network in networks:
        numbers[f"balanced accuracy {network['name']}"] = network["balanced_accuracy"]
        numbers[f"films refused {network['name']}"] = float(network["refused"])
        for landmark, figures in network["landmarks"][ALL].items():
            numbers[f"share on {landmark} {network['name']}"] = figures["share"]
    for kind in kinds:
        numbers[f"mean balanced accuracy {kind['name']}"] = kind["balanced_accuracy"]["mean"]
        if kind["points_above"] is not None:
            numbers[f"points above the kind before {kind['name']}"] = kind["points_above"]
        for landmark, figures in kind["landmarks"].items():
            numbers[f"mean share on {landmark} {kind['name']}"] = figures["mean"]
    return numbers

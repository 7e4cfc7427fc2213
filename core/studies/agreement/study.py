"""Study "agreement": several explainers on the same scans, and how alike their maps are.

Explainers that disagree cannot all say what a network uses. The rank correlation of two maps asks whether they order
the samples alike (Adebayo et al., 2018, compare maps so); the likeness of places asks only whether they point to the
same parts of the image, as a coarse and a fine map of one thing do. Both stand beside what two maps have in common that
are of different scans.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.acceptance.many import Refusals, as_row, in_a_cell, with_refusals
from core.cohorts.cohort import Cohort, Entry
from core.cohorts.reading import read_cohort
from core.cohorts.selection import Names, Selection
from core.errors import BadInput
from core.explainers.many import over_many
from core.explainers.registry import get_explainer
from core.metrics.running import RunningImage
from core.metrics.similarity import block_labels, rank_correlations, roi_densities, roi_similarity
from core.parameters import parameter
from core.progress import Progress, Report, part_of, silent
from core.studies.agreement.words import sentence
from core.studies.base import Study
from core.studies.record import Axis, CellRows, Column, Opening, Series
from core.studies.writing import StudyWriter

if TYPE_CHECKING:
    from core.explainers.run import Asker
    from core.models.model import Model
    from core.scans.scan import Scan

_SEED = 0


class AgreementParameters(Selection):
    """Settings of the study, beside how the cohort is read."""

    explainers: Names = parameter(
        ("saliency", "integrated_gradients", "grad_cam"), "Whose maps are compared, at least two.", picks="explainers"
    )
    scans: int = parameter(
        5,
        "At most so many scans of each class, the first of the cohort; 0: all.",
        minimum=0,
        maximum=100_000,
        title="scans of each class (0: all)",
    )
    blocks: int = parameter(
        8,
        "For the likeness of places each side of the image is cut into so many parts; more ask for finer agreement.",
        minimum=2,
        maximum=32,
    )


class AgreementStudy(Study):
    """Ask several explainers about the same scans."""

    name = "agreement"
    title = "Agreement of explainers"
    summary = "Several explainers on the same scans: which agree on what the model uses, and which do not."
    reference = "Adebayo et al. 2018, arXiv:1810.03292, section 3.3 (rank correlation of maps)"
    parameters_model = AgreementParameters
    task = "classification"

    def run(
        self, parameters: AgreementParameters, model: Model, cohort: Path | None, out: Path, report: Report = silent
    ) -> dict[str, Any]:
        """See `Study.run`. Maps are those of the class that the model says, by their sizes, on the model's own grid."""
        if cohort is None:
            raise BadInput("The study agreement needs a cohort: name one with --cohort.")
        asked = _Asked(model, parameters)
        source = read_cohort(cohort, parameters.selection)
        entries = _taken(source, parameters.scans)
        rows = list(_ask(asked, source, entries, part_of(report, 0.0, 0.98)))
        report(Progress(0.98, "writing the tables and mean maps"))
        pairs = _pairs(rows, asked.names)
        writer = StudyWriter(out)
        _write_pairs(writer, pairs, rows, asked)
        _write_scans(writer, rows, asked)
        _write_means(writer, asked)
        refusals = Refusals.of(model.card.title, rows)
        left_out = len(source.entries) - len(entries)
        taken = f"{len(entries)} of {len(source.entries)} scans taken, the first {parameters.scans} of each class."
        return writer.finish(
            self,
            model,
            parameters,
            cohort,
            sentence=with_refusals(sentence(pairs, asked.titles, len(entries)), [refusals]),
            synthetic=source.synthetic or model.card.synthetic,
            notes=[*source.notes, *([taken] if left_out else []), *refusals.notes()],
            numbers={
                "scans": float(len(entries)),
                "scans refused": float(len(refusals.reasons)),
                **{f"rank correlation {pair['one']} {pair['other']}": pair["rank"] for pair in pairs},
                **{f"likeness of places {pair['one']} {pair['other']}": pair["places"] for pair in pairs},
            },
            cohort_title=source.title,
            rows=rows,
        )


class _Asked:
    """Explainers that are asked scan by scan; of their maps only sums are kept, and those of the scan before."""

    def __init__(self, model: Model, parameters: AgreementParameters) -> None:
        from core.explainers.run import Asker  # torch, which listing studies does without

        self.names = tuple(dict.fromkeys(parameters.explainers))
        if len(self.names) < 2:
            raise BadInput("Agreement is between two: name at least two explainers with explainers=ONE,OTHER.")
        self.model = model
        self.titles = {name: get_explainer(name).title for name in self.names}
        self.means = {name: RunningImage(spread=False) for name in self.names}
        self.mean_scan = RunningImage(spread=False)
        self._blocks = parameters.blocks
        self._before: list[np.ndarray] = []
        self._askers: dict[str, Asker] = {}
        for name in self.names:
            try:
                asker = Asker(model, name)
            except BadInput as error:
                raise BadInput(f"{self.titles[name]}: {error}") from error
            if asker.explainer.needs_region(model, asker.parameters):
                raise BadInput(f"{self.titles[name]} explains a marked region, and here is none: leave it out.")
            self._askers[name] = asker

    def ask(self, scan: Scan, report: Report) -> dict[str, Any]:
        """What the model says about a scan, and for each pair of explainers how alike their maps of it are."""
        from core.acceptance import judge  # torch, which listing studies does without

        prepared = self.model.prepare(scan)
        probability = self.model.probabilities(prepared.tensor)
        predicted = max(probability, key=lambda name: probability[name])
        maps = []
        for turn, (name, asker) in enumerate(self._askers.items()):
            told = _named(report, self.titles[name], turn / len(self.names))
            told(Progress(0.0))
            values = asker.map(prepared, predicted, told)
            sizes = np.abs(values.values - np.float32(values.neutral))
            maps.append(sizes)
            total = float(sizes.sum(dtype=np.float64))
            if total > 0:
                self.means[name].add(sizes / total)
        self.mean_scan.add(prepared.tensor[0, 0].cpu().numpy())
        alike = self._alike(maps)
        self._before = maps
        accepted = as_row(judge(self.model, prepared))
        return {"predicted": predicted, "probability": probability[predicted], "alike": alike, **accepted}

    def _alike(self, maps: Sequence[np.ndarray]) -> dict[tuple[str, str], tuple[float, float, float]]:
        """For each pair: rank correlation, likeness of places, and rank correlation across two scans."""
        comparable = len(self._before) > 0 and self._before[0].shape == maps[0].shape
        ranks = rank_correlations([*maps, *(self._before if comparable else ())])
        labels = block_labels(maps[0].shape, self._blocks)
        regions = range(int(labels.max()) + 1)
        densities = [roi_densities(sizes, labels, regions) for sizes in maps]
        count = len(maps)
        return {
            (self.names[one], self.names[other]): (
                float(ranks[one, other]),
                roi_similarity(densities[one], densities[other]),
                float(ranks[one, count + other]) if comparable else float("nan"),
            )
            for one, other in combinations(range(count), 2)
        }


def _named(report: Report, name: str, fraction: float) -> Report:
    """Report of one explainer on one scan: that it can be stopped counts, what it says of itself does not."""

    def named(_: Progress) -> None:
        report(Progress(fraction, name))

    return named


def _taken(cohort: Cohort, most: int) -> list[Entry]:
    """The first `most` scans of each class (0: all), in the cohort's order."""
    count: dict[str, int] = {}
    entries = []
    for entry in cohort.entries:
        count[entry.label] = count.get(entry.label, 0) + 1
        if not most or count[entry.label] <= most:
            entries.append(entry)
    return entries


def _ask(asked: _Asked, cohort: Cohort, entries: Sequence[Entry], report: Report) -> Iterator[dict[str, Any]]:
    """One row a scan and pair. Scans are asked in random order: the one before is then mostly of another class."""
    order = np.random.default_rng(_SEED).permutation(len(entries))
    shuffled = [entries[index] for index in order]
    items = [(entry.participant_id, lambda entry=entry: cohort.load(entry)) for entry in shuffled]
    found = dict(zip(order.tolist(), over_many(items, asked.ask, report=report), strict=True))
    for index, entry in enumerate(entries):
        answer = found[index].answer or {}
        for (one, other), (rank, places, chance) in answer["alike"].items():
            yield {
                "scan": entry.participant_id,
                "file": entry.file,
                "truth": entry.label,
                "predicted": answer["predicted"],
                "probability": answer["probability"],
                "acceptance": answer["acceptance"],
                "reason": answer["reason"],
                "one": one,
                "other": other,
                "rank": rank,
                "places": places,
                "chance": chance,
            }


def _pairs(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """Means of each pair over the scans, the most alike first; a map that is the same everywhere has no rank."""
    from core.training.fitting.pairs import mean_with_interval  # brings torch

    pairs = []
    for one, other in combinations(names, 2):
        own = [row for row in rows if (row["one"], row["other"]) == (one, other)]
        known = [row for row in own if np.isfinite(row["rank"])]
        mean, interval = float("nan"), [float("nan")] * 2
        if known:
            mean, interval = mean_with_interval([row["rank"] for row in known], [row["scan"] for row in known], _SEED)
        pairs.append(
            {
                "one": one,
                "other": other,
                "rank": mean,
                "interval": tuple(interval),
                "places": _mean([row["places"] for row in own]),
                "chance": _mean([row["chance"] for row in own]),
                "scans": len(known),
            }
        )
    return sorted(pairs, key=lambda pair: -np.nan_to_num(pair["rank"], nan=-2.0))


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")


# ---- what comes out


def _write_pairs(
    writer: StudyWriter, pairs: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]], asked: _Asked
) -> None:
    columns = [
        Column(name="one", title="Explainer"),
        Column(name="other", title="and"),
        Column(name="rank", title="Rank correlation", kind="number", note="Of the sizes of the two maps."),
        Column(name="interval", title="95% interval", kind="interval"),
        Column(name="places", title="Likeness of places", kind="number", note="Cosine of what lies in each block."),
        Column(name="chance", title="Rank with another scan", kind="number", note="What two maps share by habit."),
        Column(name="scans", title="Scans", kind="count"),
    ]
    note = "1 is the same, 0 nothing in common. What is no higher than with another scan says nothing about the scan."
    table = writer.table("pairs", "Pairs of explainers", columns, note)
    for pair in pairs:
        titled = {"one": asked.titles[pair["one"]], "other": asked.titles[pair["other"]]}
        table.row({**pair, **titled})
    titles = [asked.titles[name] for name in asked.names]
    values = np.eye(len(titles))
    for pair in pairs:
        at = asked.names.index(pair["one"]), asked.names.index(pair["other"])
        values[at] = values[at[::-1]] = pair["rank"]
    writer.matrix(
        "agreement",
        "Which agree",
        titles,
        titles,
        values,
        value=Axis(title="rank correlation", low=-1.0, high=1.0),
        centre=0.0,
        opens=CellRows(table="scans", row="one", column="other"),
        note="Mean rank correlation over the scans. A cell shows its scans.",
    )
    series = [
        Series(
            name=f"{asked.titles[pair['one']]}, {asked.titles[pair['other']]}",
            y=tuple(row["rank"] for row in rows if (row["one"], row["other"]) == (pair["one"], pair["other"])),
        )
        for pair in pairs
    ]
    writer.chart("box", "scans", "Scan by scan", series, x=Axis(), y=Axis(title="Rank correlation"))


def _write_scans(writer: StudyWriter, rows: Sequence[Mapping[str, Any]], asked: _Asked) -> None:
    """Each pair both ways round, so that every cell of the matrix has its rows."""
    columns = [
        Column(name="scan", title="Scan", kind="scan"),
        Column(name="one", title="Explainer"),
        Column(name="other", title="and"),
        Column(name="rank", title="Rank correlation", kind="number"),
        Column(name="places", title="Likeness of places", kind="number"),
        Column(name="truth", title="Shows"),
        Column(name="predicted", title="Model says"),
        Column(name="probability", title="Probability of that", kind="probability"),
        Column(name="acceptance", title="Model can read it", note="Where it cannot, its answer means nothing."),
    ]
    table = writer.table("scans", "Scans", columns, "A cell opens the scan with the map of the explainer it names.")
    for row in rows:
        for one, other in ((row["one"], row["other"]), (row["other"], row["one"])):
            opens = {name: _opening(row, name, asked) for name in (one, other)}
            titled = {"one": asked.titles[one], "other": asked.titles[other]}
            own = {name: row[name] for name in ("scan", "rank", "places", "truth", "predicted", "probability")}
            table.row(
                own | titled | {"acceptance": in_a_cell(row)},
                opens=opens[one],
                cells={"other": opens[other]},
            )


def _opening(row: Mapping[str, Any], explainer: str, asked: _Asked) -> Opening:
    return Opening(
        scan=row["file"],
        title=row["scan"],
        model=asked.model.card.name,
        explainer=explainer,
        target=row["predicted"],
    )


def _write_means(writer: StudyWriter, asked: _Asked) -> None:
    """The mean map of each explainer over the mean scan, where all lie on one grid."""
    below = asked.mean_scan.mean
    for name in asked.names:
        values = asked.means[name].mean
        if values is None or below is None or asked.mean_scan.others:
            continue
        writer.map(
            f"mean-{name}",
            asked.titles[name],
            values,
            background=below,
            unit="share of the map",
            note="Mean over all scans, each map divided by its own sum, over the mean scan as the model was fed it.",
        )

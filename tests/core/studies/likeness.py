"""Likeness: two explainers on every scan of a cohort, and how alike their maps are."""

from functools import partial

import numpy as np

from core.cohorts.reading import read_cohort
from core.metrics.similarity import rank_correlations
from core.parameters import Parameters, parameter
from core.progress import silent
from core.studies import Study
from core.studies.record import Axis, Column, Opening, Series
from core.studies.writing import StudyWriter


class LikenessParameters(Parameters):
    """Settings of the study."""

    one: str = parameter("saliency", "Whose maps are compared.", picks="explainer")
    other: str = parameter("grad_cam", "With whose they are compared.", picks="explainer")
    scans: int = parameter(10, "At most so many scans, the first of the cohort.", minimum=1, maximum=1000)


class Likeness(Study):
    """How alike two explainers see each scan."""

    name = "likeness"
    title = "Likeness of two"
    summary = "Two explainers on every scan: how alike their maps are."
    parameters_model = LikenessParameters
    task = "classification"

    def run(self, parameters, model, cohort, out, report=silent):
        """Ask both about each scan."""
        from core.explainers.many import over_many
        from core.explainers.run import Asker  # torch: here, so that listing the studies stays quick

        askers = {name: Asker(model, name) for name in (parameters.one, parameters.other)}

        def ask(scan, told):
            prepared = model.prepare(scan)
            said = model.probabilities(prepared.tensor)
            predicted = max(said, key=said.get)
            maps = [np.abs(asker.map(prepared, predicted, told).values) for asker in askers.values()]
            return predicted, rank_correlations(maps)[0, -1]

        source = read_cohort(cohort)
        entries = source.entries[: parameters.scans]
        columns = [Column(name="scan", kind="scan"), Column(name="truth"), Column(name="likeness", kind="number")]
        writer, alike = StudyWriter(out), {}
        table = writer.table("scans", "Scans", [*columns, *(Column(name=name) for name in askers)])
        items = [(entry.participant_id, partial(source.load, entry)) for entry in entries]
        for entry, asked in zip(entries, over_many(items, ask, report=report), strict=True):
            predicted, likeness = asked.answer
            alike.setdefault(entry.label, []).append(likeness)
            opens = Opening(scan=entry.file, title=entry.participant_id, model=model.card.name, target=predicted)
            cells = {name: opens.model_copy(update={"explainer": name}) for name in askers}
            row = {"scan": entry.participant_id, "truth": entry.label, "likeness": likeness}
            table.row({**row, **dict.fromkeys(askers, "its map")}, opens, cells)
        boxes = [Series(name=label, y=tuple(values)) for label, values in alike.items()]
        writer.chart("box", "likeness", "Likeness by class", boxes, y=Axis(title="Rank correlation"))
        mean = float(np.nanmean([value for values in alike.values() for value in values]))
        sentence = f"Over {len(entries)} scans the maps of {' and '.join(askers)} have a likeness of {mean:.2f}."
        synthetic = source.synthetic or model.card.synthetic
        return writer.finish(
            self, model, parameters, cohort, sentence=sentence, synthetic=synthetic, numbers={"likeness": mean}
        )

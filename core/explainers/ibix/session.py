"""One trace, from question to findings."""

from __future__ import annotations

from core.explainers.base import Findings, MapArray, Question
from core.explainers.ibix.notes import Notes
from core.explainers.ibix.parameters import IbixParameters
from core.explainers.ibix.report import Watch
from core.explainers.ibix.setup import Setup
from core.explainers.ibix.traces import TRACES


class IbixSession:
    """Runs the mapping that the parameters ask for.

    Parameters
    ----------
    question : Question
    parameters : IbixParameters
        With nothing left on ``auto`` that the model decides.

    Attributes
    ----------
    setup : Setup
        What the trace is made of.
    """

    def __init__(self, question: Question, parameters: IbixParameters) -> None:
        self.setup = Setup(question, parameters)
        self._notes = Notes(self.setup)
        trace = TRACES[parameters.direction, parameters.mode]
        self._trace = trace(self.setup, self._notes, Watch(question.report))

    def findings(self) -> Findings:
        """Run the mapping and gather what belongs to it."""
        setup, notes, trace = self.setup, self._notes, self._trace
        trace.check_region()
        notes.region_and_range(trace.changed_places)
        arrays = trace.arrays()
        if trace.changes_the_scan:
            notes.engine()
        notes.map(arrays["map"], trace.forward)
        arrays |= setup.answers.beside(lambda: setup.answer)
        return Findings(arrays, checks=tuple(notes.checks), numbers=notes.numbers, warnings=tuple(notes.warnings))

    def arrays(self) -> dict[str, MapArray]:
        """The mapping alone, as often as it is called: what `findings` shows beside its figures and warnings."""
        return self._trace.arrays()

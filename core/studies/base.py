"""What a study is. A study is one file of this folder with a subclass of `Study`."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from core.parameters import Parameters, Parametrised
from core.progress import Report, silent
from core.registry import Registry, not_a_subclass
from core.studies.record import RECORD, Parts, parts_of_rows

if TYPE_CHECKING:
    from core.models.model import Model


__all__ = ["RECORD", "Study", "get_study", "studies"]


class Study(Parametrised, ABC):
    """One question asked of many scans; subclasses register themselves under `name`."""

    #: Whether there must be a folder of scans; a study that needs none can make its own.
    needs_cohort: ClassVar[bool] = True
    #: Task of the models that it asks; empty: any.
    task: ClassVar[Literal["", "classification", "regression"]] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        STUDIES.offer(cls)

    @abstractmethod
    def run(
        self, parameters: Any, model: Model, cohort: Path | None, out: Path, report: Report = silent
    ) -> dict[str, Any]:
        """Do the study.

        Parameters
        ----------
        parameters : the study's own `parameters_model`
            See `parameters`.
        model : Model
            Whose answers are explained.
        cohort : pathlib.Path, optional
            Folder with the scans; None only where the study does not need one (`needs_cohort`).
        out : pathlib.Path
            Existing folder; gets ``study.json`` and what the study makes.
        report : Report
            Progress; may raise `core.errors.Cancelled`.

        Returns
        -------
        dict
            The record that was written: ``study``, ``model``, ``parameters``, ``sentence``, ``rows`` (one a scan,
            or one a scan and model), ``numbers``, ``files``, ``synthetic``, ``hashes``, and what is shown: ``tables``,
            ``figures``, ``maps`` (see `core.studies.record`). `core.studies.writing.StudyWriter` writes it.
        """

    @classmethod
    def parts_of(cls, record: Mapping[str, Any]) -> Parts:
        """What is shown of a record that was written before there were tables, figures and maps; by default its rows.

        Raises
        ------
        LookupError, TypeError, ValueError
            When it is no record of this study.
        """
        return parts_of_rows(record)

    @classmethod
    def explainers_asked(cls, parameters: Any) -> tuple[str, ...] | None:
        """Names of the explainers whose change changes the result; None where it might be any.

        By default the one that the parameter ``explainer`` names.
        """
        named = getattr(parameters, "explainer", None)
        return (named,) if isinstance(named, str) else None

    @classmethod
    def describe(cls) -> dict[str, Any]:
        """See `core.parameters.Parametrised.describe`; also what it asks, and of what."""
        return {**super().describe(), "needs_cohort": cls.needs_cohort, "task": cls.task}


def _complaint(cls: Any) -> str | None:
    """Why something cannot be a study, as the end of a sentence."""
    reason = not_a_subclass(cls, Study, "title", "summary") or not_a_subclass(cls.parameters_model, Parameters)
    if reason is None:
        json.dumps(cls.describe())  # screens and scripts read it
    return reason


#: What studies share; the rest of this folder are studies.
_NOT_STUDIES = {"base", "reading", "record", "writing"}
STUDIES: Registry[type[Study]] = Registry(
    "studies",
    "study",
    ["core.studies"],
    without=_NOT_STUDIES,
    judge=_complaint,
    describe=lambda cls: cls.describe(),
)


def studies() -> dict[str, type[Study]]:
    """Every study by name, of this folder and of plug-ins."""
    return STUDIES.all()


def get_study(name: str) -> type[Study]:
    """Study by name.

    Raises
    ------
    BadInput
        When there is none; lists the ones there are.
    """
    return STUDIES.get(name)

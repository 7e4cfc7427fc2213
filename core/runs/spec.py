"""What a run is asked to do. One kind of run = one file in ``core/runs/kinds``."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, Field

from core.progress import Report
from core.registry import Registry, not_a_subclass
from core.runs.facts import Asked, Outcome
from core.runs.sources import meaning_of
from core.settings import settings

if TYPE_CHECKING:
    import numpy as np

    from core.scans.scan import Scan

#: Owner of everything while there is no login.
LOCAL_OWNER = "local"


class Inputs(Protocol):
    """What a run may read: its owner's part of the store, which `core.runs.store` keeps."""

    def scan(self, content_hash: str) -> "Scan":
        """A stored scan of this owner; raises `core.errors.BadInput` when there is none."""
        ...

    def scan_meta(self, content_hash: str) -> dict[str, Any]:
        """Technical fields of a stored scan of this owner; raises `core.errors.BadInput` when there is none."""
        ...

    def region(self, content_hash: str) -> "np.ndarray":
        """A stored region of this owner, bool; raises `core.errors.BadInput` when there is none."""
        ...


@dataclass(frozen=True, eq=False)
class RunContext:
    """What an executing run is given.

    Parameters
    ----------
    inputs : Inputs
        Where its inputs are.
    folder : pathlib.Path
        Its own folder, for what a watcher reads while it runs.
    result : pathlib.Path
        Empty folder for what it produces; becomes the run's ``result/`` in one step when it has finished.
    report : Report
        To be called often with progress; raises `core.errors.Cancelled` when the person cancelled.
    """

    inputs: Inputs
    folder: Path
    result: Path
    report: Report


class RunSpec(BaseModel, ABC):
    """A request: everything that decides the result, as data.

    Subclass it in one file of ``core/runs/kinds`` (or in a module named to the manager); it is then stored, queued,
    executed, cancelled and found again like the others. The module must be importable without torch.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ClassVar[str]
    owner: str = Field(LOCAL_OWNER, min_length=1, max_length=200, description="who asked; nobody else finds the run")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        RUN_KINDS.offer(cls)

    @abstractmethod
    def title(self) -> str:
        """What it is, for a list of runs."""

    @abstractmethod
    def execute(self, context: RunContext) -> None:
        """Do it. Runs in a worker; heavy imports belong inside.

        Raises
        ------
        core.errors.LightboxError
            With a sentence for people; the run becomes ``failed``.
        core.errors.Cancelled
            From ``context.report``.
        """

    @classmethod
    def preload(cls) -> None:
        """Import what `execute` needs, once, in the process that runs are forked from."""

    def inputs(self) -> dict[str, Any]:
        """What else decides the result, beside the fields (content of a model folder, …)."""
        return {}

    def files(self) -> Iterable[Path]:
        """Files beside the store that `execute` reads (of a model, of a cohort): none of them may change meanwhile."""
        return ()

    def code(self) -> Iterable[str]:
        """Dotted names of the modules that answer it, beside what they import themselves.

        What a run finds by name (an explainer, an architecture) is not seen in its imports and has to be named here.
        """
        return {type(self).__module__}

    def check(self, inputs: Inputs) -> None:
        """Refuse, before it is queued, what cannot work (a scan that is not there).

        Raises
        ------
        core.errors.BadInput
            With what to do.
        """

    def scans(self) -> tuple[str, ...]:
        """Content hashes of the scans it reads; the janitor keeps them while the run exists."""
        return ()

    def regions(self) -> tuple[str, ...]:
        """Content hashes of the regions it reads."""
        return ()

    def asked(self) -> Asked:
        """What a list of runs shows of the request."""
        return Asked()

    def outcome(self, result: Path) -> Outcome:
        """What a list of runs shows of how it came out; asked once, when it is done.

        Parameters
        ----------
        result : pathlib.Path
            Folder with what it produced.

        Raises
        ------
        core.errors.BadInput
            When that cannot be read.
        """
        return Outcome()

    def holds(self, result: Path) -> bool:
        """Whether what an equal run produced still is as it was; asked before it is taken for the answer.

        Parameters
        ----------
        result : pathlib.Path
            Folder with what that run produced.
        """
        return True

    def state_of_inputs(self) -> str:
        """SHA-256 of `inputs`: another one, and another result may follow."""
        return hashlib.sha256(json.dumps(self.inputs(), sort_keys=True).encode()).hexdigest()

    def fingerprint(self) -> str:
        """SHA-256 of the request, its inputs and the code that answers it: equal fingerprints, equal results."""
        content = {
            "kind": self.kind,
            "spec": self.model_dump(mode="json"),
            "inputs": self.inputs(),
            "code": meaning_of(self.code()),
            "torch": version("torch"),
            "device": settings().device,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _complaint(cls: Any) -> str | None:
    """Why something cannot be a kind of run, as the end of a sentence."""
    reason = not_a_subclass(cls, RunSpec)
    if reason is None:
        cls.model_json_schema()
    return reason


RUN_KINDS: Registry[type[RunSpec]] = Registry(
    "run-kinds",
    "kind of run",
    ["core.runs.kinds"],
    judge=_complaint,
    attribute="kind",
    describe=lambda cls: {"fields": cls.model_json_schema()},
)


def kinds() -> dict[str, type[RunSpec]]:
    """Every kind of run by name: of ``core/runs/kinds``, of plug-ins, and whatever else was imported."""
    return RUN_KINDS.all()


def parse_spec(kind: str, content: str) -> RunSpec:
    """Spec from its stored JSON.

    Raises
    ------
    KeyError
        For a kind that no imported module defines.
    pydantic.ValidationError
        For fields that an older or newer version wrote.
    """
    return kinds()[kind].model_validate_json(content)

"""The contract that every worker keeps; ``tests/core/runs/execution/test_contract.py`` checks it for each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from core.registry import Registry, not_a_subclass

if TYPE_CHECKING:
    from core.runs.store.store import RunStore


@dataclass(frozen=True)
class Ending:
    """How an execution ended, whatever the run's row says.

    Parameters
    ----------
    code : int or None
        Exit code; negative: the signal that ended the process; None: not known (the worker's parent was lost).
    """

    code: int | None


class Execution(ABC):
    """One run being executed."""

    @abstractmethod
    def ending(self) -> Ending | None:
        """How it ended; None while it goes on."""

    @abstractmethod
    def kill(self) -> None:
        """End it now, if this worker can; otherwise it ends at its next report."""


class Worker(ABC):
    """Executes queued runs of one store.

    The contract: `start` returns at once. The run's row becomes ``running`` when the work begins and final before
    `Execution.ending` tells so, unless the process died: then the manager writes the truth. A run whose cancel file
    appears stops at its next report. `close` leaves nothing running and nothing marked running.

    Class attributes
    ----------------
    name : str
        What the setting ``LIGHTBOX_WORKER`` calls it.
    title : str
        For people: where runs execute.
    """

    name: ClassVar[str]
    title: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        WORKERS.offer(cls)

    @classmethod
    @abstractmethod
    def of(cls, store: RunStore, threads: int) -> Worker:
        """One for a store, as the settings choose it.

        Parameters
        ----------
        store : RunStore
            Whose runs it executes.
        threads : int
            torch threads that each run may use.
        """

    @abstractmethod
    def start(self, run_id: str) -> Execution:
        """Begin to execute a queued run."""

    @abstractmethod
    def warm_up(self) -> None:
        """Do in advance what makes the first run start fast, where there is such a thing."""

    @abstractmethod
    def close(self) -> None:
        """Stop what is executing (as interrupted) and let go of everything."""


def _complaint(cls: Any) -> str | None:
    """Why something cannot be a worker, as the end of a sentence."""
    return not_a_subclass(cls, Worker, "title")


#: What workers share; the rest of this folder are workers.
_NOT_WORKERS = {"base", "execute", "launcher", "manager"}
WORKERS: Registry[type[Worker]] = Registry(
    "workers",
    "worker",
    ["core.runs.execution"],
    without=_NOT_WORKERS,
    judge=_complaint,
    describe=lambda cls: {"title": cls.title},
)

"""Small kinds of runs that do exactly what a test needs; imported by the launcher as well."""

import os
import signal
import time
from pathlib import Path
from typing import ClassVar

import numpy as np

from core.errors import BadInput
from core.files import write_json
from core.progress import Progress
from core.runs.facts import Asked, Outcome
from core.runs.spec import RunContext, RunSpec


class CountSpec(RunSpec):
    """Counts to ``steps``, reporting each; the result is what it counted."""

    kind: ClassVar[str] = "toy-count"
    steps: int = 3
    pause: float = 0.0
    megabytes: int = 0
    name: str = ""

    def title(self) -> str:
        return f"count to {self.steps}"

    def execute(self, context: RunContext) -> None:
        ballast = np.ones(self.megabytes * 2**17) if self.megabytes else None
        for step in range(self.steps):
            preview = np.full((2, 3, 4), step, dtype=np.float32)
            context.report(
                Progress(step / self.steps, f"step {step}", {"iteration": step, "loss": 1 / (1 + step)}, preview)
            )
            time.sleep(self.pause)
        write_json(context.result / "counted.json", {"steps": self.steps, "kept": ballast is not None})


class OutcomeSpec(RunSpec):
    """Has an outcome for lists of runs, about the class CN."""

    kind: ClassVar[str] = "toy-outcome"
    before: float
    after: float

    def title(self) -> str:
        return "outcome"

    def asked(self) -> Asked:
        return Asked("toy", "a model", target="AD")

    def outcome(self, result: Path) -> Outcome:
        return Outcome("holds", self.before, self.after, "CN")

    def execute(self, context: RunContext) -> None:
        context.report(Progress(1.0, "done"))


class DeafSpec(RunSpec):
    """Never reports: only a kill ends it."""

    kind: ClassVar[str] = "toy-deaf"
    seconds: float = 60.0

    def title(self) -> str:
        return "deaf"

    def execute(self, context: RunContext) -> None:
        context.report(Progress(0.0, "deaf from now on"))
        context.report(Progress(1.0, "deaf from now on"))
        time.sleep(self.seconds)


class TroubleSpec(RunSpec):
    """Fails in the way it is told."""

    kind: ClassVar[str] = "toy-trouble"
    trouble: str

    def title(self) -> str:
        return self.trouble

    def execute(self, context: RunContext) -> None:
        if self.trouble == "bad input":
            raise BadInput("The scan is upside down: turn it.")
        if self.trouble == "full disk":
            (context.result / "half.npy").write_bytes(b"0" * 100)
            with Path("/dev/full").open("wb", buffering=0) as file:
                file.write(b"0")
        if self.trouble == "no memory":
            raise MemoryError
        if self.trouble == "bug":
            raise ZeroDivisionError("division by zero")
        os.kill(os.getpid(), getattr(signal, self.trouble))
        time.sleep(10)

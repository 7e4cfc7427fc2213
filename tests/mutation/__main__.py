"""Breaks the product on purpose, one small change at a time, and counts which changes the nearest tests see.

``python -m tests.mutation core/metrics core/networks --count 110 --seed 1`` draws mutants and runs the tests;
``python -m tests.mutation --again build/mutants.jsonl`` tries those that survived once more.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from tests.mutation.mutants import Mutant, find_again, sample
from tests.mutation.nearest import mirrored, wider
from tests.mutation.sandbox import Outcome, Sandbox

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("core/metrics", "core/networks", "core/explainers", "core/runs")
#: Mutants that somebody looked at and found to be the same program, each with the reason.
EQUIVALENT = Path(__file__).with_name("equivalent.jsonl")
KILLED = ("failed", "broken", "crashed", "timeout")
#: A test that trains all the networks that others share.
TRAINS = "tests/core/networks/test_fast.py"
#: How much longer than without a mutant, and how many seconds on top, tests may take.
PATIENCE = (4.0, 10.0)


def main() -> int:
    """Run the command line."""
    arguments = read_arguments()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if not arguments.go_on:
        arguments.out.unlink(missing_ok=True)
    known = read(arguments.out)
    if arguments.again is not None:
        same = {mutant.key() for mutant in read(EQUIVALENT)}
        earlier = read(arguments.again).items()
        survivors = [mutant for mutant, ending in earlier if ending == "survived" and mutant.key() not in same]
        wanted = [mutant for mutant in survivors if mutant.path.startswith(tuple(arguments.folders))]
        drawn = find_again(ROOT, wanted)
        print(f"{len(drawn)} of {len(wanted)} survivors are still there")
    else:
        drawn = [each for folder in arguments.folders for each in sample(ROOT, folder, arguments.count, arguments.seed)]
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="lightbox-mutants-") as folder:
        hunt = Hunt(Sandbox(ROOT, Path(folder) / "sandbox"), [mutant.path for mutant, _ in drawn])
        with arguments.out.open("a", encoding="utf-8") as out:
            for number, (mutant, changed) in enumerate(drawn, 1):
                if mutant in known:
                    continue
                known[mutant], test = hunt.judge(mutant, changed)
                out.write(json.dumps({**asdict(mutant), "ending": known[mutant], "test": test}) + "\n")
                out.flush()
                tell(f"{number}/{len(drawn)}", mutant, known[mutant], test)
    show({mutant: known[mutant] for mutant, _ in drawn}, arguments.folders)
    return 0


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("folders", nargs="*", default=FOLDERS, help=f"default: {' '.join(FOLDERS)}")
    parser.add_argument("--count", type=int, default=110, help="mutants of each folder (default: 110)")
    parser.add_argument("--seed", type=int, default=1, help="draws the sample (default: 1)")
    parser.add_argument("--again", type=Path, metavar="FILE", help="only the survivors of an earlier --out file")
    parser.add_argument("--out", type=Path, help="one line of JSON a mutant (default: build/mutants.jsonl)")
    parser.add_argument("--go-on", action="store_true", help="keep what --out already holds and judge the rest")
    arguments = parser.parse_args()
    default = "mutants-again.jsonl" if arguments.again else "mutants.jsonl"
    arguments.out = arguments.out or ROOT / "build" / default
    return arguments


def read(path: Path) -> dict[Mutant, str]:
    """Read how mutants ended from an earlier file."""
    if not path.is_file():
        return {}
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {Mutant(**{name: row[name] for name in Mutant.__dataclass_fields__}): row["ending"] for row in rows}


def tell(number: str, mutant: Mutant, ending: str, test: str) -> None:
    """Print how one mutant ended; of a survivor also what it is."""
    print(f"{number} {ending:9} {mutant.path}:{mutant.line} {test}", flush=True)
    if ending == "survived":
        print(f"    {mutant.before.strip()}\n  → {mutant.after.strip()}", flush=True)


class Hunt:
    """Runs the nearest tests on mutants, and the wider ones on what they let pass."""

    def __init__(self, sandbox: Sandbox, paths: list[str]) -> None:
        self._sandbox = sandbox
        self._seconds: dict[str, float] = {}
        tests = sorted({test for path in paths for select in (mirrored, wider) for test in select(ROOT, path)})
        # networks that tests train are trained once; what is changed here trains none
        sandbox.run([TRAINS], limit=300)
        started = time.monotonic()
        sound = sandbox.run(tests, limit=1800)
        if sound.ending not in ("passed", "none"):
            raise SystemExit(f"The tests are not green without a mutant: {sound.ending} {sound.test}")
        self._seconds = sound.seconds or {}
        print(f"{len(tests)} test files are green in {time.monotonic() - started:.0f} s")

    def judge(self, mutant: Mutant, changed: str) -> tuple[str, str]:
        """Tell how a mutant ended, and by which test."""
        for select in (mirrored, wider):
            outcome = self._run(select(ROOT, mutant.path), (mutant.path, changed))
            if outcome.ending in KILLED:
                return outcome.ending, outcome.test
        return "survived", ""

    def _run(self, tests: list[str], change: tuple[str, str]) -> Outcome:
        factor, more = PATIENCE
        limit = more + factor * sum(self._seconds.get(test, 0) for test in tests)
        return self._sandbox.run(tests, limit, change)


def show(endings: dict[Mutant, str], folders: list[str]) -> None:
    """Print the table: a row for each folder, and the sum.

    Those that are known to be the same program count neither as killed nor as survived.
    """
    same = {mutant.key() for mutant in read(EQUIVALENT)}
    columns = ("mutants", *KILLED, "survived", "same", "killed")
    print("\n" + "folder".ljust(20) + "".join(column.rjust(10) for column in columns))
    for folder in (*folders, ""):
        counts = Counter(
            "same" if ending == "survived" and mutant.key() in same else ending
            for mutant, ending in endings.items()
            if mutant.path.startswith(folder)
        )
        killed = sum(counts[name] for name in KILLED)
        share = f"{100 * killed / (killed + counts['survived']):.1f} %" if killed else "–"
        numbers = (counts.total(), *(counts[name] for name in KILLED), counts["survived"], counts["same"], share)
        print((folder or "all").ljust(20) + "".join(str(number).rjust(10) for number in numbers))


if __name__ == "__main__":
    sys.exit(main())

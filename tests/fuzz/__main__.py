"""Damages files for as long as there is time: ``python -m tests.fuzz --seconds 3600 --seed 7``.

Each case runs in a process of its own that is ended after half a minute, so that a crash or a hang is a case like
others. What was neither read nor refused is written to ``build/fuzz``, named by reader and case.
"""

import argparse
import itertools
import multiprocessing
import sys
import time
import warnings
from collections import Counter, defaultdict
from multiprocessing.connection import Connection
from pathlib import Path

from tests.fuzz.targets import Target, targets
from tests.fuzz.trying import Outcome, attempt, case

BATCH = 50
PATIENCE = 30.0


def main() -> int:
    """Run the command line; 1 when something was neither read nor refused, or took too much."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Give readers damaged files.")
    parser.add_argument("--seconds", type=float, default=600.0, help="how long")
    parser.add_argument("--seed", type=int, default=1, help="other damage with another number")
    parser.add_argument("--readers", nargs="*", default=[], help="only these: " + ", ".join(targets()))
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"), help="where faults are kept")
    chosen = parser.parse_args()
    known = {name: target for name, target in targets().items() if not chosen.readers or name in chosen.readers}
    endings: dict[str, Counter[str]] = defaultdict(Counter)
    worst: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    end = time.monotonic() + chosen.seconds
    for number in itertools.count():
        for name, target in known.items():
            if time.monotonic() > end:
                return show(endings, worst)
            first = (chosen.seed << 32) + number * BATCH
            for seed, outcome in run_batch(target, range(first, first + BATCH), end):
                endings[name]["fault" if outcome.fault else outcome.ending] += 1
                worst[name] = [max(worst[name][0], outcome.seconds), max(worst[name][1], outcome.megabytes)]
                if outcome.fault:
                    keep(chosen.out, name, target, seed, outcome.fault)
    return 0


def run_batch(target: Target, seeds: range, end: float) -> list[tuple[int, Outcome]]:
    """Cases in one process; after one that crashes or hangs, another goes on behind it."""
    context = multiprocessing.get_context("fork")
    outcomes: list[tuple[int, Outcome]] = []
    while len(outcomes) < len(seeds) and time.monotonic() < end:
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(target, seeds[len(outcomes) :], sender))
        process.start()
        sender.close()
        fault = None
        try:
            while len(outcomes) < len(seeds) and fault is None:
                if receiver.poll(PATIENCE):
                    outcomes.append((seeds[len(outcomes)], receiver.recv()))
                else:
                    fault = f"no answer within {PATIENCE:.0f} seconds"
        except EOFError:
            process.join()
            fault = f"the process ended with {process.exitcode}"
        process.kill()
        process.join()
        if fault is not None:
            outcomes.append((seeds[len(outcomes)], Outcome(fault, 0.0, 0.0)))
    return outcomes


def _work(target: Target, seeds: range, sender: Connection) -> None:
    warnings.simplefilter("ignore")
    for seed in seeds:
        sender.send(attempt(target, case(target, seed)))


def keep(out: Path, name: str, target: Target, seed: int, fault: str) -> None:
    """Write a damaged file and what came of it."""
    folder = out / f"{name} {seed}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / target.name).write_bytes(case(target, seed))
    (folder / "fault.txt").write_text(fault, encoding="utf-8")
    print(f"{folder}: {fault.strip().splitlines()[-1]}", flush=True)


def show(endings: dict[str, Counter[str]], worst: dict[str, list[float]]) -> int:
    """Print a row a reader."""
    print(f"{'reader':18} {'cases':>7} {'read':>7} {'refused':>8} {'faults':>7} {'most s':>7} {'most MB':>8}")
    for name, count in endings.items():
        seconds, megabytes = worst[name]
        print(
            f"{name:18} {count.total():7} {count['read']:7} {count['refused']:8} {count['fault']:7} "
            f"{seconds:7.2f} {megabytes:8.0f}"
        )
    return int(any(count["fault"] for count in endings.values()))


if __name__ == "__main__":
    sys.exit(main())

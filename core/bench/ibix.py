"""Benchmark of IBIX: what windows, pruning, levels and derivatives save, against the plain way in the same run.

On the authors' autoencoder and a real slice where ``../shared/data/ibix_t1_t2`` is there (``LIGHTBOX_SHARED_DATA``
names another place), else on the demo model and scan. The device is the settings'.
"""

import dataclasses
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import psutil
import torch
import yaml
from torch import nn

from core.bench._ibix_plain import best_batching, eq5_double, eq5_one_by_one, shares_double
from core.explainers.base import Question
from core.explainers.ibix.explainer import Ibix
from core.explainers.ibix.gradient import backward_derivative, correlation, forward_derivative
from core.explainers.ibix.parameters import IbixParameters
from core.explainers.ibix.session import IbixSession
from core.explainers.ibix.variants import Paper
from core.models.card import Architecture, Card, InputContract, Intensity, OutputContract, Training
from core.models.library import choose_device, load_model
from core.models.model import Model
from core.models.zoo import build
from core.scans.loading import load_scan
from core.scans.scan import Scan
from core.settings import ASSETS, ROOT
from core.training.recipes.autoencoder.training import load_starting_weights

JITTERS = 100
SUPERPIXELS = 500
REPEATS = 5
#: superpixels that the plain way is timed and checked on; the rest is that time multiplied
SAMPLE = 6
LEVEL_JITTERS = 8
#: of the memory row
MANY_SUPERPIXELS, MANY_JITTERS, LIMIT_MB = 2000, 1000, 1024
VOLUME_SIDE = 64
Result = TypeVar("Result")
DEMO_SLICE, DEMO_CT = "t1-t2-phantom", "mr-ct-phantom"


@dataclasses.dataclass(frozen=True, eq=False)
class Subject:
    """A model and a scan to trace, with the middle of the body to mark."""

    name: str
    model: Model
    scan: Scan

    def question(self, region: np.ndarray) -> Question:
        """The question about `region`, in model space."""
        return Question(self.model, self.model.prepare(self.scan), None, region)

    @property
    def x(self) -> torch.Tensor:
        """The network's input."""
        return self.model.prepare(self.scan).tensor.to(self.model.device)

    def disc(self, radius: float) -> np.ndarray:
        """Pixels within `radius` of the middle of the image; bool."""
        shape = self.x.shape[2:]
        distances = np.meshgrid(*(np.arange(n) - n // 2 for n in shape), indexing="ij")
        return np.asarray(sum(d.astype(float) ** 2 for d in distances) <= radius**2)


def run() -> dict[str, Any]:
    """Measure.

    Returns
    -------
    dict
        ``ratio`` is value / baseline and ``times_faster`` its inverse; rows:

        - ``forward``: a forward map, 100 jitters; baseline: eq. 5 with one image a call. ``first``: with the tracing
          of the network, which later maps of the same scan reuse. `error`: largest difference from float64.
        - ``forward batched``: the same against the quickest batch size and memory layout of plain batches.
        - ``backward all``: a backward map of the whole body, so that no superpixel can be left out; baseline: one image
          a call over all superpixels, from the time of a few. `error`: largest difference of B from float64.
        - ``backward pruned``: of a small region; same baseline.
        - ``backward levels``: as a black box, two levels against one (in the paper 174 s / 24 s = 7).
        - ``gradient``: the slower of both derivatives, against one forward and backward pass; `correlation`: of the
          derivative with the finite differences.
        - ``unet forward``, ``volume forward``: the demo U-Net at 256×256 and a 64³ autoencoder, 100 jitters.
        - ``memory``: growth of a process over 2,000 superpixels and 1,000 jitters; baseline: 1 GB.
    """
    subject = _subject()
    device = str(subject.model.device) if subject.model.device.type == "cuda" else "cpu"
    threads = torch.get_num_threads()
    _say(f"{subject.name}; device {device}, {threads} threads")
    rows = [
        *_forward_rows(subject),
        *_backward_rows(subject),
        _levels_row(subject),
        _gradient_row(subject),
        *_other_networks(),
        _memory_row(subject),
    ]
    return {"name": "ibix", "device": device, "threads": threads, "subject": subject.name, "rows": rows}


# ---- the rows


def _forward_rows(subject: Subject) -> list[dict[str, Any]]:
    region = subject.disc(3.0)
    first = _seconds(lambda: _session(subject, region).findings())
    session = _session(subject, region)
    session.findings()
    x, direction = subject.x, torch.from_numpy(region.astype(np.float32)).to(subject.model.device)
    sizes = _sizes(session)
    network = subject.model.network
    batch, layout, batched_once = best_batching(network, x, direction, sizes)
    _say(f"best batching: {batch} images, {layout}, {batched_once:.3f} s")
    ours, single, batched = [], [], []
    for _ in range(REPEATS):  # in turns: what else runs on the machine hits all three
        ours.append(_seconds(session.arrays))
        single.append(_seconds(lambda: eq5_one_by_one(network, x, direction, sizes)))
        batched.append(_seconds(lambda: eq5_one_by_one(network, x, direction, sizes, batch, layout)))
    exact = np.abs(eq5_double(network, x, direction, sizes)).sum(axis=0)
    error = float(np.abs(session.arrays()["map"].values - exact).max())
    value = statistics.median(ours)
    more = {"first": first, "largest_value": float(exact.max())}
    return [
        _row("forward", value, statistics.median(single), "s", error, **more),
        _row("forward batched", value, statistics.median(batched), "s", error, batch=batch, layout=layout),
    ]


def _backward_rows(subject: Subject) -> list[dict[str, Any]]:
    everything, local = _session(subject, subject.disc(3.0), "backward").setup.body, subject.disc(3.0)
    rows, naive = [], 0.0
    for what, region in (("backward all", everything), ("backward pruned", local)):
        session = _session(subject, region, "backward")
        value, findings = _timed(session.findings)
        numbers, values = findings.numbers, findings.arrays["map"].values
        chosen = _sample(session, values)
        if not naive:
            one = statistics.median([_plain_seconds(subject, session, k) for k in chosen])
            naive = one * numbers["superpixels"]
        error = max(abs(_exact_share(subject, session, region, k) - _value_of(session, values, k)) for k in chosen)
        _say(f"{what}: {value:.2f} s, plain {naive:.0f} s, {numbers['superpixels_evaluated']} superpixels asked")
        names = ("superpixels", "superpixels_evaluated", "superpixels_skipped", "evaluations")
        more = {name: numbers[name] for name in names} | {"plain_measured_on": len(chosen)}
        rows.append(_row(what, value, naive, "s", float(error), **more))
    return rows


def _levels_row(subject: Subject) -> dict[str, Any]:
    """Both with few jitters: the ratio is one of superpixels, and jitters cost both the same."""
    region = subject.disc(3.0)
    common = {"engine": "batches", "jitters": LEVEL_JITTERS}
    found: dict[str, tuple[float, dict[str, float]]] = {}
    for levels in ("2", "1"):
        session = _session(subject, region, "backward", **common, levels=levels)
        seconds, findings = _timed(session.findings)
        found[levels] = seconds, findings.numbers
    (value, two), (baseline, one) = found["2"], found["1"]
    counts = {"superpixels_evaluated": two["superpixels_evaluated"], "of": one["superpixels_evaluated"]}
    return _row("backward levels", value, baseline, "s", None, **counts)


def _gradient_row(subject: Subject) -> dict[str, Any]:
    region, network, x = subject.disc(3.0), subject.model.network, subject.x
    marked = torch.from_numpy(region.astype(np.float32)).to(x.device)

    def pass_both_ways() -> None:
        watched = x.clone().requires_grad_(True)
        network(watched).sum().backward()

    def forward() -> torch.Tensor:
        return forward_derivative(network, x, marked[None, None].expand_as(x))

    def backward() -> torch.Tensor:
        return backward_derivative(network, x, marked[None])

    times = np.array([[_seconds(work) for work in (forward, backward, pass_both_ways)] for _ in range(4 * REPEATS)])
    jvp, vjp, both = np.median(times[2:], axis=0)
    real = _session(subject, region, sums="signed").findings().arrays["map"].values
    derivative = forward().sum(dim=0).cpu()
    agreement = correlation(derivative, torch.from_numpy(real))
    value = float(max(jvp, vjp))
    more = {"forward_s": float(jvp), "backward_s": float(vjp), "correlation": agreement}
    return _row("gradient", value, float(both), "s", None, **more)


def _other_networks() -> list[dict[str, Any]]:
    unet = Subject("demo U-Net", load_model(DEMO_CT), _demo_scan(DEMO_CT))
    volume = Subject("64³ autoencoder", _volume_model(), _volume_scan())
    rows = []
    for what, subject in (("unet forward", unet), ("volume forward", volume)):
        region = subject.disc(3.0)
        session = _session(subject, region)
        session.findings()
        direction = torch.from_numpy(region.astype(np.float32)).to(subject.model.device)
        sizes = _sizes(session)
        value = _seconds(session.arrays)
        plain = _seconds(partial(eq5_one_by_one, subject.model.network, subject.x, direction, sizes))
        shape = "×".join(str(n) for n in subject.x.shape[2:])
        rows.append(_row(what, value, plain, "s", None, shape=shape))
        _say(f"{what}: {value:.2f} s against {plain:.2f} s")
    return rows


def _memory_row(subject: Subject) -> dict[str, Any]:
    """In a process of its own: a peak is never given back."""
    command = [sys.executable, "-c", "from core.bench.ibix import measure_memory; measure_memory()"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 - our own
    found = json.loads(done.stdout)
    more = {name: found[name] for name in ("seconds", "superpixels", "superpixels_evaluated", "jitters")}
    return _row("memory", found["grown_mb"], float(LIMIT_MB), "MB", None, **more)


def measure_memory() -> None:
    """Trace with many superpixels and jitters, and print how far the peak rose above what the model alone takes."""
    subject = _subject()
    region = subject.disc(3.0)
    subject.model.network(subject.x)
    with _Peak() as peak:
        session = _session(subject, region, "backward", superpixels=MANY_SUPERPIXELS, jitters=MANY_JITTERS)
        seconds, findings = _timed(session.findings)
    json.dump({**findings.numbers, "grown_mb": peak.grown / 2**20, "seconds": seconds}, sys.stdout)


class _Peak:
    """Highest resident memory of this process while it is entered, above what it was before, in bytes.

    Looked at every few milliseconds: the kernel's own peak would count what importing took, and the parent's.
    """

    def __enter__(self) -> "_Peak":
        self._process, self.grown = psutil.Process(), 0
        self._before, self._done = self._process.memory_info().rss, threading.Event()
        self._watcher = threading.Thread(target=self._watch)
        self._watcher.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._done.set()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._done.wait(0.005):
            self.grown = max(self.grown, self._process.memory_info().rss - self._before)


# ---- their parts


def _session(subject: Subject, region: np.ndarray, direction: str = "forward", **values: Any) -> IbixSession:
    asked = {"direction": direction, "jitters": JITTERS, "superpixels": SUPERPIXELS, **values}
    parameters = Ibix.parameters_for(subject.model, Ibix.parameters(values=asked))
    assert isinstance(parameters, IbixParameters)
    return IbixSession(subject.question(region), parameters)


def _sizes(session: IbixSession) -> np.ndarray:
    """The jitters of the paper's equations."""
    variant = session.setup.variant
    assert isinstance(variant, Paper)
    return variant.jitters().sizes


def _sample(session: IbixSession, values: np.ndarray) -> list[int]:
    """Superpixels that the map is not zero on, evenly taken; the plain way is timed and compared on them."""
    count = len(session.setup.superpixels)
    reached = [k for k in range(count) if _value_of(session, values, k) > 0]
    return [reached[i] for i in np.linspace(0, len(reached) - 1, min(SAMPLE, len(reached))).astype(int)]


def _value_of(session: IbixSession, values: np.ndarray, k: int) -> float:
    return float(values[session.setup.superpixels.labels == k + 1][0])


def _direction(session: IbixSession, k: int) -> torch.Tensor:
    return torch.from_numpy((session.setup.superpixels.labels == k + 1).astype(np.float32)).to(session.setup.x.device)


def _plain_seconds(subject: Subject, session: IbixSession, k: int) -> float:
    sizes, direction = _sizes(session), _direction(session, k)
    return _seconds(lambda: eq5_one_by_one(subject.model.network, subject.x, direction, sizes))


def _exact_share(subject: Subject, session: IbixSession, region: np.ndarray, k: int) -> float:
    sizes, counted = _sizes(session), session.setup.counted
    where = None if counted is None else counted.cpu().numpy()
    return shares_double(subject.model.network, subject.x, _direction(session, k), sizes, region, where)


def _subject() -> Subject:
    shared = Path(os.environ.get("LIGHTBOX_SHARED_DATA", ROOT.parent / "shared" / "data")) / "ibix_t1_t2"
    weights = shared / "autoencoder_t1_to_t2.safetensors"
    if not weights.is_file():
        return Subject(f"demo model {DEMO_SLICE}", load_model(DEMO_SLICE), _demo_scan(DEMO_SLICE))
    network = build("autoencoder", {})
    load_starting_weights(network, weights)
    scan = load_scan(sorted((shared / "test" / "T1").glob("*.png"))[0])
    return Subject("the authors' autoencoder, a real T1 slice", _as_model("authors", network, 2, 8), scan)


def _demo_scan(model: str) -> Scan:
    listing = yaml.safe_load((ASSETS / "scans" / "scans.yaml").read_text(encoding="utf-8"))
    return load_scan(ASSETS / "scans" / next(entry["file"] for entry in listing if entry.get("model") == model))


def _volume_model() -> Model:
    torch.manual_seed(0)
    return _as_model("volume", build("autoencoder", {"dimensions": 3}), 3, 8)


def _volume_scan() -> Scan:
    values = np.random.default_rng(0).random((1, *(VOLUME_SIDE,) * 3), dtype=np.float32)
    return Scan(values, np.eye(4))


def _as_model(name: str, network: nn.Module, dimensions: int, multiple_of: int) -> Model:
    card = Card(
        name=name,
        title=name,
        task="regression",
        synthetic=False,
        architecture=Architecture(name="autoencoder"),
        input=InputContract.model_validate(
            {"dimensions": dimensions, "multiple_of": multiple_of, "intensity": Intensity(low=0.0, high=1.0)}
        ),
        output=OutputContract(),
        training=Training(data="not for use"),
    )
    return Model(card, network.to(choose_device()).eval().requires_grad_(False))


def _timed(work: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds of one call, and what it returned."""
    started = time.perf_counter()
    result = work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started, result


def _seconds(work: Callable[[], object]) -> float:
    return _timed(work)[0]


def _row(what: str, value: float, baseline: float, unit: str, error: float | None, **more: Any) -> dict[str, Any]:
    faster = {"times_faster": baseline / value} if value else {}
    ratio = value / baseline if baseline else None
    return {
        "what": what,
        "value": value,
        "baseline": baseline,
        "ratio": ratio,
        "unit": unit,
        "error": error,
        **faster,
        **more,
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)

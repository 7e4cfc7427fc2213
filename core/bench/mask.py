"""Benchmark of the mask on the demo model: cost of an iteration, of a scan, and where masks of unseen subjects lie.

The device is the settings' (``LIGHTBOX_DEVICE``). Every baseline is measured in the same run; seeds are fixed.
"""

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from core.explainers.base import Question
from core.explainers.checked_map import top_share
from core.explainers.hiding import random_blobs, support_of
from core.explainers.mask.explainer import Mask
from core.explainers.mask.parameters import MaskParameters
from core.explainers.mask.session import MaskSession
from core.explainers.run import explain
from core.metrics.localisation import share_inside
from core.models.library import load_model
from core.models.model import Model
from core.phantoms.grey_matter.generator import HEALTHY, PhantomParameters, mni_grid, phantom_scan, plan, planted_labels
from core.scans.loading import load_scan
from core.settings import ASSETS

MODEL = "alzheimer-phantom"
DEMO_SCAN = ASSETS / "scans" / "ad-moderate.nii.gz"
ITERATIONS = 60
SUBJECTS = 10
#: Random masks a subject: one alone mostly misses the planted regions altogether.
_RANDOM_MASKS = 30
#: Subjects of this cohort were never looked at while settings were chosen; training draws from other seeds.
HELD_OUT_SEED = 20260


def run() -> dict[str, Any]:
    """Measure.

    Returns
    -------
    dict
        Rows ``mask iteration`` and ``mask iteration float32`` (lower quartile of seconds; baseline: one bare forward
        and backward of the same folded network in the same precision; `cpu_ratio`: the ratio in processor time, which
        busy neighbours do not change), ``session mask`` (seconds for the demo scan from request to explanation;
        baseline: its iterations as bare forward and backward; `before`, `after`: the class's probability) and ``mask
        inside`` (mean share of the mask inside the planted regions over ten unseen subjects; baseline: the same
        opacities at random places; `minimum`, and `saliency`: as many voxels at the top of the saliency map).
    """
    model = load_model(MODEL)
    device = str(model.device) if model.device.type == "cuda" else f"cpu, {torch.get_num_threads()} threads"
    _say(f"device: {device}")
    fast, bare = _iteration_row("mask iteration", model, "auto")
    exact, _ = _iteration_row("mask iteration float32", model, "float32")
    return {"name": "mask", "device": device, "rows": [fast, exact, _session_row(model, bare), _inside_row(model)]}


def _iteration_row(what: str, model: Model, precision: str) -> tuple[dict[str, Any], float]:
    """The row, and the median seconds of a bare forward and backward."""
    parameters = _parameters(model, precision=precision)
    session = MaskSession(_question(model), parameters)
    loop, network = session.loop(), session.network()
    x = session.x.to(network.dtype, memory_format=network.layout)

    def bare() -> None:
        watched = x.detach().requires_grad_(True)
        logits = network.module(watched)
        (logits[0, 1] - logits[0, 0]).backward()

    pairs = [(_seconds(loop.step), _seconds(bare)) for _ in range(ITERATIONS)]
    # the first few build the library's kernels; the lower quartile is what the work costs when nothing else runs
    wall, processor = np.quantile(np.array(pairs)[5:], 0.25, axis=0).T
    step, alone = (float(seconds) for seconds in wall)
    more = {"precision": str(network.dtype).removeprefix("torch."), "cpu_ratio": float(processor[0] / processor[1])}
    _say(f"{what}: {step:.4f} s against {alone:.4f} s ({network.dtype})")
    return _row(what, step, alone, "s", **more), alone


def _session_row(model: Model, bare: float) -> dict[str, Any]:
    scan = load_scan(DEMO_SCAN)
    started = time.perf_counter()
    found = explain(scan, model, "mask", target="AD")
    seconds = time.perf_counter() - started
    _say(f"session mask: {seconds:.1f} s. {found.sentence}")
    assert found.scores is not None
    before, after = ((found.scores[side] or {})["AD"] for side in ("before", "after"))
    return _row(
        "session mask",
        seconds,
        bare * found.numbers["iterations"],
        "s",
        before=before,
        after=after,
        swap=found.numbers["swap"],
        hidden_cm3=found.numbers["hidden_cm3"],
    )


def _inside_row(model: Model) -> dict[str, Any]:
    truth = planted_labels(mni_grid(3.0)) > 0
    rows: list[dict[str, float]] = []
    cohort = PhantomParameters(seed=HELD_OUT_SEED, twins=0, singles=SUBJECTS)
    chosen = [session for session in plan(cohort) if session.diagnosis != HEALTHY][:SUBJECTS]
    missed = 0
    for number, session in enumerate(chosen):
        scan = phantom_scan(session, cohort)
        found = explain(scan, model, "mask", target="AD")
        hidden = found.arrays["map"].values
        if not hidden.any():
            missed += 1
            _say(f"mask inside: subject {number + 1} of {SUBJECTS}: no mask. {found.sentence}")
            continue
        assert found.scores is not None
        before, after = ((found.scores[side] or {})["AD"] for side in ("before", "after"))
        row = {"inside": share_inside(hidden, truth), "before": before, "after": after, "swap": found.numbers["swap"]}
        rows.append(row | _comparisons(model, scan, hidden, truth, number))
        _say(
            f"mask inside: subject {number + 1} of {SUBJECTS}, atrophy {session.atrophy:.0%}: {row['inside']:.2f}, "
            f"AD {before:.3f} → {after:.3f}"
        )
    if not rows:
        raise RuntimeError("no subject got a mask")

    def column(name: str) -> list[float]:
        return [row[name] for row in rows]

    return _row(
        "mask inside",
        statistics.mean(column("inside")),
        statistics.mean(column("random")),
        "share",
        minimum=min(column("inside")),
        saliency=statistics.mean(column("saliency")),
        lowest_before=min(column("before")),
        highest_after=max(column("after")),
        highest_swap=max(column("swap")),
        subjects=len(chosen),
        missed=missed,
    )


def _comparisons(model: Model, scan: Any, hidden: np.ndarray, truth: np.ndarray, seed: int) -> dict[str, float]:
    """Share inside of the same opacities at random places, and of as many voxels at the top of the saliency map."""
    support = support_of(model, hidden.shape)
    random = np.random.default_rng(seed)
    blobs = [share_inside(random_blobs(hidden, support, (3.0,) * 3, random), truth) for _ in range(_RANDOM_MASKS)]
    saliency = explain(scan, model, "saliency", target="AD").arrays["map"].values
    top = top_share(saliency, support, float((hidden > 0).sum() / support.sum()), "magnitude")
    return {"random": statistics.mean(blobs), "saliency": share_inside(top, truth)}


def _question(model: Model) -> Question:
    return Question(model, model.prepare(load_scan(DEMO_SCAN)), model.class_index("AD"))


def _parameters(model: Model, **values: Any) -> MaskParameters:
    parameters = Mask.parameters_for(model, Mask.parameters(values=values))
    assert isinstance(parameters, MaskParameters)
    return parameters


def _seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds of one call."""
    started, busy = time.perf_counter(), time.process_time()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started, time.process_time() - busy


def _row(what: str, value: float, baseline: float, unit: str, **more: Any) -> dict[str, Any]:
    ratio = value / baseline if baseline else None
    return {"what": what, "value": value, "baseline": baseline, "ratio": ratio, "unit": unit, "error": None, **more}


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)

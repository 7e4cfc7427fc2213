"""Benchmark of the deconvnet: 25 filters at 224 × 224, against Captum's Deconvolution asked filter by filter.

The networks are paper 3's with fixed random weights whose size keeps activations alive (He et al., 2015); how long a
layer takes does not depend on what was learnt. The device is the settings'.
"""

import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, get_args

import numpy as np
import torch
from torch import nn

from core.explainers.deconvnet.chain import chain_to
from core.explainers.deconvnet.projection import CHUNK, Projection
from core.models.library import choose_device
from core.models.zoo.anatomy_cnn import AnatomyCNN, Variant
from core.networks import convolutions

SIDE = 224
FILTERS = 25
REPEATS = 3
CHUNKS = (1, 2, 3, 4, 5, 8, 25)
#: the network that the plain rows are about; the others have their name in the row's
MAIN: Variant = "regularised"


def run() -> dict[str, Any]:
    """Measure.

    Returns
    -------
    dict
        ``ratio`` is value / baseline and ``times_faster`` its inverse; `error` is the largest difference from the
        baseline's map, relative to the largest value of that map, over all filters. `cpu_times_faster` is the same in
        processor time, which busy neighbours change less. Rows:

        - ``top-25``, ``top-25 deeper``, ``top-25 shallow``: from network and film to the 25 strongest filters' own
          maps, tracing and ranking included; baseline: Captum's Deconvolution on the layers up to the last
          convolution's rectifier, once a filter, same targets.
        - ``combined``: the same 25 projected together; baseline: Captum once, on their joint target.
        - ``chunks``: the quickest number of filters at once; baseline: all 25 in one batch. `seconds`: of each number.
    """
    device = choose_device()
    threads = torch.get_num_threads()
    _say(f"device {device}, {threads} threads")
    main = Subject(MAIN, device)
    others = [Subject(variant, device) for variant in get_args(Variant) if variant != MAIN]
    rows = [_single_row("top-25", main)]
    rows += [_single_row(f"top-25 {subject.variant}", subject) for subject in others]
    rows += [_combined_row(main), _chunks_row(main)]
    return {"name": "deconvnet", "device": str(device), "threads": threads, "rows": rows}


class Subject:
    """A network, a film, and the two ways to project the film's strongest filters."""

    def __init__(self, variant: Variant, device: torch.device) -> None:
        self.variant, self.device = variant, device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            # nothing behind the last convolution is asked, so its dense layers need not fit the film
            network = AnatomyCNN((16, 16), variant=variant)
            for module in network.modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            self.x = torch.rand(1, 1, SIDE, SIDE).to(device)
        self.network = network.to(device).eval().requires_grad_(False)
        self.layer = convolutions(network)[-1]
        self.target = _Target(network, self.layer)

    def projection(self) -> Projection:
        """The way up."""
        return Projection(chain_to(self.network, self.layer), self.x)

    def top(self, projection: Projection) -> tuple[int, ...]:
        """The strongest filters."""
        return projection.ranking("sum").order[:FILTERS]

    def ours(self) -> dict[int, np.ndarray]:
        """Each of the strongest filters alone, from nothing."""
        projection = self.projection()
        return dict(projection.single(self.top(projection)))

    def captum(self, filters: Sequence[int]) -> np.ndarray:
        """Captum's map of `filters` together."""
        from captum.attr import Deconvolution

        self.target.filters = list(filters)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Setting backward hooks on ReLU")
            gradient = Deconvolution(self.target).attribute(self.x.clone().requires_grad_())
        found: np.ndarray = gradient[0].sum(dim=0).detach().cpu().numpy()
        return found


class _Target(nn.Module):
    """Σ a · a.detach() of some filters: its gradient, rectified at every rectifier, is their deconvnet."""

    def __init__(self, network: AnatomyCNN, layer: str) -> None:
        super().__init__()
        layers = {name: module for name, module in network.named_modules() if not list(module.children())}
        names = list(layers)
        last = names.index(layer.replace("conv", "relu"))
        self.layers = nn.Sequential(*(layers[name] for name in names[: last + 1]))
        self.filters: list[int] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The target, (N,)."""
        activation = self.layers(x)[:, self.filters]
        return (activation * activation.detach()).flatten(1).sum(dim=1)


# ---- the rows


def _single_row(what: str, subject: Subject) -> dict[str, Any]:
    top = subject.top(subject.projection())
    theirs = {number: subject.captum([number]) for number in top}  # the first calls build the library's kernels
    mine = subject.ours()
    error = max(_error(mine[number], theirs[number]) for number in top)
    # in turns: what else runs on the machine hits both
    pairs = [
        (_seconds(subject.ours), _seconds(lambda: [subject.captum([number]) for number in top])) for _ in range(REPEATS)
    ]
    return _row(what, pairs, error, layer=subject.layer, filters=len(top))


def _combined_row(subject: Subject) -> dict[str, Any]:
    def ours() -> np.ndarray:
        projection = subject.projection()
        return projection.together(subject.top(projection))

    top = subject.top(subject.projection())
    error = _error(ours(), subject.captum(top))
    pairs = [(_seconds(ours), _seconds(lambda: subject.captum(top))) for _ in range(REPEATS)]
    return _row("combined", pairs, error)


def _chunks_row(subject: Subject) -> dict[str, Any]:
    projection = subject.projection()
    top = subject.top(projection)
    times: dict[int, list[tuple[float, float]]] = {chunk: [] for chunk in CHUNKS}
    for _ in range(REPEATS):
        for chunk in CHUNKS:
            times[chunk].append(_seconds(partial(list, projection.single(top, chunk))))
    seconds = {chunk: statistics.median(wall for wall, _ in found) for chunk, found in times.items()}
    best = min(seconds, key=seconds.__getitem__)
    maps = [dict(projection.single(top, chunk)) for chunk in (best, CHUNKS[-1])]
    error = max(_error(maps[0][number], maps[1][number]) for number in top)
    pairs = list(zip(times[best], times[CHUNKS[-1]], strict=True))
    return _row("chunks", pairs, error, best=best, chosen=CHUNK[2], seconds=seconds)


def _error(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def _seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds of one call."""
    started, busy = time.perf_counter(), time.process_time()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started, time.process_time() - busy


def _row(
    what: str, pairs: Sequence[tuple[tuple[float, float], tuple[float, float]]], error: float, **more: Any
) -> dict[str, Any]:
    value, baseline, ours, theirs = (
        statistics.median(pair[side][clock] for pair in pairs) for clock in (0, 1) for side in (0, 1)
    )
    _say(f"{what}: {value:.3f} s against {baseline:.3f} s, {baseline / value:.2f} times faster, error {error:.1e}")
    return {
        "what": what,
        "value": value,
        "baseline": baseline,
        "ratio": value / baseline,
        "unit": "s",
        "error": error,
        "times_faster": baseline / value,
        "cpu_times_faster": theirs / ours,
        **more,
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)

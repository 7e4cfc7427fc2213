"""What a trace shows while it works and beside its map: previews, the answer as an image, what leaks where."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from core.explainers.base import MapArray
from core.metrics.leakage import MassByDistance, without_rounding
from core.models.card import OutputContract
from core.progress import Progress, Report

#: Pictures and words follow each other no faster than this, in seconds.
_BETWEEN_PICTURES, _BETWEEN_WORDS = 0.2, 0.05
#: Distances at which the share that leaks farther is given, in millimetres or, for pictures, pixels.
LEAK_DISTANCES = (2.0, 5.0, 10.0, 20.0, 40.0)
#: The distance that the sentence speaks of.
NEAR = 5.0


class Watch:
    """Progress with previews, no more often than a person can see."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._last_words = self._last_picture = -np.inf

    def __call__(self, fraction: float, message: str, preview: Callable[[], np.ndarray | None] | None = None) -> None:
        """Tell where the work is; raises `Cancelled` where the person cancelled."""
        now = time.perf_counter()
        if preview is not None and now - self._last_picture >= _BETWEEN_PICTURES:
            self._report(Progress(fraction, message, preview=preview()))
            self._last_picture = self._last_words = time.perf_counter()
        elif now - self._last_words >= _BETWEEN_WORDS:
            self._report(Progress(fraction, message))
            self._last_words = now


def answer_array(answer: torch.Tensor, output: OutputContract, channel: int) -> MapArray:
    """The image the model made, in physical units; one channel of it (the first, unless one is chosen).

    Parameters
    ----------
    answer : torch.Tensor, shape (C_out, *spatial)
        In the network's units.
    """
    shown = max(channel, 0)
    values = answer[shown].cpu().numpy().astype(np.float32) * np.float32(output.gain) + np.float32(output.offset)
    title = output.modality or "the model's answer"
    title = f"{title}, channel {shown}" if len(answer) > 1 else title
    return MapArray(values, title, "answer", output.units, neutral=output.low, side="output")


def on_grid(region: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A region on another grid of the same field of view, by nearest sample."""
    if region.shape == shape:
        return region
    places = [
        np.minimum(((np.arange(m) + 0.5) * n / m).astype(int), n - 1) for n, m in zip(region.shape, shape, strict=True)
    ]
    found = region[np.ix_(*places)]
    if region.any() and not found.any():
        # marks that fall between the samples of a coarser grid: the samples they lie in
        inside = [(index + 0.5) * m // n for index, n, m in zip(np.nonzero(region), region.shape, shape, strict=True)]
        found[tuple(index.astype(int) for index in inside)] = True
    return found


def leak_numbers(
    values: np.ndarray, region: np.ndarray, spacing: tuple[float, ...], in_millimetres: bool
) -> dict[str, float]:
    """Shares of the map's mass far from the selection, and how far it reaches; empty for an empty map."""
    size = without_rounding(values)
    if not size.any():
        return {}
    unit = "mm" if in_millimetres else "pixels"
    mass = MassByDistance.of(size, region, spacing)
    leaks = mass.farther_than([*LEAK_DISTANCES, NEAR])
    found = {f"leak_{d:g}{unit}": float(v) for d, v in zip(LEAK_DISTANCES, leaks, strict=False)}
    return found | {
        "leak_near": float(leaks[-1]),
        "near": NEAR,
        "reach": mass.holding(1.0),
        "half_within": mass.holding(0.5),
        "in_millimetres": float(in_millimetres),
    }

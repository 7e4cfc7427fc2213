"""What the Trace page asks of the backend process: images that models make, quick maps, differences, leakage."""

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import BadInput, LightboxError
from dashboard.backend import questions

if TYPE_CHECKING:
    from core.scans.scan import Scan


@dataclass(frozen=True, eq=False)
class QuickMap:
    """A coarse map in scan space, and what it cost."""

    values: np.ndarray
    seconds: float


@dataclass(frozen=True)
class Difference:
    """How far the model's image is from the true one.

    Parameters
    ----------
    rows : tuple of (name, figure)
        For people.
    notes : tuple of str
        How the true image was read.
    """

    rows: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class LeakCurve:
    """Share of a map's mass (0..1) farther than each distance from its selection; empty for an empty map."""

    unit: str
    distances: tuple[float, ...]
    shares: tuple[float, ...]


def quick_map(scan: str, owner: str, model: str, content: str, request: str) -> QuickMap | None:
    """A coarse map within a moment; None where the explainer has none.

    Parameters
    ----------
    scan, owner, model, content : str
        As in `dashboard.backend.questions.predict`.
    request : str
        The run's `core.runs.ExplanationSpec` as JSON.
    """
    from core.explainers import explain, get_explainer

    asked = json.loads(request)
    cls = get_explainer(asked["explainer"])
    quick = cls.quick(cls.parameters(asked["preset"], asked["parameters"]))
    if quick is None:
        return None
    shelf = questions.shelf(owner)
    found = explain(
        shelf.scan(scan),
        questions.loaded_model(model, content),
        asked["explainer"],
        target=asked["target"],
        region=np.asarray(shelf.region(asked["region"])),
        preset=asked["preset"],
        parameters={**asked["parameters"], **quick},
    )
    return QuickMap(found.arrays["map"].values, found.seconds)


def error_map(
    scan: str, owner: str, model: str, content: str, truth: str, channel: int, path: Path | None = None
) -> np.ndarray:
    """Model's image minus the true one, float32, the scan's spatial shape."""
    from core.metrics.difference import difference

    made = questions.generate(scan, owner, model, content)[channel]
    return difference(made, _true_image(truth, owner, model, content, channel, path)[0])


def true_image(
    scan: str, owner: str, model: str, content: str, truth: str, channel: int, path: Path | None = None
) -> np.ndarray:
    """The true image in the units of the model's answer, the scan's spatial shape."""
    return _true_image(truth, owner, model, content, channel, path)[0]


def compare(
    scan: str, owner: str, model: str, content: str, truth: str, channel: int, path: Path | None = None
) -> Difference:
    """Figures of how far the model's image is from the true one."""
    from core.metrics import difference as metrics

    made = questions.generate(scan, owner, model, content)[channel]
    true, notes = _true_image(truth, owner, model, content, channel, path)
    if made.shape != true.shape:
        raise BadInput("The true image has another shape than the scan: choose one of the same shape.")
    output = questions.loaded_model(model, content).card.output
    assert output is not None
    unit = output.units
    similarity = metrics.structural_similarity(made, true, output.low, output.high)
    rows = [
        ("mean absolute error", f"{metrics.mean_absolute_error(made, true):.4g} {unit}"),
        (
            "mean squared error",
            f"{metrics.mean_squared_error(made, true):.4g} {unit}²"
            if unit
            else f"{metrics.mean_squared_error(made, true):.4g}",
        ),
        ("structural similarity", "too small to say" if np.isnan(similarity) else f"{similarity:.3f}"),
    ]
    if unit == "HU":
        tissues = {"air": "air, below −200 HU", "soft": "soft tissue", "bone": "bone, above 200 HU"}
        for name, error in metrics.error_by_tissue(made, true).items():
            rows.append((f"error in {tissues[name]}", "none there" if np.isnan(error) else f"{error:.4g} HU"))
    return Difference(tuple((name, figure.strip()) for name, figure in rows), notes)


def leak_curve_of(
    scan: str, owner: str, model: str, content: str, map_path: str, region: str, points: int
) -> LeakCurve:
    """How much of a stored map lies farther from its selection than each of some evenly spaced distances."""
    from core.metrics.leakage import MassByDistance, without_rounding

    values = without_rounding(np.load(map_path, mmap_mode="r", allow_pickle=False))
    if not values.any():
        return LeakCurve("", (), ())
    spacing, unit = _spacing(scan, owner, model, content)
    found = MassByDistance.of(values, questions.shelf(owner).region(region), spacing)
    step = _round_step(max(found.holding(1.0), min(spacing)) / (points - 1))
    distances = tuple(step * n for n in range(points))
    return LeakCurve(unit, distances, tuple(float(share) for share in found.farther_than(distances)))


def _spacing(scan: str, owner: str, model: str, content: str) -> tuple[tuple[float, ...], str]:
    """Size of the scan's samples; the model's card tells it for a picture, else it is counted in pixels."""
    prepared = questions.loaded_model(model, content).prepare(questions.shelf(owner).scan(scan))
    found = prepared.scan
    if found.dimensions == 3:
        return found.spacing_mm, "mm"
    scale = [np.linalg.norm(prepared.grid.affine[:3, a]) / np.linalg.norm(found.affine[:3, a]) for a in (0, 1)]
    size = prepared.picture_spacing_mm or found.spacing_mm
    if prepared.picture_spacing_mm is not None:
        size = tuple(float(mm / s) for mm, s in zip(size, scale, strict=True))
    return tuple(size), "mm" if prepared.in_millimetres else "pixels"


def _round_step(least: float) -> float:
    """The smallest of 0.1, 0.2, 0.5, 1, 2, 5 … that is not below `least`."""
    decade = 10.0 ** np.floor(np.log10(least))
    return float(next(round(m * decade, 9) for m in (1, 2, 5, 10) if m * decade >= least * (1 - 1e-9)))


def get_ready(scan: str, owner: str, model: str, content: str, explainer: str) -> None:
    """Ask about one sample on every side, while nobody waits for it: the first stroke finds everything loaded."""
    from core.explainers import explain, get_explainer

    cls, found = get_explainer(explainer), questions.shelf(owner).scan(scan)
    middle = np.zeros(found.shape, dtype=bool)
    middle[tuple(n // 2 for n in found.shape)] = True
    loaded = questions.loaded_model(model, content)
    for steered in cls.steered_by_region.values() or ({},):
        quick = cls.quick(cls.parameters(None, steered))
        # a scan without anything at its middle, or that does not fit, is for the page to speak of
        with contextlib.suppress(LightboxError):
            if quick is not None:
                explain(found, loaded, explainer, region=middle, parameters={**steered, **quick})


def _true_image(
    truth: str, owner: str, model: str, content: str, channel: int, path: Path | None
) -> tuple[np.ndarray, tuple[str, ...]]:
    from core.models.card import Intensity
    from core.models.intensities import meet_intensity
    from core.scans import load_scan

    found: Scan = load_scan(path) if path is not None else questions.shelf(owner).scan(truth)
    output = questions.loaded_model(model, content).card.output
    assert output is not None
    fitted = meet_intensity(found, Intensity(low=output.low, high=output.high, units=output.units))
    values = found.array[min(channel, found.channels - 1)] * np.float32(fitted.gain) + np.float32(fitted.offset)
    return values, tuple(f"true image: {note} {output.units}".rstrip() for note in fitted.notes)

"""Running one explainer on one scan: from scan space to model space and back, timed and recorded."""

import dataclasses
import math
import platform
import time
from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from core import VERSION
from core.errors import BadInput
from core.explainers.base import Explanation, MapArray, Question, Side
from core.explainers.registry import get_explainer
from core.metrics.atlas import Atlas, atlas_for
from core.metrics.landmarks import Overlap, overlaps
from core.metrics.localisation import RegionShare, rank_regions
from core.models.inputs import PreparedInput
from core.models.model import Model
from core.progress import Progress, Report, silent
from core.scans.scan import Scan
from core.wording import percent

_RECORDED_PACKAGES = ("torch", "numpy", "scipy", "captum", "nibabel")


def explain(
    scan: Scan,
    model: Model,
    explainer: str,
    *,
    target: str | None = None,
    region: np.ndarray | None = None,
    preset: str | None = None,
    report: Report = silent,
    **values: Any,
) -> Explanation:
    """Explain what `model` says about `scan`.

    Parameters
    ----------
    scan : Scan
        What to explain the answer for.
    model : Model
        Whose answer.
    explainer : str
        Name of an explainer (``mask``, ``saliency`` …).
    target : str, optional
        Class to explain; by default the card's target, and else the one that the model gives most.
    region : numpy.ndarray, optional
        Region in scan space (the scan's spatial shape; samples above 0 are marked). Explainers that take one explain
        it; one on a regressor's output is drawn on the image it makes, which lies over the scan. For all others it is
        a landmark: how much of the map lies in it is recorded (``region_share``, and ``region_area`` to compare).
    preset : str, optional
        Named settings; by default the explainer's first.
    report : Report
        Receives progress; may raise `core.errors.Cancelled`. Previews are in model space.
    **values
        Parameters of the explainer, over the preset.

    Returns
    -------
    Explanation
        Maps in scan space.

    Raises
    ------
    BadInput
        When scan, model, explainer, parameters and region do not fit each other.
    """
    if region is not None:
        # marks of any type, as in files: above 0 is marked, and what is no number is not
        region = np.asarray(region) > 0
    cls = get_explainer(explainer)
    reason = cls.unfit(model)
    if reason:
        raise BadInput(reason)
    parameters = cls.parameters_for(model, cls.parameters(preset, values))
    if region is None and cls.needs_region(model, parameters):
        raise BadInput(f"{cls.title} explains a marked region: mark one with --region FILE, or on the Trace page.")
    classifies = model.card.task == "classification"
    index = model.class_index(target) if classifies and (target or model.card.target) else None
    started = time.perf_counter()
    prepared = model.prepare(scan)
    atlas = _atlas(model, prepared)  # one that cannot be read should cost no waiting
    sides = _sides(model, prepared)
    side = cls.region_side(model, parameters)
    report(Progress(0.0, "asking the model"))
    before = model.probabilities(prepared.tensor) if classifies else None
    if before is not None and index is None:
        index = model.class_index(max(before, key=before.__getitem__))
    question = Question(model, prepared, index, _region_in_model(region, scan, sides[side]), report)
    findings = cls().run(question, parameters)
    size = np.abs(findings.arrays["map"].values)
    # a map over an answer of another size does not lie on the atlas's grid
    fits = atlas is not None and atlas.labels.shape == size.shape
    regions = rank_regions(size, atlas.labels, atlas.names) if atlas and fits else ()
    arrays = {name: _in_scan_space(array, sides[array.side]) for name, array in findings.arrays.items()}
    landmark = None
    if region is not None:
        arrays["region"] = _as_array(region, side)
        if not cls.takes_region:
            (landmark,) = overlaps(arrays["map"].values, {"region": region})
    explanation = Explanation(
        explainer=explainer,
        model=model.card.name,
        target=model.card.classes[index] if index is not None else None,
        preset=preset or next(iter(cls.presets)),
        parameters=parameters.model_dump(mode="json"),
        scan=scan,
        arrays=arrays,
        scores={"before": before, "after": findings.after} if before is not None else None,
        history=findings.history,
        regions=regions,
        atlas=atlas.title if atlas else "",
        checks=findings.checks,
        numbers={**findings.numbers, **_landmark_numbers(landmark)},
        notes=(*scan.notes, *prepared.notes, *_place_notes(regions, model, prepared)),
        warnings=(*sides["output"].warnings, *findings.warnings),
        sentence="",
        synthetic=model.card.synthetic,
        seconds=time.perf_counter() - started,
        versions=_versions(),
        hashes={"scan": scan.content_hash, "model": model.content_hash},
        parts=findings.parts,
        curves={name: curve for name, curve in cls.curves.items() if name in findings.history},
    )
    return dataclasses.replace(explanation, sentence=f"{cls.sentence(explanation)}{_landmark_sentence(landmark)}")


def _region_in_model(region: np.ndarray | None, scan: Scan, prepared: PreparedInput) -> np.ndarray | None:
    if region is None:
        return None
    if region.shape != scan.shape:
        raise BadInput(f"The region has shape {region.shape} and the scan {scan.shape}: draw it on this scan.")
    if not region.any():
        raise BadInput("The region is empty: mark at least one voxel.")
    marked = prepared.region_to_model(region)
    if not marked.any():
        raise BadInput("The region lies outside what the model looks at: mark another place.")
    return marked


def _landmark_numbers(landmark: Overlap | None) -> dict[str, float]:
    """Share of the map in the region, and of the scan; an empty map has no share."""
    if landmark is None or math.isnan(landmark.share):
        return {}
    return {"region_share": landmark.share, "region_area": landmark.area}


def _landmark_sentence(landmark: Overlap | None) -> str:
    if landmark is None or math.isnan(landmark.share):
        return ""
    return f" The marked region, {percent(landmark.area)} of the scan, holds {percent(landmark.share)} of the map."


def _as_array(region: np.ndarray, side: Side) -> MapArray:
    """The region as it was marked, so that what leaves can be repeated."""
    return MapArray(region.astype(np.float32), "marked region", "labels", side=side)


def _sides(model: Model, prepared: PreparedInput) -> dict[Side, PreparedInput]:
    """The scan on the grid of the network's input and on that of its answer."""
    if model.card.task == "classification":
        return {"input": prepared, "output": prepared}
    return {"input": prepared, "output": prepared.on_output(tuple(model.respond(prepared.tensor).shape[2:]))}


def _in_scan_space(array: MapArray, prepared: PreparedInput) -> MapArray:
    if array.kind == "image":
        return dataclasses.replace(array, values=prepared.changed_scan(array.values))
    order = 0 if array.kind == "labels" else 1
    return dataclasses.replace(array, values=prepared.to_scan(array.values, order=order, fill=array.neutral))


def _atlas(model: Model, prepared: PreparedInput) -> Atlas | None:
    """The atlas where the model looks, None where the scan has no place in its space."""
    # a picture that had to be scaled or padded cannot be the very slice of MNI space that the model reads
    if prepared.scan.dimensions == 2 and prepared.scan.shape != model.card.input.shape:
        return None
    return atlas_for(model.card.input)


def _place_notes(regions: tuple[RegionShare, ...], model: Model, prepared: PreparedInput) -> tuple[str, ...]:
    """A picture has no place in space: say what its regions' names rest on."""
    contract = model.card.input
    if not regions or prepared.scan.dimensions == 3 or contract.position_mm is None:
        return ()
    return (
        f"regions are named as if the picture were the {contract.plane} slice at {contract.position_mm:g} mm in MNI",
    )


def _versions() -> dict[str, str]:
    found = {name: version(name) for name in _RECORDED_PACKAGES}
    return {
        "lightbox": VERSION,
        "python": platform.python_version(),
        **found,
        "cuda": str(torch.version.cuda or "none"),
    }

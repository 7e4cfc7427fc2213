"""Running one explainer on one scan: from scan space to model space and back, timed and recorded."""

import copy
import dataclasses
import platform
import time
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from core import VERSION
from core.acceptance import Acceptance, judge
from core.errors import BadInput
from core.explainers.base import REGION, Explanation, Findings, MapArray, Question, Side
from core.explainers.extras import OnModelGrid
from core.explainers.outside import outside_also, outside_first, outside_numbers
from core.explainers.registry import get_explainer
from core.metrics.atlas import Atlas, atlas_for
from core.metrics.localisation import RegionShare, rank_regions
from core.metrics.registry import measured
from core.models.inputs import PreparedInput, image_to_plane
from core.models.model import Model
from core.progress import Progress, Report, silent
from core.scans.scan import Scan
from core.wording import percent

_RECORDED_PACKAGES = ("torch", "numpy", "scipy", "captum", "nibabel")
#: Numbers of a region that is a landmark: its share of the map, and of the scan.
_SHARE, _AREA = "region_share", "region_area"


def explain(
    scan: Scan,
    model: Model,
    explainer: str,
    *,
    target: str | None = None,
    region: np.ndarray | None = None,
    preset: str | None = None,
    parameters: Mapping[str, Any] | None = None,
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
    parameters : mapping of str to Any, optional
        Parameters of the explainer, over the preset. A parameter may have any name here, also one of the words above.
    report : Report
        Receives progress; may raise `core.errors.Cancelled`. Previews are in model space.
    **values
        The same as `parameters`, and over them, for calls that are written by hand.

    Returns
    -------
    Explanation
        Maps in scan space.

    Raises
    ------
    BadInput
        When scan, model, explainer, parameters and region do not fit each other, or a region is missing.
    """
    asker = Asker(model, explainer, target=target, preset=preset, parameters={**(parameters or {}), **values})
    return asker.explain(scan, region, report)


class Asker:
    """A model and an explainer that fit each other: checked once, then asked about any number of scans.

    Parameters
    ----------
    model, explainer, target, preset, parameters
        As in `explain`.

    Attributes
    ----------
    model : Model
    explainer : type of Explainer
    parameters : Parameters
        Of the preset with the values given, and with what only the model knows.

    Raises
    ------
    BadInput
        When model, explainer and parameters do not fit each other.
    """

    def __init__(
        self,
        model: Model,
        explainer: str,
        *,
        target: str | None = None,
        preset: str | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        self.model, self.explainer = model, get_explainer(explainer)
        reason = self.explainer.unfit(model)
        if reason:
            raise BadInput(reason)
        self.preset = preset or next(iter(self.explainer.presets))
        self.parameters = self.explainer.parameters_for(model, self.explainer.parameters(preset, parameters))
        self._classifies = model.card.task == "classification"
        self._side = self.explainer.region_side(model, self.parameters)
        chosen = self._classifies and (target or model.card.target)
        self._index = model.class_index(target) if chosen else None

    def explain(
        self, scan: Scan, region: np.ndarray | None = None, report: Report = silent, ranked: bool = True
    ) -> Explanation:
        """Explanation of one scan; see `explain`.

        Parameters
        ----------
        scan, region, report
            As in `explain`.
        ranked : bool
            Whether the regions of the atlas are ranked and named: not wanted where many scans are asked about and only
            their maps and numbers are looked at.

        Raises
        ------
        BadInput
            When scan, model and region do not fit each other, or a region is missing.
        """
        if region is not None:
            # marks of any type, as in files: above 0 is marked, and what is no number is not
            region = np.asarray(region) > 0
        elif self.explainer.needs_region(self.model, self.parameters):
            raise BadInput(
                f"{self.explainer.title} explains a marked region: mark one with --region FILE, or on the Trace page."
            )
        started = time.perf_counter()
        prepared = self.model.prepare(scan)
        accepted = judge(self.model, prepared)
        # one that cannot be read should cost no waiting
        atlas = _atlas(self.model, prepared, accepted) if ranked else None
        sides = _sides(self.model, prepared)
        report(Progress(0.0, "asking the model"))
        before = self.model.probabilities(prepared.tensor) if self._classifies else None
        marked = _region_in_model(region, scan, sides[self._side])
        self._refuse_what_misleads(prepared)
        question = Question(self.model, prepared, self._index_of(before), marked, report)
        findings = self.explainer().run(question, self.parameters)
        found = self._over_scan(question, findings, sides, atlas)
        if region is not None:
            found = self._with_region(found, region)
        found = dataclasses.replace(
            found,
            scores={"before": before, "after": findings.after} if before is not None else None,
            seconds=time.perf_counter() - started,
            acceptance=accepted,
        )
        end = "" if self.explainer.takes_region else _landmark_sentence(found)
        said = f"{outside_first(found)}{self.explainer.sentence(found)}{outside_also(found)}{end}"
        return dataclasses.replace(found, sentence=said, technical=self._technical(found))

    def _technical(self, found: Explanation) -> str:
        """The line for those who know the method; none of one with other parameters than the class it derives from."""
        try:
            return self.explainer.technical(found)
        except KeyError:
            return ""

    def map(self, prepared: PreparedInput, target: str | None, report: Report = silent) -> MapArray:
        """The map alone, in model space, raw: no tests, no regions, nothing moved to the scan's grid.

        Parameters
        ----------
        prepared : PreparedInput
            The scan as the model takes it (``asker.model.prepare(scan)``); its `to_scan` lays the map over the scan.
        target : str, optional
            Class to explain; None for regressors.
        report : Report
            As in `explain`.
        """
        index = None if target is None else self.model.class_index(target)
        self._refuse_what_misleads(prepared)
        question = Question(self.model, prepared, index, None, report)
        return self.explainer().attribute(question, self.parameters)

    def to(self, model: Model) -> "Asker":
        """The very same question to another model of the same card (the same network with random weights)."""
        other = copy.copy(self)
        other.model = model
        return other

    def _refuse_what_misleads(self, prepared: PreparedInput) -> None:
        """A network that is no function of the scan, or whose gradient is not its slope, has no map to be believed."""
        if not self._classifies:
            return
        reason = self.model.behaviour(prepared.tensor).refusal
        if reason is None and self.explainer.needs_gradient(self.parameters):
            reason = self.model.why_no_gradient(prepared.tensor)
        if reason:
            raise BadInput(reason)

    def _over_scan(
        self, question: Question, findings: Findings, sides: Mapping[Side, PreparedInput], atlas: Atlas | None
    ) -> Explanation:
        """Findings on the scan's own grid, with everything that belongs to them but scores, sentence and time."""
        card, prepared = self.model.card, question.prepared
        scan, regions = prepared.scan, _ranked(findings, atlas)
        return Explanation(
            explainer=self.explainer.name,
            model=card.name,
            target=card.classes[question.target] if question.target is not None else None,
            preset=self.preset,
            parameters=self.parameters.model_dump(mode="json"),
            scan=scan,
            arrays={name: _in_scan_space(array, sides[array.side]) for name, array in findings.arrays.items()},
            scores=None,
            history=findings.history,
            regions=regions,
            atlas=atlas.title if atlas else "",
            checks=findings.checks,
            numbers={**findings.numbers, **outside_numbers(findings, prepared, regions)},
            notes=(*scan.notes, *prepared.notes, *_place_notes(regions, self.model, prepared)),
            warnings=(*sides["output"].warnings, *findings.warnings),
            sentence="",
            synthetic=card.synthetic,
            seconds=0.0,
            versions=_versions(),
            hashes={"scan": scan.content_hash, "model": self.model.content_hash},
            parts=findings.parts,
            curves={name: curve for name, curve in self.explainer.curves.items() if name in findings.history},
            on_model_grid=_on_model_grid(findings, prepared),
        )

    def _with_region(self, found: Explanation, region: np.ndarray) -> Explanation:
        """`found` with the region as it was marked and, where it is a landmark, how much of the map it holds."""
        numbers, warned = found.numbers, found.warnings
        if not self.explainer.takes_region:
            of_region, problems = measured("map and region", found.arrays["map"].values, region)
            numbers, warned = {**of_region, **numbers}, (*warned, *problems)
        arrays = {**found.arrays, REGION: _as_array(region, self._side)}
        return dataclasses.replace(found, arrays=arrays, numbers=numbers, warnings=warned)

    def _index_of(self, before: Mapping[str, float] | None) -> int | None:
        """The class that is explained: the one asked for, the card's, else the one that the model gives most."""
        if before is None or self._index is not None:
            return self._index
        return self.model.class_index(max(before, key=before.__getitem__))


def _ranked(findings: Findings, atlas: Atlas | None) -> tuple[RegionShare, ...]:
    size = np.abs(findings.arrays["map"].values)
    # a map over an answer of another size does not lie on the atlas's grid
    fits = atlas is not None and atlas.labels.shape == size.shape
    return rank_regions(size, atlas.labels, atlas.names) if atlas and fits else ()


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


def _landmark_sentence(found: Explanation) -> str:
    if _SHARE not in found.numbers:
        return ""
    area, share = percent(found.numbers[_AREA]), percent(found.numbers[_SHARE])
    return f" The marked region, {area} of the scan, holds {share} of the map."


def _as_array(region: np.ndarray, side: Side) -> MapArray:
    """The region as it was marked, so that what leaves can be repeated."""
    return MapArray(region.astype(np.float32), "marked region", "labels", side=side)


def _sides(model: Model, prepared: PreparedInput) -> dict[Side, PreparedInput]:
    """The scan on the grid of the network's input and on that of its answer."""
    if model.card.task == "classification":
        return {"input": prepared, "output": prepared}
    return {"input": prepared, "output": prepared.on_output(tuple(model.respond(prepared.tensor).shape[2:]))}


def _in_scan_space(array: MapArray, prepared: PreparedInput) -> MapArray:
    if array.in_scan is not None:
        return dataclasses.replace(array, values=array.in_scan, in_scan=None)
    if array.kind == "image":
        return dataclasses.replace(array, values=prepared.changed_scan(array.values))
    order = 0 if array.kind == "labels" else 1
    return dataclasses.replace(array, values=prepared.to_scan(array.values, order=order, fill=array.neutral))


def _on_model_grid(findings: Findings, prepared: PreparedInput) -> OnModelGrid | None:
    """Input, map and changed scan as the network has them; None where they are what lies over the scan."""
    if prepared.plane is None and prepared.grid.same_as(prepared.scan.grid):
        return None
    arrays = {"input": prepared.tensor[0, 0].cpu().numpy()}
    for name in ("map", "perturbed"):
        if name in findings.arrays and findings.arrays[name].side == "input":
            arrays[name] = findings.arrays[name].values
    if prepared.plane is not None:
        arrays = {name: image_to_plane(values, prepared.plane) for name, values in arrays.items()}
    return OnModelGrid(prepared.grid, arrays)


def _atlas(model: Model, prepared: PreparedInput, accepted: Acceptance) -> Atlas | None:
    """The atlas where the model looks, None where the scan has no place in its space or is none that it reads."""
    if accepted.refused or accepted.in_mni_space is False:
        return None
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

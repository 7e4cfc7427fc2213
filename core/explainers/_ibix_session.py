"""One trace, from question to findings: measure, engine, mapping, and what must be known of the map."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
import torch
from torch import nn

from core.errors import BadInput
from core.explainers._ibix_backward import Backward, Region, Tell
from core.explainers._ibix_equations import (
    Jitters,
    RegionSums,
    quick_jitters,
    shares,
    sums_inside,
    uniform_jitters,
)
from core.explainers._ibix_gradient import backward_derivative, correlation, forward_derivative
from core.explainers._ibix_mapping import Mapper, Measure, PublishedMeasure, SlopeMeasure
from core.explainers._ibix_perturbations import ONE_SIDED, Perturbation
from core.explainers._ibix_report import Watch, answer_array, leak_numbers, on_grid
from core.explainers._ibix_superpixels import Superpixels, body_of, counts_by_level, superpixels_of
from core.explainers._responses import Box, Responses, responses_for
from core.explainers.base import Check, Findings, MapArray, Question
from core.explainers.ibix import IbixParameters
from core.models.card import OutputContract
from core.progress import silent
from core.wording import percent

#: Jitters of the first sketch, and of the coarse comparison of a derivative with real changes.
_SKETCH_NODES, _COMPARISON_NODES = 4, 8
#: A window of one superpixel that reaches more of the answer than this is not local.
_LOCAL = 0.6
_EVERYTHING = 0.99


class IbixSession:
    """Everything one trace needs, built when first asked for."""

    def __init__(self, question: Question, parameters: IbixParameters) -> None:
        self.question, self.parameters = question, parameters
        self.card = question.model.card
        self.forward = parameters.direction == "forward"
        self.classifier = self.card.task == "classification"
        self.published = parameters.variant == "published_code"
        self.warnings: list[str] = []
        self.numbers: dict[str, float] = {}
        self.checks: list[Check] = []
        self._refuse_what_does_not_fit()
        self.watch = Watch(question.report)

    def findings(self) -> Findings:
        """Run the mapping and gather what belongs to it."""
        gradient = self.parameters.mode == "gradient"
        self._note_region_and_range()
        if self.forward:
            arrays = self._forward_gradient() if gradient else self._forward()
        else:
            arrays = self._backward_gradient() if gradient else self._backward()
        if not gradient or self.parameters.compare:
            self._note_engine()
        self._note_map(arrays["map"])
        if not self.classifier:
            arrays["answer"] = answer_array(self.answer, self.output_contract, self.parameters.output_channel)
        return Findings(arrays, checks=tuple(self.checks), numbers=self.numbers, warnings=tuple(self.warnings))

    # what the mappings are made of

    @cached_property
    def x(self) -> torch.Tensor:
        """The input; for the published code in whole grey levels, as that program reads it."""
        x = self.question.prepared.tensor.to(self.question.model.device)
        if self.published:
            measure = self._published_measure(x.device)
            return measure.seen(measure.grey(x))
        return x

    @cached_property
    def responses(self) -> Responses:
        """How the network is asked; half of the memory is the engine's."""
        memory = self.parameters.memory_mb * 2**19
        found = responses_for(self.question.model.network, self.x, memory, self.parameters.engine)
        if not torch.isfinite(found.output).all():
            raise BadInput(f"The model {self.card.name} has no finite answer to this scan: check the scan's values.")
        return found

    @cached_property
    def answer(self) -> torch.Tensor:
        """The unchanged answer without the batch axis; (C_out, *spatial) or (classes,)."""
        if "responses" in self.__dict__:
            return self.responses.output[0]
        with torch.inference_mode():
            return self.question.model.network(self.x).float()[0]

    @cached_property
    def largest(self) -> float:
        """H: input units for what is added, a share for what is multiplied, 1 for what is replaced."""
        chosen = self.parameters
        if chosen.perturbation in ONE_SIDED:
            return 1.0
        if chosen.perturbation == "multiply":
            return chosen.jitter_percent / 100
        if chosen.jitter_range > 0:
            return chosen.jitter_range * self.question.prepared.gain
        low, high = self._range
        return chosen.jitter_percent / 100 * (high - low)

    @cached_property
    def perturbation(self) -> Perturbation:
        chosen = self.parameters
        channel = chosen.input_channel if chosen.input_channel >= 0 else None
        spacing = self.question.prepared.spacing_mm
        return Perturbation(chosen.perturbation, self.x, spacing, chosen.blur_mm, chosen.seed, channel)

    @cached_property
    def superpixels(self) -> Superpixels:
        return self._cut(self.parameters.superpixels)

    @cached_property
    def body(self) -> np.ndarray:
        return body_of(self.x[0].cpu().numpy())

    @cached_property
    def spacing(self) -> tuple[float, ...]:
        """Millimetres along each axis of the map's grid (the answer's, where it differs from the input's)."""
        spacing, shape = self.question.prepared.spacing_mm, self.x.shape[2:]
        if not self.forward or self.classifier:
            return spacing
        return tuple(s * n / m for s, n, m in zip(spacing, shape, self.answer.shape[1:], strict=True))

    @property
    def output_contract(self) -> OutputContract:
        assert self.card.output is not None
        return self.card.output

    @property
    def _range(self) -> tuple[float, float]:
        return self.card.input.intensity.low, self.card.input.intensity.high

    @property
    def _channel(self) -> int | None:
        return self.parameters.output_channel if self.parameters.output_channel >= 0 else None

    def _jitters(self, nodes: int | None = None) -> Jitters:
        one_sided = self.parameters.perturbation in ONE_SIDED
        if nodes is not None:
            return quick_jitters(self.largest, one_sided, nodes)
        if self.parameters.quadrature == "quick":
            return quick_jitters(self.largest, one_sided)
        return uniform_jitters(self.largest, self.parameters.jitters, one_sided)

    def _mapper(self, nodes: int | None = None) -> Mapper:
        measure: Measure
        if self.published and nodes is None:
            measure = self._published_measure(self.x.device)
        else:
            bounds = self._range if self.parameters.clip else None
            measure = SlopeMeasure(self._jitters(nodes), self.x.device, bounds, self._transform)
        return Mapper(self.responses, measure, self.x, self.parameters.memory_mb * 2**18)

    def _published_measure(self, device: torch.device) -> PublishedMeasure:
        return PublishedMeasure(self.parameters.jitters, device, self.card.input, self.output_contract)

    @property
    def _transform(self) -> Callable[[torch.Tensor], torch.Tensor] | None:
        return _softmax if self.classifier and self.parameters.score == "probability" else None

    def _cut(self, count: int) -> Superpixels:
        body = self.body if self.parameters.body else None
        if self.classifier and self.question.region is not None:
            body = self.question.region if body is None else self.question.region & body
            if not body.any():
                raise BadInput("The marked region lies outside the body: mark another place, or set body=False.")
        image = self.x[0].cpu().numpy()
        spacing = self.question.prepared.spacing_mm
        return superpixels_of(image, count, self.parameters.compactness, spacing, body)

    # forward

    def _forward(self) -> dict[str, MapArray]:
        region = self._marked()
        window = _window_of(region)
        inside = torch.from_numpy(np.ascontiguousarray(region[window])).to(self.x.device)
        direction = self.perturbation.direction(window, inside)
        if not bool(direction.any()):
            self.warnings.append(f"the perturbation {self.parameters.perturbation} changes nothing in this region")
        mapper = self._mapper()

        def step(share: float, so_far: Callable[[], torch.Tensor]) -> None:
            preview = None if self.classifier else (lambda: self._map_of(self._spread(box_of(), so_far())))
            self.watch(share, f"{share * len(mapper.measure):.0f} of {len(mapper.measure)} jitters", preview)

        def box_of() -> Box:
            reached = self.responses.footprint(window)
            return reached if reached is not None else tuple(slice(0, 0) for _ in window)

        box, slopes = mapper.slopes(window, direction, step)
        self.numbers |= {"evaluations": mapper.evaluations, "jitters": len(mapper.measure)}
        self._note_footprint(box)
        if self.classifier:
            return {"map": self._number_on_region(slopes, region)}
        return {"map": self._forward_array(self._map_of(self._spread(box, slopes)))}

    def _spread(self, box: Box, slopes: torch.Tensor) -> torch.Tensor:
        whole = torch.zeros(self.answer.shape, device=slopes.device)
        whole[(slice(None), *box)] = slopes
        return whole

    def _map_of(self, slopes: torch.Tensor) -> np.ndarray:
        """F over the answer's channels → one map."""
        if self._channel is not None:
            slopes = slopes[self._channel : self._channel + 1]
        if self.parameters.sums == "absolute":
            slopes = slopes.abs()
        return slopes.sum(dim=0).cpu().numpy().astype(np.float32)

    def _forward_array(self, values: np.ndarray, gradient: bool = False) -> MapArray:
        signed = self.parameters.sums != "absolute" and not self.published
        what = "derivative at the scan itself" if gradient else "forward map F"
        if self.published:
            return MapArray(values, "forward influence (published code)", "attribution", "grey levels", side="output")
        title = what if signed else f"|{what}|" if not gradient else f"size of the {what}"
        return MapArray(values, title, "attribution", "Δ output / Δ input", diverging=signed, side="output")

    def _number_on_region(self, slopes: torch.Tensor, region: np.ndarray) -> MapArray:
        """A classifier's F has no place: one number a class, and the target's painted on the region."""
        for name, value in zip(self.card.classes, slopes.tolist(), strict=True):
            self.numbers[f"slope {name}"] = value
        target = self.question.target
        assert target is not None
        values = region.astype(np.float32) * float(slopes[target])
        title = f"effect of the marked region on {self.card.classes[target]} (one number, painted on the region)"
        return MapArray(values, title, "attribution", f"Δ {self.parameters.score} / Δ input", diverging=True)

    # backward

    def _backward(self) -> dict[str, MapArray]:
        region = self._output_region()
        mapper = self._mapper()
        backward = Backward(mapper, self.perturbation, region, self._value, self.question.prepared.spacing_mm)
        levels = self._levels()
        counts = counts_by_level(self.parameters.coarse_superpixels, self.parameters.superpixels, levels)
        tell: Tell = self.watch
        if levels == 1 and not self.published and self.question.report is not silent:
            # nobody waits for a sketch that nobody sees
            backward.sketch(
                self._mapper(_SKETCH_NODES), self._cut(min(self.parameters.coarse_superpixels, counts[0])), tell
            )
        values = np.zeros(0, dtype=np.float32)
        for number, count in enumerate(counts):
            superpixels = self.superpixels if number == levels - 1 else self._cut(count)
            start, end = number / levels, (number + 1) / levels
            values = backward.add_level(superpixels, self.parameters.coarse_threshold, tell, start, end)
        if self.published:
            values = np.trunc(values)
        self._note_backward(backward, mapper)
        return {"map": self._backward_array(values), "superpixels": self._labels()}

    def _output_region(self) -> Region:
        if self.classifier:
            marked = torch.zeros(len(self.card.classes), dtype=torch.bool, device=self.x.device)
            marked[self.question.target] = True
            return Region(marked, None)
        place = self._marked()
        return Region(torch.from_numpy(place.copy()).to(self.x.device), place, self._channel)

    def _value(self, sums: list[RegionSums], sizes: np.ndarray) -> np.ndarray:
        if self.published:
            marked = 1 if self.question.region is None else int(self.question.region.sum())
            return np.trunc(np.array([s.inside_absolute for s in sums]) / marked)
        chosen = self.parameters
        if chosen.divide_by == "all_outputs":
            return shares(sums, chosen.sums, chosen.denominator_floor)
        inside = sums_inside(sums, chosen.sums)
        return inside / sizes if chosen.divide_by == "pixels" else inside

    def _levels(self) -> int:
        if self.parameters.levels != "auto":
            return int(self.parameters.levels)
        if self.responses.reason is not None:
            return 2
        typical = self.superpixels.windows[len(self.superpixels) // 2]
        return 1 if self._reach(typical) < _LOCAL else 2

    def _reach(self, window: Box) -> float:
        """Share of the answer that a change inside `window` can reach."""
        box = self.responses.footprint(window)
        sizes = [s.stop - s.start for s in box] if box is not None else [0]
        return float(np.prod(sizes) / np.prod(self.answer.shape[1:]))

    def _backward_array(self, values: np.ndarray) -> MapArray:
        chosen, signed = self.parameters, self.parameters.sums != "absolute"
        if self.published:
            return MapArray(values, "backward influence (published code)", "attribution", "grey levels")
        what = (
            f"the {chosen.score} of {self.card.classes[self.question.target or 0]}" if self.classifier else "the region"
        )
        if chosen.divide_by == "all_outputs":
            kind = {"absolute": "", "signed": ", signed", "literal": ", signed sums as printed"}[chosen.sums]
            return MapArray(
                values, f"share of the effect that falls on {what}{kind}", "attribution", "share", diverging=signed
            )
        per = " per pixel" if chosen.divide_by == "pixels" else ""
        title = f"{'effect' if signed else 'size of the effect'} on {what}{per}"
        return MapArray(values, title, "attribution", "Δ output / Δ input", diverging=signed)

    def _labels(self) -> MapArray:
        return MapArray(self.superpixels.labels.astype(np.float32), "superpixels", "labels", "number")

    # gradient mode

    def _network(self) -> nn.Module:
        network = self.question.model.network
        return nn.Sequential(network, nn.Softmax(dim=1)) if self._transform is not None else network

    def _forward_gradient(self) -> dict[str, MapArray]:
        region = self._marked()
        everywhere: Box = tuple(slice(0, n) for n in region.shape)
        direction = self.perturbation.direction(everywhere, torch.from_numpy(region.copy()).to(self.x.device))
        slopes = forward_derivative(self._network(), self.x, direction[None])
        if self.parameters.compare:
            window = _window_of(region)
            mapper = self._mapper(_COMPARISON_NODES * 2)
            box, real = mapper.slopes(window, direction[(slice(None), *window)])
            self._compared(correlation(slopes, real if self.classifier else self._spread(box, real)), mapper)
        self._note_gradient()
        if self.classifier:
            return {"map": self._number_on_region(slopes, region)}
        return {"map": self._forward_array(self._map_of(slopes), gradient=True)}

    def _backward_gradient(self) -> dict[str, MapArray]:
        if self.parameters.perturbation in ("mean", "inpaint"):
            raise BadInput(
                f"The derivative has no regions to apply {self.parameters.perturbation} to: take add, multiply or blur."
            )
        region = self._output_region()
        weights = region.marked.float()
        if region.channel is not None:
            weights = weights * (torch.arange(len(self.answer), device=self.x.device) == region.channel).view(
                -1, *[1] * weights.ndim
            )
        slopes = backward_derivative(self._network(), self.x, weights)
        shape = tuple(self.x.shape[2:])
        everywhere: Box = tuple(slice(0, n) for n in shape)
        whole = torch.ones(shape, dtype=torch.bool, device=self.x.device)
        values = (slopes * self.perturbation.direction(everywhere, whole)).sum(dim=0).cpu().numpy()
        if self.parameters.compare:
            self._compare_backward(values, region)
        self._note_gradient()
        signed = self.parameters.sums != "absolute"
        title = "derivative at the scan itself" if signed else "size of the derivative at the scan itself"
        shown = values if signed else np.abs(values)
        return {"map": MapArray(shown.astype(np.float32), title, "attribution", "Δ output / Δ input", diverging=signed)}

    def _compare_backward(self, derivative: np.ndarray, region: Region) -> None:
        """Eq. 7 summed over coarse superpixels beside what changing them really does."""
        superpixels = self._cut(min(self.parameters.coarse_superpixels, self.parameters.superpixels))
        mapper = self._mapper(_COMPARISON_NODES)
        backward = Backward(mapper, self.perturbation, region, self._value, self.question.prepared.spacing_mm)
        backward.add_level(superpixels, 0.0, self.watch, 0.0, 1.0)
        level = backward.levels[0]
        real = torch.from_numpy(sums_inside(level.sums, "signed"))
        sums = np.bincount(superpixels.labels.ravel(), weights=derivative.ravel(), minlength=len(superpixels) + 1)[1:]
        self._compared(correlation(torch.from_numpy(sums), real), mapper)

    def _compared(self, found: float, mapper: Mapper) -> None:
        self.numbers |= {"gradient_correlation": found, "evaluations": mapper.evaluations}
        words = f"The derivative's correlation with the finite differences of eq. 5 is {found:.2f} at this H."
        self.checks.append(Check("gradient_correlation", "Derivative and real changes", found, words))

    # what must be known of a map

    def _note_gradient(self) -> None:
        beside = "" if self.parameters.compare else ", and the two were not compared here"
        self.warnings.append(f"the derivative at the scan itself is another quantity than eq. 5{beside}")

    def _note_backward(self, backward: Backward, mapper: Mapper) -> None:
        levels = backward.levels
        evaluated = sum(level.evaluated for level in levels)
        values = np.abs(self._value(levels[-1].sums, levels[-1].superpixels.sizes))
        rising = np.cumsum(np.sort(values)[::-1])
        self.numbers |= {
            "superpixels_asked": self.parameters.superpixels,
            "superpixels": len(self.superpixels),
            "superpixels_evaluated": evaluated,
            "superpixels_skipped": sum(level.skipped for level in levels),
            "superpixels_half": int(np.searchsorted(rising, rising[-1] / 2)) + 1 if rising[-1] > 0 else 0,
            "levels": len(levels),
            "evaluations": mapper.evaluations,
            "jitters": len(mapper.measure),
        }
        if self.parameters.sums == "literal" and self.parameters.divide_by == "all_outputs":
            below = [s.everywhere < 0 for level in levels for s in level.sums if s.everywhere_absolute > 0]
            if any(below):
                self.warnings.append(
                    f"{percent(float(np.mean(below)))} of the superpixels have a negative sum below the bar of eq. 6: "
                    "their values are no shares"
                )
        if not self.classifier:
            self._note_reach(max((self._reach(window) for window in self.superpixels.windows[::7]), default=0.0))

    def _note_footprint(self, box: Box) -> None:
        if not self.classifier:
            self._note_reach(float(np.prod([s.stop - s.start for s in box]) / np.prod(self.answer.shape[1:])))

    def _note_reach(self, share: float) -> None:
        self.numbers["footprint_share"] = share
        if share > _EVERYTHING and self.responses.reason is None:
            self.warnings.append("a change can reach the whole output, so that windows save nothing: this took longer")

    def _note_engine(self) -> None:
        reason = self.responses.reason
        self.numbers["windows_used"] = float(reason is None)
        if reason is not None and self.parameters.engine == "auto":
            self.warnings.append(f"the model was asked for whole images, which is slower: {reason.rstrip('.')}")

    def _note_region_and_range(self) -> None:
        """A region outside the body, and jitters that leave the range the model was made for."""
        region = self.question.region
        shape = tuple(self.x.shape[2:])
        here = on_grid(region, shape) if region is not None else np.ones(shape, dtype=bool)
        if region is not None:
            outside = 1 - float(self.body[here].mean()) if here.any() else 0.0
            self.numbers["region_outside_body"] = outside
            if outside >= 1:
                self.warnings.append("the marked region lies outside the body")
            elif outside > 0.02:
                self.warnings.append(f"{percent(outside)} of the marked region lies outside the body")
        if self.published or self.parameters.perturbation not in ("add", "noise"):
            return
        self.numbers["jitter_input"] = self.largest
        self.numbers["jitter_scan_units"] = self.largest / self.question.prepared.gain
        if self.parameters.clip or self.parameters.mode == "gradient":
            return
        low, high = self._range
        seen = self.x[0].cpu().numpy()[:, here if self.forward else self.body]
        tolerance = 1e-6 * (high - low)
        leaving = float(((seen - self.largest < low - tolerance) | (seen + self.largest > high + tolerance)).mean())
        if leaving > 0:
            self.numbers["share_leaving_range"] = leaving
            self.warnings.append(
                f"the largest jitter takes {percent(leaving)} of the changed values beyond the range the model was made "
                f"for, {low:g}…{high:g} (clip=True keeps them inside)"
            )

    def _note_map(self, array: MapArray) -> None:
        if self.classifier or self.question.region is None:
            return
        place = on_grid(self.question.region, array.values.shape)
        if place.any():
            self.numbers |= leak_numbers(array.values, place, self.spacing, self._in_millimetres())

    def _in_millimetres(self) -> bool:
        """A picture whose pixels have no size in space is measured in pixels."""
        prepared = self.question.prepared
        return (
            prepared.scan.dimensions == 3
            or prepared.picture_spacing_mm is not None
            or set(prepared.spacing_mm) != {1.0}
        )

    def _marked(self) -> np.ndarray:
        region = self.question.region
        if region is None:
            where = "the scan" if self.forward else "the model's answer"
            raise BadInput(f"Nothing is marked: mark at least one pixel on {where}.")
        shape = tuple(self.x.shape[2:] if self.forward else self.answer.shape[1:])
        if region.shape != shape:
            raise BadInput(f"The region has shape {region.shape}, and that side of the model {shape}: draw it there.")
        if not region.any():
            raise BadInput("The region is empty: mark at least one pixel.")
        return region

    def _refuse_what_does_not_fit(self) -> None:
        chosen = self.parameters
        if self.published and (self.classifier or chosen.perturbation != "add" or chosen.mode == "gradient"):
            raise BadInput("The published code adds grey levels to an image and compares images: nothing else fits it.")
        if chosen.perturbation == "multiply" and chosen.jitter_range > 0:
            raise BadInput("Values are multiplied by a share, which has no scan units: set jitter_percent instead.")
        channels = self.question.prepared.tensor.shape[1]
        if chosen.input_channel >= channels:
            raise BadInput(f"input_channel={chosen.input_channel} is beyond the last channel, {channels - 1}.")
        made = self.card.output.channels if self.card.output is not None else 1
        if chosen.output_channel >= made:
            raise BadInput(f"output_channel={chosen.output_channel} is beyond the last channel, {made - 1}.")


def _softmax(logits: torch.Tensor) -> torch.Tensor:
    return torch.softmax(logits, dim=1)


def _window_of(region: np.ndarray) -> Box:
    """Bounding box of a region that is not empty."""
    found = []
    for axis in range(region.ndim):
        hit = np.flatnonzero(region.any(axis=tuple(a for a in range(region.ndim) if a != axis)))
        found.append(slice(int(hit[0]), int(hit[-1]) + 1))
    return tuple(found)

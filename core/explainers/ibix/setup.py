"""What a trace is made of: the input, the way to ask the network, the perturbation, regions and superpixels."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
import torch
from torch import nn

from core.errors import BadInput
from core.explainers.base import Question
from core.explainers.ibix.backward import Region
from core.explainers.ibix.equations import Jitters, RegionSums, quick_jitters, shares, sums_inside, uniform_jitters
from core.explainers.ibix.mapping import Mapper, Measure, PublishedMeasure, SlopeMeasure
from core.explainers.ibix.parameters import IbixParameters
from core.explainers.ibix.perturbations import ONE_SIDED, Perturbation
from core.explainers.ibix.superpixels import Superpixels, body_of, superpixels_of
from core.models.card import OutputContract
from core.networks.choosing import responses_for
from core.networks.responses import Box, Responses


class Setup:
    """Built from a question and its parameters, each part when first asked for.

    Raises
    ------
    BadInput
        When parameters do not fit each other or the model.
    """

    def __init__(self, question: Question, parameters: IbixParameters) -> None:
        self.question, self.parameters = question, parameters
        self.card = question.model.card
        self.forward = parameters.direction == "forward"
        self.classifier = self.card.task == "classification"
        self.published = parameters.variant == "published_code"
        self._refuse_what_does_not_fit()

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
            return self.question.model.network(self.x.clone()).float()[0]

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
        low, high = self.range
        return chosen.jitter_percent / 100 * (high - low)

    @cached_property
    def perturbation(self) -> Perturbation:
        """How a place is changed."""
        chosen = self.parameters
        channel = chosen.input_channel if chosen.input_channel >= 0 else None
        spacing = self.question.prepared.spacing_mm
        return Perturbation(chosen.perturbation, self.x, spacing, chosen.blur_mm, chosen.seed, channel)

    @cached_property
    def superpixels(self) -> Superpixels:
        """As many as were asked for, about; see `cut`."""
        return self.cut(self.parameters.superpixels)

    @cached_property
    def body(self) -> np.ndarray:
        """Where the body is on the input, bool."""
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
        """What the card says of the answer's values."""
        assert self.card.output is not None
        return self.card.output

    @property
    def range(self) -> tuple[float, float]:
        """Lowest and highest value the network was made for."""
        return self.card.input.intensity.low, self.card.input.intensity.high

    @property
    def channel(self) -> int | None:
        """The answer's channel that counts; None for all."""
        return self.parameters.output_channel if self.parameters.output_channel >= 0 else None

    def jitters(self, nodes: int | None = None) -> Jitters:
        """The jitters asked for; with `nodes`, that many at a quick quadrature's places."""
        one_sided = self.parameters.perturbation in ONE_SIDED
        if nodes is not None:
            return quick_jitters(self.largest, one_sided, nodes)
        if self.parameters.quadrature == "quick":
            return quick_jitters(self.largest, one_sided)
        return uniform_jitters(self.largest, self.parameters.jitters, one_sided)

    def mapper(self, nodes: int | None = None) -> Mapper:
        """What asks the network and measures; with `nodes` quickly, see `jitters`."""
        measure: Measure
        if self.published and nodes is None:
            measure = self._published_measure(self.x.device)
        else:
            bounds = self.range if self.parameters.clip else None
            measure = SlopeMeasure(self.jitters(nodes), self.x.device, bounds, self._transform)
        return Mapper(self.responses, measure, self.x, self.parameters.memory_mb * 2**18)

    def _published_measure(self, device: torch.device) -> PublishedMeasure:
        return PublishedMeasure(self.parameters.jitters, device, self.card.input, self.output_contract)

    @property
    def _transform(self) -> Callable[[torch.Tensor], torch.Tensor] | None:
        return _softmax if self.classifier and self.parameters.score == "probability" else None

    def cut(self, count: int) -> Superpixels:
        """The input's superpixels, about `count`, inside the body or the marked region."""
        body = self.body if self.parameters.body else None
        if self.classifier and self.question.region is not None:
            body = self.question.region if body is None else self.question.region & body
            if not body.any():
                raise BadInput("The marked region lies outside the body: mark another place, or set body=False.")
        image = self.x[0].cpu().numpy()
        spacing = self.question.prepared.spacing_mm
        return superpixels_of(image, count, self.parameters.compactness, spacing, body)

    def marked(self) -> np.ndarray:
        """The region a person marked.

        Raises
        ------
        BadInput
            When nothing is marked, or the region has another shape than its side of the model.
        """
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

    def output_region(self) -> Region:
        """What of the answer counts: the class asked for, or the marked region."""
        if self.classifier:
            marked = torch.zeros(len(self.card.classes), dtype=torch.bool, device=self.x.device)
            marked[self.question.target] = True
            return Region(marked, None)
        place = self.marked()
        return Region(torch.from_numpy(place.copy()).to(self.x.device), place, self.channel)

    def value(self, sums: list[RegionSums], sizes: np.ndarray) -> np.ndarray:
        """B of superpixels from their sums and sizes."""
        if self.published:
            marked = 1 if self.question.region is None else int(self.question.region.sum())
            return np.trunc(np.array([s.inside_absolute for s in sums]) / marked)
        chosen = self.parameters
        if chosen.divide_by == "all_outputs":
            return shares(sums, chosen.sums, chosen.denominator_floor)
        inside = sums_inside(sums, chosen.sums)
        return inside / sizes if chosen.divide_by == "pixels" else inside

    def reach(self, window: Box) -> float:
        """Share of the answer that a change inside `window` can reach."""
        box = self.responses.footprint(window)
        sizes = [s.stop - s.start for s in box] if box is not None else [0]
        return float(np.prod(sizes) / np.prod(self.answer.shape[1:]))

    def _refuse_what_does_not_fit(self) -> None:
        chosen = self.parameters
        if self.published and (self.classifier or chosen.perturbation != "add" or chosen.mode == "gradient"):
            raise BadInput("The published code adds grey levels to an image and compares images: nothing else fits it.")
        if self.published and (chosen.quadrature == "quick" or chosen.clip or chosen.sums != "absolute"):
            raise BadInput("The published code has its own steps and sums: leave quadrature, clip and sums alone.")
        if chosen.perturbation == "multiply" and chosen.jitter_range > 0:
            raise BadInput("Values are multiplied by a share, which has no scan units: set jitter_percent instead.")
        channels = self.question.prepared.tensor.shape[1]
        if chosen.input_channel >= channels:
            raise BadInput(f"input_channel={chosen.input_channel} is beyond the last channel, {channels - 1}.")
        made = self.card.output.channels if self.card.output is not None else 1
        if chosen.output_channel >= made:
            raise BadInput(f"output_channel={chosen.output_channel} is beyond the last channel, {made - 1}.")

    def network(self) -> nn.Module:
        """The network, with a softmax behind it where probabilities count."""
        network = self.question.model.network
        return nn.Sequential(network, nn.Softmax(dim=1)) if self._transform is not None else network


def _softmax(logits: torch.Tensor) -> torch.Tensor:
    return torch.softmax(logits, dim=1)

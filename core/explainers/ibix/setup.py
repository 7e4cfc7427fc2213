"""What a trace is made of: the input, the way to ask the network, the perturbation, regions and superpixels."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch

from core.errors import BadInput
from core.explainers.base import Question
from core.explainers.ibix.answers import Answers, ClassAnswers, ImageAnswers, covered_by_scan, marked_on
from core.explainers.ibix.backward import Region
from core.explainers.ibix.mapping import Mapper
from core.explainers.ibix.parameters import IbixParameters
from core.explainers.ibix.perturbations import Perturbation
from core.explainers.ibix.superpixels import Superpixels, body_of, superpixels_of, window_of
from core.explainers.ibix.variants import VARIANTS, Variant
from core.networks import Box, Responses, at


class Setup:
    """Built from a question and its parameters, each part when first asked for.

    Attributes
    ----------
    answers : Answers
        What the model's answer is: an image, or a number a class.
    variant : Variant
        Whose arithmetic is used.

    Raises
    ------
    BadInput
        When parameters do not fit each other or the model.
    """

    def __init__(self, question: Question, parameters: IbixParameters) -> None:
        self.question, self.parameters = question, parameters
        self.card = question.model.card
        kind = ClassAnswers if self.card.task == "classification" else ImageAnswers
        self.answers: Answers = kind(question, parameters)
        self.variant: Variant = VARIANTS[parameters.variant](question, parameters, self.answers.transform)
        self._refuse_missing_channels()

    @cached_property
    def x(self) -> torch.Tensor:
        """The input as the network is asked about it."""
        return self.variant.input_of(self.question.prepared.tensor.to(self.question.model.device))

    @property
    def shape(self) -> tuple[int, ...]:
        """Spatial shape of the input."""
        return tuple(self.x.shape[2:])

    @cached_property
    def responses(self) -> Responses:
        """How the network is asked; half of the memory is the engine's."""
        memory = self.parameters.memory_mb * 2**19
        found = self.answers.responses(self.x, memory)
        if not torch.isfinite(found.output).all():
            raise BadInput(f"The model {self.card.name} has no finite answer to this scan: check the scan's values.")
        return found

    @cached_property
    def answer(self) -> torch.Tensor:
        """The unchanged answer without the batch axis; (C_out, *spatial) or (classes,)."""
        if "responses" in self.__dict__:
            return self.responses.output[0]
        with torch.inference_mode():
            return self.question.model.scores(self.x.clone()).float()[0]

    @cached_property
    def perturbation(self) -> Perturbation:
        """How a place is changed."""
        chosen = self.parameters
        channel = chosen.input_channel if chosen.input_channel >= 0 else None
        spacing = self.question.prepared.spacing_mm
        box = window_of(self.covered)
        return Perturbation(chosen.perturbation, self.x, spacing, chosen.blur_mm, chosen.seed, channel, box)

    @cached_property
    def superpixels(self) -> Superpixels:
        """As many as were asked for, about; see `cut`."""
        return self.cut(self.parameters.superpixels)

    @cached_property
    def covered(self) -> np.ndarray:
        """Where the input is of the scan and no padding, bool."""
        return covered_by_scan(self.question.prepared)

    @cached_property
    def counted(self) -> torch.Tensor | None:
        """Where the answer is of the scan, bool: nothing beyond counts in sums. None where an answer has no place."""
        shown = self.answers.covered(lambda: self.answer)
        return None if shown is None else torch.from_numpy(shown.copy()).to(self.x.device)

    @cached_property
    def body(self) -> np.ndarray:
        """Where the body is on the input, bool; never on padding, which no threshold is drawn from either."""
        box = window_of(self.covered)
        found = np.zeros(self.shape, dtype=bool)
        found[box] = body_of(at(self.x[0], box).cpu().numpy())
        return found & self.covered

    @cached_property
    def marked(self) -> np.ndarray:
        """The region that a person marked on the scan (forward).

        Raises
        ------
        BadInput
            When nothing is marked, or the region has another shape than the input.
        """
        return marked_on(self.question.region, lambda: self.shape, "the scan")

    @cached_property
    def target(self) -> Region:
        """What of the answer counts (backward): the class asked for, or the marked region.

        Raises
        ------
        BadInput
            When nothing is marked, or the region has another shape than the answer.
        """
        return self.answers.target(lambda: self.answer, self.x.device)

    def mapper(self, nodes: int | None = None) -> Mapper:
        """What asks the network and measures; with `nodes`, as few at a quick quadrature's places."""
        measure = self.variant.measure(self.x.device, nodes)
        return Mapper(self.responses, measure, self.x, self.parameters.memory_mb * 2**18)

    def cut(self, count: int) -> Superpixels:
        """The scan's superpixels on the input, about `count`, inside the body or the marked region."""
        kept = self.answers.looked_at(self.body if self.parameters.body else self.covered)
        box, spacing = window_of(self.covered), self.question.prepared.spacing_mm
        image = at(self.x[0], box).cpu().numpy()
        return superpixels_of(image, count, self.parameters.compactness, spacing, kept[box]).within(self.shape, box)

    def reach(self, window: Box) -> float:
        """Share of the answer that a change inside `window` can reach."""
        box = self.responses.footprint(window)
        sizes = [s.stop - s.start for s in box] if box is not None else [0]
        return float(np.prod(sizes) / np.prod(self.answer.shape[1:]))

    def _refuse_missing_channels(self) -> None:
        chosen = self.parameters
        channels = self.question.prepared.tensor.shape[1]
        if chosen.input_channel >= channels:
            raise BadInput(f"input_channel={chosen.input_channel} is beyond the last channel, {channels - 1}.")
        made = self.card.output.channels if self.card.output is not None else 1
        if chosen.output_channel >= made:
            raise BadInput(f"output_channel={chosen.output_channel} is beyond the last channel, {made - 1}.")

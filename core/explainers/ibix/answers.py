"""What a model's answer is to a trace: an image that it makes, or one number a class."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from core.errors import BadInput
from core.explainers.base import MapArray, Question
from core.explainers.ibix.backward import Region
from core.explainers.ibix.mapping import Transform
from core.explainers.ibix.parameters import IbixParameters
from core.explainers.ibix.report import answer_array, leak_numbers, on_grid
from core.explainers.ibix.variants import Variant
from core.metrics.localisation import holding_half
from core.models.answers import Reading
from core.models.card import OutputContract
from core.models.inputs import PreparedInput
from core.networks import Box, Responses, at, responses_for


class Answers(ABC):
    """One of both.

    Parameters
    ----------
    question : Question
    parameters : IbixParameters
    """

    #: Applied to answers before they are compared; None: they are compared as they are.
    transform: Transform | None = None
    #: Whether parts of it have a place, so that a map can lie over it and a change can reach some of it.
    has_place: ClassVar[bool]

    def __init__(self, question: Question, parameters: IbixParameters) -> None:
        self.question, self.parameters = question, parameters
        self.card = question.model.card

    @property
    @abstractmethod
    def subject(self) -> str:
        """What of the answer a backward map is about, in words."""

    def network(self) -> nn.Module:
        """The network, with whatever is applied to its answers behind it."""
        return self.question.model.scores

    def responses(self, x: torch.Tensor, memory_bytes: int) -> Responses:
        """How the network is asked about changed copies of `x` (1, C, *spatial)."""
        return responses_for(self.question.model.network, x, memory_bytes, self.parameters.engine)

    @abstractmethod
    def target(self, answer: Callable[[], torch.Tensor], device: torch.device) -> Region:
        """M^f: what of the answer counts, backward.

        Raises
        ------
        BadInput
            When nothing is marked where something must be, or in another shape than the answer's.
        """

    def looked_at(self, body: np.ndarray) -> np.ndarray:
        """Where the input may be changed, backward: inside `body`."""
        return body

    def covered(self, answer: Callable[[], torch.Tensor]) -> np.ndarray | None:
        """Where the answer is of the scan and not of padding, bool; None where it has no place."""
        return None

    def of_whole(self, answer: torch.Tensor, box: Box, slopes: torch.Tensor) -> torch.Tensor:
        """Slopes inside `box` of the answer as slopes of the whole answer, 0 outside."""
        return slopes

    @abstractmethod
    def forward_map(self, slopes: torch.Tensor, region: np.ndarray, variant: Variant, derivative: bool) -> MapArray:
        """The map that slopes of the whole answer make when `region` of the input is changed."""

    def picture(self, slopes: torch.Tensor) -> np.ndarray | None:
        """Slopes of the whole answer as one image of where they lie; None where they have no place."""
        return None

    def forward_numbers(self, slopes: torch.Tensor) -> dict[str, float]:
        """Figures of a forward trace."""
        return {}

    @abstractmethod
    def map_numbers(self, values: np.ndarray, forward: bool, spacing: tuple[float, ...]) -> dict[str, float]:
        """Figures of the finished map."""

    @abstractmethod
    def beside(self, answer: Callable[[], torch.Tensor]) -> dict[str, MapArray]:
        """What is shown beside the map."""

    def spacing(self, answer: Callable[[], torch.Tensor], forward: bool) -> tuple[float, ...]:
        """Millimetres along each axis of the map's grid."""
        return self.question.prepared.spacing_mm


class ImageAnswers(Answers):
    """A model that makes an image: M^f is a region of it."""

    has_place = True
    subject = "the region"

    @property
    def channel(self) -> int | None:
        """The answer's channel that counts; None for all."""
        return self.parameters.output_channel if self.parameters.output_channel >= 0 else None

    @property
    def contract(self) -> OutputContract:
        """What the card says of the answer's values."""
        assert self.card.output is not None
        return self.card.output

    def target(self, answer: Callable[[], torch.Tensor], device: torch.device) -> Region:
        """The marked region."""
        place = marked_on(self.question.region, lambda: tuple(answer().shape[1:]), "the model's answer")
        return Region(torch.from_numpy(place.copy()).to(device), place, self.channel)

    def covered(self, answer: Callable[[], torch.Tensor]) -> np.ndarray:
        """See `Answers`."""
        return on_grid(covered_by_scan(self.question.prepared), tuple(answer().shape[1:]))

    def of_whole(self, answer: torch.Tensor, box: Box, slopes: torch.Tensor) -> torch.Tensor:
        """See `Answers`."""
        whole = torch.zeros(answer.shape, device=slopes.device)
        at(whole, box).copy_(slopes)
        return whole

    def forward_map(self, slopes: torch.Tensor, region: np.ndarray, variant: Variant, derivative: bool) -> MapArray:
        """F over the answer's channels, as one map; 0 where the answer is of padding."""
        shown = self.picture(slopes)
        return variant.forward_array(np.where(self.covered(lambda: slopes), shown, np.float32(0)), derivative)

    def picture(self, slopes: torch.Tensor) -> np.ndarray:
        """See `Answers`."""
        if self.channel is not None:
            slopes = slopes[self.channel : self.channel + 1]
        if self.parameters.sums == "absolute":
            slopes = slopes.abs()
        return slopes.sum(dim=0).cpu().numpy().astype(np.float32)

    def map_numbers(self, values: np.ndarray, forward: bool, spacing: tuple[float, ...]) -> dict[str, float]:
        """What leaks where."""
        if self.question.region is None:
            return {}
        place = on_grid(self.question.region, values.shape)
        if not place.any():
            return {}
        return leak_numbers(values, place, spacing, self.question.prepared.in_millimetres)

    def beside(self, answer: Callable[[], torch.Tensor]) -> dict[str, MapArray]:
        """The image that the model made."""
        return {"answer": answer_array(answer(), self.contract, self.parameters.output_channel)}

    def spacing(self, answer: Callable[[], torch.Tensor], forward: bool) -> tuple[float, ...]:
        """Of the answer's grid, where that differs from the input's."""
        spacing, shape = self.question.prepared.spacing_mm, self.question.prepared.tensor.shape[2:]
        if not forward:
            return spacing
        return tuple(s * n / m for s, n, m in zip(spacing, shape, answer().shape[1:], strict=True))


class ClassAnswers(Answers):
    """A classifier: M^f is a class, and a region, where there is one, lies on the input either way."""

    has_place = False

    def __init__(self, question: Question, parameters: IbixParameters) -> None:
        super().__init__(question, parameters)
        reading = question.model.reading
        assert reading is not None  # of a classifier
        self._reading: Reading = reading
        if parameters.score == "probability":
            self.transform = reading.probabilities

    @property
    def _name(self) -> str:
        return self.card.classes[self.question.target or 0]

    @property
    def subject(self) -> str:
        """The score of the class."""
        return f"the {self.parameters.score} of {self._name}"

    def network(self) -> nn.Module:
        """See `Answers`."""
        network = super().network()
        return nn.Sequential(network, _Probabilities(self._reading)) if self.transform is not None else network

    def responses(self, x: torch.Tensor, memory_bytes: int) -> Responses:
        """Logits, whatever the network answers with: its own layers are followed, and what is made of them is not."""
        if not self._reading.flat:
            return responses_for(self.question.model.scores, x, memory_bytes, self.parameters.engine)
        found = super().responses(x, memory_bytes)
        return found if self._reading.identity else ScoredResponses(found, self._reading)

    def target(self, answer: Callable[[], torch.Tensor], device: torch.device) -> Region:
        """The class that is asked for."""
        marked = torch.zeros(len(self.card.classes), dtype=torch.bool, device=device)
        marked[self.question.target] = True
        return Region(marked, None)

    def looked_at(self, body: np.ndarray) -> np.ndarray:
        """Inside the marked region, where there is one."""
        region = self.question.region
        if region is None:
            return body
        inside: np.ndarray = region & body
        if not inside.any():
            raise BadInput("The marked region lies outside the body: mark another place, or set body=False.")
        return inside

    def forward_map(self, slopes: torch.Tensor, region: np.ndarray, variant: Variant, derivative: bool) -> MapArray:
        """A classifier's F has no place: one number a class, and the target's painted on the region."""
        values = region.astype(np.float32) * float(slopes[self.question.target])
        title = f"effect of the marked region on {self._name} (one number, painted on the region)"
        return MapArray(values, title, "attribution", f"Δ {self.parameters.score} / Δ input", diverging=True)

    def forward_numbers(self, slopes: torch.Tensor) -> dict[str, float]:
        """F of each class."""
        return {f"slope {name}": value for name, value in zip(self.card.classes, slopes.tolist(), strict=True)}

    def map_numbers(self, values: np.ndarray, forward: bool, spacing: tuple[float, ...]) -> dict[str, float]:
        """On which share of the samples half of the map lies."""
        return {} if forward else {"share_half": holding_half(np.abs(values).ravel()) / values.size}

    def beside(self, answer: Callable[[], torch.Tensor]) -> dict[str, MapArray]:
        """Nothing: probabilities are shown anyway."""
        return {}


def covered_by_scan(prepared: PreparedInput) -> np.ndarray:
    """Where the model's input is of the scan and no padding, bool, its spatial shape.

    Everywhere, for a scan so small that no sample of the input falls on it.
    """
    found = prepared.to_model(np.ones(prepared.scan.shape, dtype=np.uint8)).astype(bool)
    return found if found.any() else ~found


def marked_on(region: np.ndarray | None, shape: Callable[[], tuple[int, ...]], where: str) -> np.ndarray:
    """The region that a person marked on a side of the model of this shape.

    Raises
    ------
    BadInput
        When nothing is marked, or the region has another shape than its side of the model.
    """
    if region is None:
        raise BadInput(f"Nothing is marked: mark at least one pixel on {where}.")
    if region.shape != shape():
        raise BadInput(f"The region has shape {region.shape}, and that side of the model {shape()}: draw it there.")
    if not region.any():
        raise BadInput("The region is empty: mark at least one pixel.")
    return region


class _Probabilities(nn.Module):
    """Logits → probabilities, as a layer."""

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self._reading = reading

    def forward(self, scores: torch.Tensor) -> torch.Tensor:
        return self._reading.probabilities(scores)


class ScoredResponses:
    """`Responses` of a classifier that answers with something else than a logit a class, made logits.

    Parameters
    ----------
    asked : Responses
        Of the network as it is; answers (N, outputs).
    reading : Reading
        How they are read.
    """

    def __init__(self, asked: Responses, reading: Reading) -> None:
        self._asked, self._reading = asked, reading
        self.output = reading.scores(asked.output)
        self.reason, self.warnings = asked.reason, asked.warnings

    def footprint(self, window: Box) -> Box | None:
        """See `Responses`."""
        return self._asked.footprint(window)

    def changed(self, window: Box, values: torch.Tensor) -> tuple[Box, torch.Tensor]:
        """See `Responses`."""
        box, answers = self._asked.changed(window, values)
        return box, self._reading.scores(answers)

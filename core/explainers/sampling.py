"""What methods share that compare a scan with changed copies of it: what it is changed into, and asking about many.

Importable without torch, so that explainers can be listed without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from core.explainers.base import Question
from core.explainers.checked_map import CheckedMap, MapParameters
from core.parameters import Parameters, parameter
from core.progress import Progress

if TYPE_CHECKING:
    import torch

    from core.models.model import Model

Baseline = Literal["auto", "healthy_mean", "blur", "constant"]
_Item = TypeVar("_Item")


class BaselineParameters(MapParameters):
    """Parameters of methods that compare the scan with a baseline."""

    baseline: Baseline = parameter(
        "auto",
        "What the scan is compared with: the mean healthy scan of the model's description, the scan blurred, or one "
        "value. Automatic takes the mean healthy scan where there is one, else the blurred scan.",
        group="Against what",
        title="Compared with",
        words={
            "auto": "automatic",
            "healthy_mean": "mean healthy scan",
            "blur": "blurred scan",
            "constant": "one value",
        },
    )
    baseline_value: float = parameter(
        0.0,
        "In the scan's units. Used when the scan is compared with one value.",
        title="The one value",
        group="Against what",
        advanced=True,
    )


class BaselineMap(CheckedMap):
    """A map of how the scan differs from a baseline. A subclass makes it in `attribute`.

    Its parameters derive from `BaselineParameters`; `baseline_image` gives the baseline.
    """

    @classmethod
    def parameters_for(cls, model: Model, parameters: Parameters) -> Parameters:
        """Make ``baseline="auto"`` what it stands for with this model, so that the record says it."""
        if getattr(parameters, "baseline", None) != "auto":
            return parameters
        from core.explainers.hiding import healthy_or_blur

        return parameters.model_copy(update={"baseline": healthy_or_blur(model)})


def compared_with(parameters: Mapping[str, Any]) -> str:
    """The baseline of recorded parameters, in words for a sentence."""
    even = f"an even scan of value {parameters['baseline_value']:g}"
    return {"healthy_mean": "the mean healthy scan", "blur": "the blurred scan"}.get(parameters["baseline"], even)


def baseline_image(question: Question, parameters: BaselineParameters) -> torch.Tensor:
    """What the scan is compared with, shape of the prepared tensor.

    Raises
    ------
    BadInput
        When the card has no healthy mean and that is asked for.
    """
    from core.explainers.hiding import fill_image

    return fill_image(question.model, question.prepared, parameters.baseline, parameters.baseline_value)


def scores_of(
    question: Question,
    items: Iterable[_Item],
    change: Callable[[_Item], torch.Tensor],
    total: int,
    *,
    batch: int = 8,
    probability: bool = False,
) -> Iterator[tuple[_Item, float]]:
    """Ask a classifier about one changed scan after another: in batches, without gradients, told of and cancelled.

    Parameters
    ----------
    question : Question
        Whose model is asked, and for which class.
    items : iterable
        What tells the changed scans apart (masks); taken one batch at a time, so that they may be made on the way.
    change : callable
        Item → the changed scan, shape of ``question.prepared.tensor``, (1, C, *spatial).
    total : int
        How many items there will be.
    batch : int
        Changed scans asked at once.
    probability : bool
        Whether the score is the class's probability, 0..1, or its logit.

    Yields
    ------
    (item, float)
        Each item with the class's score.

    Raises
    ------
    Cancelled
        From ``question.report``.
    """
    import torch

    from core.networks import fast_network

    network = fast_network(question.model.scores, question.prepared.tensor.ndim - 2, "float32")
    reading = question.model.reading
    assert reading is not None  # classifiers only
    coming, done = iter(items), 0
    while some := list(islice(coming, batch)):
        with torch.inference_mode():
            answers = network(torch.cat([change(item) for item in some]))
            scores = (reading.probabilities(answers) if probability else answers)[:, question.target or 0].tolist()
        done += len(some)
        question.report(Progress(min(done / max(total, 1), 1.0), f"asked the model {done} of {total} times"))
        yield from zip(some, scores, strict=True)


def voxels(length_mm: float, spacing_mm: Sequence[float], shape: Sequence[int]) -> tuple[int, ...]:
    """A length as voxels along each axis: at least 1, at most the axis."""
    return tuple(min(max(1, round(length_mm / s)), n) for s, n in zip(spacing_mm, shape, strict=True))

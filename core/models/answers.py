"""How a classifier's answer is read: what its network says → one score a class → probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from core.errors import BadInput
from core.models.card import INDEPENDENT, AnswerKind

#: Probabilities from half precision add up to 1 no more closely than this.
_SUM_TOLERANCE = 1e-2
#: Smallest share that still has a logarithm, and smallest distance from 1 in float32.
_SMALLEST, _NEXT_TO_ONE = torch.finfo(torch.float32).tiny, 1e-7


@dataclass(frozen=True)
class Reading:
    """The way from a network's answer to scores and probabilities.

    A score is a logit: what softmax, or for classes that do not exclude each other sigmoid, turns into probabilities.
    Explainers explain scores. Of a network that has softmax or sigmoid inside, the logits are found again by taking
    logarithms, so that nothing is soft-maxed twice.

    Parameters
    ----------
    kind : AnswerKind
        See `core.models.card.Card`.
    outputs : int
        How many numbers the network says.
    classes : int
        How many classes the card names.
    flat : bool
        Whether the network answers with ``(N, outputs)``; else that shape is made of what it says.

    Raises
    ------
    BadInput
        When so many numbers cannot be read as so many classes.
    """

    kind: AnswerKind
    outputs: int
    classes: int
    flat: bool = True

    def __post_init__(self) -> None:
        single = self.outputs == 1 and self.classes == 2 and self.kind in ("sigmoid", "probabilities")
        if self.outputs == self.classes or single:
            return
        hint = "mend the card"
        if self.outputs == 1 and self.classes == 2:
            hint = (
                "where the one number speaks for the second class, write answers: sigmoid (a logit) or "
                "answers: probabilities into the card"
            )
        raise BadInput(
            f"The network answers with {self.outputs} number(s) and its card names {self.classes} classes: {hint}."
        )

    @property
    def single(self) -> bool:
        """Whether one number speaks for the second of two classes."""
        return self.outputs == 1 and self.classes == 2

    @property
    def exclusive(self) -> bool:
        """Whether the classes exclude each other: their probabilities add up to 1."""
        return self.single or self.kind not in INDEPENDENT

    @property
    def identity(self) -> bool:
        """Whether the scores are what the network says."""
        return self.flat and not self.single and self.kind in ("softmax", "sigmoid")

    def scores(self, answer: torch.Tensor) -> torch.Tensor:
        """What the network says → logits, float32, shape (N, classes).

        Softmax inside leaves logits open to a constant: here their mean over the classes is 0, so that they do not
        stop to move where a probability is near 1.
        """
        answer = answer.float()
        if not self.flat:
            answer = answer.reshape(-1, self.outputs)
        if self.kind == "probabilities" and not self.single:
            logs, digits = answer.clamp_min(_SMALLEST).log(), answer > _SMALLEST
            # of a class so unlikely that float32 has no digits left, no logarithm is known
            middle = torch.where(digits, logs, 0).sum(dim=1, keepdim=True) / digits.sum(dim=1, keepdim=True).clamp_min(
                1
            )
            return logs - middle
        if self.kind in ("probabilities", "independent_probabilities"):
            answer = torch.logit(answer, eps=_NEXT_TO_ONE)
        return torch.cat([-answer, answer], dim=1) if self.single else answer

    def probabilities(self, scores: torch.Tensor) -> torch.Tensor:
        """Scores → probabilities, 0..1, shape (N, classes)."""
        return scores.softmax(dim=1) if self.exclusive and not self.single else scores.sigmoid()

    def margin(self, scores: torch.Tensor, target: int) -> torch.Tensor:
        """What sigmoid turns into the target's probability, shape (N,): its logit against everything else."""
        if self.single or not self.exclusive:
            return scores[:, target]
        others = torch.cat([scores[:, :target], scores[:, target + 1 :]], dim=1)
        return scores[:, target] - torch.logsumexp(others, dim=1)

    def why_unreadable(self, answer: torch.Tensor) -> str | None:
        """Why an answer cannot be what the card says that it is, as the end of a sentence; None when it can."""
        if self.kind in ("softmax", "sigmoid"):
            return None
        low, high = float(answer.min()), float(answer.max())
        if low < -_SUM_TOLERANCE or high > 1 + _SUM_TOLERANCE:
            logits = "sigmoid" if self.single or self.kind == "independent_probabilities" else "softmax"
            return (
                f"the card says that its network answers with probabilities, and it answers with {low:.3g} … "
                f"{high:.3g}: where these are logits, write answers: {logits} into the card"
            )
        total = answer.reshape(-1, self.outputs).sum(dim=1)
        if self.kind == "probabilities" and not self.single and float((total - 1).abs().max()) > _SUM_TOLERANCE:
            return (
                f"the card says that its network answers with probabilities of classes that exclude each other, and "
                f"they add up to {float(total[0]):.3g}: where each stands for itself, write "
                "answers: independent_probabilities into the card"
            )
        return None


class Scores(nn.Module):
    """A network that answers with one score a class, asked in batches or one scan at a time.

    Parameters
    ----------
    network : torch.nn.Module
        (N, C, *spatial) → whatever `reading` reads; for a regressor, an image.
    reading : Reading, optional
        None for a regressor, whose answer is left as it is.
    alone : bool
        Whether each scan is asked by itself, because the network answers otherwise beside others.
    """

    def __init__(self, network: nn.Module, reading: Reading | None, alone: bool) -> None:
        super().__init__()
        self.network, self.reading, self.alone = network, reading, alone

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores (N, classes)."""
        asked = x.split(1) if self.alone else (x,)
        answers = [self.network(part) for part in asked]
        if self.reading is not None:
            answers = [self.reading.scores(answer) for answer in answers]
        return answers[0] if len(answers) == 1 else torch.cat(answers)

"""What a network is seen to do when it is asked: whether it is a function of the scan, how it answers, its slope."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from core.models.answers import Reading
from core.models.card import INDEPENDENT, AnswerKind, Card, InputContract
from core.wording import percent

#: Largest difference between two answers that rounding explains, relative to the answer: on a processor, and on
#: graphics cards, which round to ten bits.
_ROUNDING, _COARSE_ROUNDING = 1e-4, 5e-3
#: How closely the numbers of a softmax add up to 1, in float32.
_SUM = 1e-4
#: Answers that are compared where chance may be at work, and what they may differ by before no map can be believed.
_ASKED_AGAIN, NOISE_TO_REFUSE = 8, 0.01
#: Sides of an input whose shape the card leaves open.
_SIDE = {2: 64, 3: 32}
#: Steps of finite differences, as parts of the range of values, and how far a slope may be off the real change.
_STEPS, _OFF = (1e-3, 1e-4), 0.25
#: A change this large, as a part of the range, crosses the steps of a network that only knows steps.
_LARGE_STEP = 0.3

#: Where the range of values of the other scan of a batch begins, as a part of the whole.
_BRIGHT = 0.8

Ask = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Behaviour:
    """What was seen.

    Parameters
    ----------
    outputs : int
        Numbers in one answer of a classifier.
    flat : bool
        Whether they come as (N, outputs).
    seen : AnswerKind or None
        How the answers look: ``probabilities`` (they are never negative and add up to 1),
        ``independent_probabilities`` (the network ends in a sigmoid); None: like logits, or an image.
    alone : bool
        Whether a scan is answered otherwise beside others, or cannot be asked beside others at all.
    spread : float
        Largest difference between answers to the very same scan: of a probability, 0..1; of an image, relative to it.
        0 for a network that is a function of the scan.
    """

    outputs: int
    flat: bool
    seen: AnswerKind | None = None
    alone: bool = False
    spread: float = 0.0

    def reading(self, card: Card) -> Reading | None:
        """How a classifier's answers are read: as the card says, else as they look; None for a regressor.

        Raises
        ------
        BadInput
            When the card names another number of classes.
        """
        if card.task != "classification":
            return None
        kind = card.answers or self.seen or "softmax"
        if card.answers is None and self.outputs != len(card.classes):
            kind = "softmax"  # a single number for two classes: which of them it speaks for, only the card can say
        return Reading(kind, self.outputs, len(card.classes), self.flat)

    def warnings(self, card: Card) -> tuple[str, ...]:
        """What must be known before an answer is believed."""
        found = []
        if self.spread:
            what = f"a probability differs by up to {percent(self.spread)}"
            if card.task != "classification":
                what = f"the image differs by up to {percent(self.spread)} of its largest value"
            found.append(
                "the network answers the same scan differently each time, so that chance (dropout, noise) is at work "
                f"in it: from one asking to the next {what}"
            )
        if self.alone:
            found.append(
                "the network answers a scan otherwise beside others (it takes statistics of the batch), or takes no "
                "two at once, so each scan is asked alone"
            )
        if card.task == "classification" and self.seen is not None and self.outputs == len(card.classes):
            found += self._of_answers(card, self.seen)
        return tuple(found)

    def _of_answers(self, card: Card, seen: AnswerKind) -> list[str]:
        where = "softmax" if seen == "probabilities" else "sigmoid"
        if card.answers is None:
            return [
                f"the network answers with probabilities ({where} is inside it) and is read that way: write "
                f"answers: {seen} into its card"
            ]
        if card.answers == "softmax" or (card.answers == "sigmoid" and seen in INDEPENDENT):
            return [
                f"the card says that the network answers with logits, and {where} seems to be inside it already: if "
                f"so, write answers: {seen} into the card, or probabilities are taken twice"
            ]
        return []

    @property
    def refusal(self) -> str | None:
        """Why no map of this network can be believed, as a sentence; None where one can."""
        if self.spread <= NOISE_TO_REFUSE:
            return None
        return (
            "The network answers the same scan differently each time: from one asking to the next an answer differs "
            f"by up to {percent(self.spread)}, and a map would show chance. Turn its dropout or noise off outside of "
            "training (for example dropout(x, training=self.training)) and export it again."
        )


def observe(ask: Ask, network: nn.Module, card: Card, x: torch.Tensor) -> Behaviour:
    """Ask a network about `x` alone and beside another scan, and see what it does.

    Parameters
    ----------
    ask : callable
        Inputs (N, C, *spatial) → what the network says, float32; leaves its inputs as they are.
    network : torch.nn.Module
        The network itself, in eval mode.
    card : Card
        What it is for.
    x : torch.Tensor, float32, shape (1, C, *spatial)
        A scan as the network takes it; not changed.

    Raises
    ------
    BadInput
        When the network cannot take such an input.
    """
    with torch.inference_mode():
        # bright all over, as no scan is: statistics of a batch with it in it are others
        other = _another(x, card.input, lowest=_BRIGHT)
        before = _chance(x.device)
        first = ask(x)
        drawn = _chance(x.device) != before
        beside = _beside(ask, x, other)
        again = [first]
        alone = beside is None or not _alike(beside[:1], first)
        if drawn or alone:
            again += [ask(x) for _ in range(_ASKED_AGAIN if drawn else 2)]
        spread = 0.0
        if not all(_alike(answer, first) for answer in again[1:]):
            spread = _spread(torch.cat([answer.reshape(1, -1) for answer in again]), card)
            alone = beside is None  # what chance changes, company need not
        pair = [first, beside[1:] if beside is not None else first]
    outputs, flat = math.prod(first.shape) if first.ndim < 2 else math.prod(first.shape[1:]), first.ndim == 2
    seen = _look(network, x, pair) if card.task == "classification" else None
    return Behaviour(outputs, flat, seen, alone, spread)


def probe_input(contract: InputContract, device: torch.device | str = "cpu") -> torch.Tensor:
    """An input of noise for a network that no scan was given to yet, shape (1, C, *spatial)."""
    side = -(-_SIDE[contract.dimensions] // contract.multiple_of) * contract.multiple_of
    shape = contract.shape or (side,) * contract.dimensions
    return _another(torch.zeros(1, contract.channels, *shape, device=device), contract)


def why_no_gradient(scores: nn.Module, x: torch.Tensor, contract: InputContract) -> str | None:
    """Why the slope of a network's answer cannot be had from its gradient, as the end of a sentence; None when it can.

    The gradient is compared with what small changes of the scan really do: a part of the network that is detached
    changes the answer and leaves no gradient.

    Parameters
    ----------
    scores : torch.nn.Module
        (1, C, *spatial) → what is explained.
    x : torch.Tensor, float32, shape (1, C, *spatial)
    contract : InputContract
        Says in which range the values lie.
    """
    # a scan may lie where a network bends sharply (a blank one before an instance norm): noise does not
    reason = _why_misleading(scores, x, contract)
    if reason is None:
        return None
    try:
        return reason if _why_misleading(scores, _another(x, contract), contract) else None
    except Exception:  # code that cannot take noise: the scan itself has spoken
        return reason


def _why_misleading(scores: nn.Module, x: torch.Tensor, contract: InputContract) -> str | None:
    """`why_no_gradient` at one input."""
    try:
        answer, gradient = _answer_and_gradient(scores, x)
    except (RuntimeError, NotImplementedError) as error:
        if "memory" in str(error):
            raise
        return f"it cannot be differentiated ({str(error).splitlines()[0][:120] if str(error) else 'no reason given'})"
    if gradient is None:
        return "no gradient reaches the scan from its answer (a detach, argmax or no_grad is on the way)"
    if not torch.isfinite(gradient).all():
        return "its gradient is not finite at this scan"
    size = contract.intensity.high - contract.intensity.low
    with torch.no_grad():
        directions = [_another(x, contract, seed) - x for seed in (1, 2, 3)]
        if not gradient.any():
            moved = any(not _alike(_mixed(scores(x + _LARGE_STEP * d)), answer.detach()) for d in directions)
            return "its answer changes in steps only (a rounding or argmax is on the way)" if moved else None
        for direction in directions:
            unit = direction / direction.abs().max().clamp_min(1e-12) * size
            expected = float((gradient * unit).sum(dtype=torch.float64))
            if any(_agrees(scores, x, unit, step, expected) for step in _STEPS):
                return None
    return (
        "its gradient is not the slope of its answer (a part of it is detached, rounded or has a gradient of its own)"
    )


def _answer_and_gradient(scores: nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
    with torch.inference_mode(False), torch.enable_grad():
        watched = x.clone().requires_grad_(True)
        answer = _mixed(scores(watched.clone()))
        if not answer.requires_grad:
            return answer, None
        return answer, torch.autograd.grad(answer, watched, allow_unused=True)[0]


def _agrees(scores: nn.Module, x: torch.Tensor, direction: torch.Tensor, step: float, expected: float) -> bool:
    up, down = (_mixed(scores(x + sign * step * direction)) for sign in (1, -1))
    real = float((up - down).double()) / (2 * step)
    rounding = 2e-6 * max(1.0, float(up.abs())) / step
    return abs(real - expected) <= _OFF * max(abs(real), abs(expected)) + rounding


def _mixed(answer: torch.Tensor) -> torch.Tensor:
    """One number of an answer: its numbers with weights that no symmetry of theirs takes to 0."""
    weights = torch.cos(torch.arange(answer.numel(), device=answer.device, dtype=torch.float32))
    return (answer.float().reshape(-1) * weights).sum()


def _another(x: torch.Tensor, contract: InputContract, seed: int = 0, lowest: float = 0.0) -> torch.Tensor:
    """Noise in the contract's range, shape of `x`; the same each time, and drawn from nobody's generator.

    With `lowest`, 0..1, only in the part of the range above that.
    """
    low, high = contract.intensity.low, contract.intensity.high
    low += lowest * (high - low)
    values = np.random.Generator(np.random.PCG64(seed)).uniform(low, high, tuple(x.shape)).astype(np.float32)
    return torch.from_numpy(values).to(x.device)


def _beside(ask: Ask, x: torch.Tensor, other: torch.Tensor) -> torch.Tensor | None:
    """Answers to both in one batch; None where the network takes no batches."""
    try:
        answers = ask(torch.cat([x, other]))
    except Exception:  # code that refuses two at once does it in its own way; there may be no memory for two, too
        return None
    return answers if answers.ndim and len(answers) == 2 else None


def _alike(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two answers are the same but for rounding."""
    if one.numel() != other.numel():
        return False
    one, other = one.reshape(-1), other.reshape(-1)
    scale = float(other.nan_to_num(0, 0, 0).abs().max()) if other.numel() else 0.0
    rounding = _ROUNDING if one.device.type == "cpu" else _COARSE_ROUNDING
    return torch.allclose(one, other, rtol=0, atol=rounding * scale + 1e-7, equal_nan=True)


def _chance(device: torch.device) -> tuple[bytes, ...]:
    """State of the generators that a network might draw from."""
    numpy = np.random.get_state(legacy=False)  # noqa: NPY002 - it is the old one that networks draw from
    return (
        torch.get_rng_state().numpy().tobytes(),
        numpy["state"]["key"].tobytes() + bytes(str(numpy["state"]["pos"]), "ascii"),
        bytes(str(hash(random.getstate())), "ascii"),
        torch.cuda.get_rng_state(device).numpy().tobytes() if device.type == "cuda" else b"",
    )


def _spread(answers: torch.Tensor, card: Card) -> float:
    """How far answers (asked times, numbers) to one scan lie apart."""
    if card.task != "classification":
        apart = float((answers.max(dim=0).values - answers.min(dim=0).values).max())
        return min(apart / max(float(answers.abs().max()), 1e-12), 1.0)
    inside = float(answers.min()) >= 0 and float(answers.max()) <= 1
    if not inside:
        logits = card.answers in INDEPENDENT or answers.shape[1] == 1
        answers = answers.sigmoid() if logits else answers.softmax(dim=1)
    return float((answers.max(dim=0).values - answers.min(dim=0).values).max())


def _look(network: nn.Module, x: torch.Tensor, answers: list[torch.Tensor]) -> AnswerKind | None:
    """How the answers to two scans look."""
    rows = torch.cat([answer.reshape(1, -1) for answer in answers])
    if float(rows.min()) < 0 or float(rows.max()) > 1 + _SUM:
        return None
    if rows.shape[1] > 1 and float((rows.sum(dim=1) - 1).abs().max()) <= _SUM:
        return "probabilities"
    return "independent_probabilities" if _ends_in_a_sigmoid(network, x) else None


def _ends_in_a_sigmoid(network: nn.Module, x: torch.Tensor) -> bool:
    try:
        with torch.inference_mode(False), torch.enable_grad():
            answer = network(x.clone().requires_grad_(True).clone())
    except Exception:  # code that leaves torch on the way may not be asked with gradients
        return False
    last = getattr(answer, "grad_fn", None)
    while last is not None and last.name() in _RESHAPING and last.next_functions:
        last = last.next_functions[0][0]
    return last is not None and last.name() == "SigmoidBackward0"


#: What may follow a last step without changing a number of it.
_RESHAPING = {
    "ViewBackward0",
    "ReshapeAliasBackward0",
    "UnsafeViewBackward0",
    "SqueezeBackward0",
    "SqueezeBackward1",
    "UnsqueezeBackward0",
    "CloneBackward0",
    "ToCopyBackward0",
    "AliasBackward0",
}

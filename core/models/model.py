"""A network with its card, ready to be asked and explained."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import nn

from core.errors import BadInput
from core.models.answers import Reading, Scores
from core.models.behaviour import Behaviour, observe, probe_input, why_no_gradient
from core.models.called import ENOUGH
from core.models.card import Card
from core.models.inputs import PreparedInput, prepare
from core.models.own_input import on_copies
from core.scans.scan import Scan


@dataclass(frozen=True, eq=False)
class Model:
    """A loaded model.

    Parameters
    ----------
    card : Card
        What it is.
    network : torch.nn.Module
        In eval mode, gradients of the weights off; works on copies of what it is given (`core.models.own_input`).
        Classification: ``(N, C, *spatial)`` → what the card's ``answers`` says, by default logits ``(N, classes)``;
        `scores` makes logits of it.
        Regression: → ``(N, C_out, *spatial)``.
    folder : pathlib.Path, optional
        Where it was loaded from.
    references : dict of str to numpy.ndarray
        Arrays on the model's grid named in the card (``healthy_mean``, ``support``), float32, spatial shape.
    """

    card: Card
    network: nn.Module
    folder: Path | None = None
    references: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        on_copies(self.network)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        first = next(self.network.parameters(), None)
        return first.device if first is not None else torch.device("cpu")

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of card and weights (64 hex digits)."""
        digest = hashlib.sha256(self.card.identity.encode())
        for name, value in sorted(self.network.state_dict().items()):
            digest.update(name.encode())
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def prepare(self, scan: Scan) -> PreparedInput:
        """Meet the input contract (see `core.models.inputs.prepare`), with what must be known of the network first."""
        prepared = prepare(scan, self.card.input, self.device)
        try:
            known = self.behaviour(prepared.tensor).warnings(self.card)
        except Exception:
            return prepared  # a network that cannot be asked says so, in whatever way, when it is
        return replace(prepared, warnings=(*known, *prepared.warnings))

    def behaviour(self, tensor: torch.Tensor | None = None) -> Behaviour:
        """What the network was seen to do when it was first asked: about `tensor`, or about noise where that is None.

        Raises
        ------
        BadInput
            When it cannot take the tensor, or answers with no tensor.
        """
        found: Behaviour | None = self.__dict__.get("_behaviour")
        if found is None:
            x = probe_input(self.card.input, self.device) if tensor is None else tensor.to(self.device)
            found = self.__dict__["_behaviour"] = observe(self._ask, self.network, self.card, x)
        return found

    def what_was_seen(self) -> tuple[str, ...]:
        """What must be known of the network before it is believed, found by asking it; a sentence each."""
        try:
            behaviour = self.behaviour()
            behaviour.reading(self.card)
        except BadInput as error:
            return (str(error),)
        return behaviour.warnings(self.card)

    @cached_property
    def reading(self) -> Reading | None:
        """How a classifier's answers become scores and probabilities; None for a regressor.

        Raises
        ------
        BadInput
            When card and network do not fit each other.
        """
        try:
            return self._supposed.reading(self.card)
        except BadInput as error:
            raise BadInput(f"{self.card.name}: {error}") from error

    @cached_property
    def scores(self) -> nn.Module:
        """What explainers explain: the network itself, or with its answers made logits, (N, classes), float32.

        A regressor answers with its image.
        """
        reading, alone = self.reading, self._supposed.alone
        if (reading is None or reading.identity) and not alone:
            return self.network
        return Scores(self.network, reading, alone).eval()

    @property
    def _supposed(self) -> Behaviour:
        """Its behaviour; of a network that takes other inputs than its card says, what the card lets one suppose."""
        try:
            return self.behaviour()
        except BadInput:
            return Behaviour(outputs=len(self.card.classes), flat=True)

    def why_no_gradient(self, tensor: torch.Tensor) -> str | None:
        """Why gradients of this network would mislead, as a sentence; None when they are the slope of its answer.

        Looked for once, at the first `tensor` (1, C, *spatial); not in what a network with chance in it answers.
        """
        if self.behaviour(tensor).spread:
            return None
        if "_gradient" not in self.__dict__:
            self.__dict__["_gradient"] = why_no_gradient(self.scores, tensor.to(self.device), self.card.input)
        reason = self.__dict__["_gradient"]
        if reason is None:
            return None
        return (
            f"This explainer needs the gradient of the network of {self.card.name}, and {reason}: take one that only "
            "changes the scan and looks at the answer (occlusion, IBIX)."
        )

    def calls(self, probabilities: Mapping[str, float], name: str) -> bool:
        """Whether these probabilities say `name`: more than any other class, or of classes that stand alone, ≥ 0.5."""
        if self.reading is not None and not self.reading.exclusive:
            return probabilities[name] >= ENOUGH
        return probabilities[name] >= max(probabilities.values())

    def layer(self, name: str) -> nn.Module:
        """Submodule by its dotted name.

        Raises
        ------
        BadInput
            When there is none; lists the card's feature layers.
        """
        modules = dict(self.network.named_modules())
        if name not in modules or not name:
            known = ", ".join(self.card.feature_layers) or ", ".join(n for n in modules if n)
            raise BadInput(f"The model {self.card.name} has no layer {name!r}; it has {known}.")
        return modules[name]

    def class_index(self, name: str | None) -> int:
        """Index of a class by name; None takes the card's target.

        Raises
        ------
        BadInput
            When the model has no such class; lists the ones it has.
        """
        wanted = name if name is not None else self.card.target
        if self.card.task != "classification":
            raise BadInput(f"The model {self.card.name} is a regressor: it has no classes.")
        if wanted is None:
            raise BadInput(f"Say which class to explain: {', '.join(self.card.classes)}.")
        if wanted not in self.card.classes:
            raise BadInput(f"{wanted!r} is not a class of {self.card.name}; it has {', '.join(self.card.classes)}.")
        return self.card.classes.index(wanted)

    @torch.inference_mode()
    def probabilities(self, tensor: torch.Tensor) -> dict[str, float]:
        """What the model says of a batch of one: class → probability, 0..1.

        They add up to 1 unless the card says that classes do not exclude each other.

        Raises
        ------
        BadInput
            When card and network do not fit each other, or the answer is not finite.
        """
        answer = self._ask(tensor)
        if self.card.task != "classification":
            raise BadInput(f"The model {self.card.name} is a regressor: it has no classes.")
        self.behaviour(tensor)
        reading = self.reading
        assert reading is not None
        if answer.numel() != reading.outputs:
            raise BadInput(
                f"The network of {self.card.name} answers with {answer.numel()} numbers to this scan and with "
                f"{reading.outputs} to another: mend the card's input."
            )
        if not torch.isfinite(answer).all():
            raise BadInput(f"The model {self.card.name} has no finite answer to this scan: check the scan's values.")
        if reason := reading.why_unreadable(answer):
            raise BadInput(f"{self.card.name}: {reason}.")
        values = reading.probabilities(reading.scores(answer))[0]
        return dict(zip(self.card.classes, (float(v) for v in values), strict=True))

    @torch.inference_mode()
    def respond(self, tensor: torch.Tensor) -> torch.Tensor:
        """A regressor's answer, float32 ``(N, C_out, *spatial)``, in the network's own units.

        Raises
        ------
        BadInput
            When this is a classifier, card and network do not fit each other, or the answer is not finite.
        """
        if self.card.output is None:
            raise BadInput(f"The model {self.card.name} is a classifier: it makes no image.")
        answer = self._ask(tensor)
        if answer.ndim != tensor.ndim or answer.shape[:2] != (len(tensor), self.card.output.channels):
            raise BadInput(
                f"The network of {self.card.name} answers with shape {tuple(answer.shape)} and its card promises "
                f"{self.card.output.channels} channel(s) of an image: mend the card."
            )
        if not torch.isfinite(answer).all():
            raise BadInput(f"The model {self.card.name} has no finite answer to this scan: check the scan's values.")
        return answer

    def generate(self, prepared: PreparedInput) -> np.ndarray:
        """The image a regressor makes of a scan, float32 ``(C_out, *scan shape)``, in the units of its card.

        Outside the model's field of view it is the lowest value of the card's range.

        Raises
        ------
        BadInput
            See `respond`.
        """
        answer = self.respond(prepared.tensor)[0].cpu().numpy()
        output = self.card.output
        assert output is not None
        side = prepared.on_output(answer.shape[1:])
        physical = answer * np.float32(output.gain) + np.float32(output.offset)
        return np.stack([side.to_scan(channel, fill=output.low) for channel in physical])

    def _ask(self, tensor: torch.Tensor) -> torch.Tensor:
        """What the network says, float32."""
        try:
            # a copy: code that works in place would change the scan for everyone who asks after
            answer = self.network(tensor.to(self.device, copy=True))
        except RuntimeError as error:
            if "memory" in str(error):
                raise
            why = "the card's input does not fit its architecture"
            if self.card.input.shape is None:
                why = "give a scan of another size, or mend the card's input"
            raise BadInput(
                f"The network of {self.card.name} cannot take an input of shape {tuple(tensor.shape)}: {why}."
            ) from error
        if not isinstance(answer, torch.Tensor):
            raise BadInput(
                f"The network of {self.card.name} answers with a {type(answer).__name__} and not with one tensor: "
                "make a network that returns the tensor to explain."
            )
        return answer.float()

    def predict(self, scan: Scan) -> dict[str, float]:
        """Class → probability for `scan`."""
        self.class_index(self.card.classes[0] if self.card.classes else None)
        return self.probabilities(self.prepare(scan).tensor)

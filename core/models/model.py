"""A network with its card, ready to be asked and explained."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import nn

from core.errors import BadInput
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
        Classification: ``(N, C, *spatial)`` → logits ``(N, classes)``.
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
        digest = hashlib.sha256(self.card.model_dump_json().encode())
        for name, value in sorted(self.network.state_dict().items()):
            digest.update(name.encode())
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def prepare(self, scan: Scan) -> PreparedInput:
        """Meet the input contract; see `core.models.inputs.prepare`."""
        return prepare(scan, self.card.input, self.device)

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
        """Softmax of the logits for a batch of one: class → probability, 0..1.

        Raises
        ------
        BadInput
            When card and network do not fit each other, or the answer is not finite.
        """
        logits = self._ask(tensor)
        if logits.shape != (1, len(self.card.classes)):
            raise BadInput(
                f"The network of {self.card.name} answers with shape {tuple(logits.shape)} and its card names "
                f"{len(self.card.classes)} classes: mend the card."
            )
        if not torch.isfinite(logits).all():
            raise BadInput(f"The model {self.card.name} has no finite answer to this scan: check the scan's values.")
        values = torch.softmax(logits, dim=1)[0]
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
        """What the network says, float32; a network that cannot take the tensor is the card's fault."""
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

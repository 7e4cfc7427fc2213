"""Architectures, one a file or of a plug-in. A class decorated with `architecture` can be named in a card."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from torch import nn

from core.errors import BadInput
from core.models.trainable import TrainableNetwork
from core.registry import Registry, not_a_subclass

_Module = TypeVar("_Module", bound=type[nn.Module])


def _complaint(cls: Any) -> str | None:
    """Why something cannot be an architecture, as the end of a sentence."""
    reason = not_a_subclass(cls, nn.Module)
    if reason is None and issubclass(cls, TrainableNetwork):
        reason = not_a_subclass(cls, TrainableNetwork, "task")
    return reason


def _description(cls: type[nn.Module]) -> dict[str, Any]:
    """What there is to say of an architecture: the arguments that a card gives it, and what recipes can make of it."""
    trained_for = cls.task if issubclass(cls, TrainableNetwork) else None
    return {"arguments": list(inspect.signature(cls).parameters), "trained_for": trained_for}


ARCHITECTURES: Registry[type[nn.Module]] = Registry(
    "architectures", "architecture", [__name__], judge=_complaint, describe=_description
)


def architecture(name: str) -> Callable[[_Module], _Module]:
    """Class decorator: makes the network known to cards under `name`."""

    def register(cls: _Module) -> _Module:
        ARCHITECTURES.offer(cls, name)
        return cls

    return register


def architectures() -> dict[str, type[nn.Module]]:
    """Every architecture by name, of this folder and of plug-ins."""
    return ARCHITECTURES.all()


def build(name: str, arguments: dict[str, Any]) -> nn.Module:
    """Construct an architecture with fresh weights.

    Raises
    ------
    BadInput
        When no architecture has this name (lists the ones there are) or the arguments do not fit.
    """
    network = ARCHITECTURES.get(name)
    try:
        return network(**arguments)
    except (TypeError, ValueError, LookupError, RuntimeError, MemoryError) as error:
        # what goes wrong depends on the layer that the arguments reach first
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise BadInput(f"The architecture {name} does not take these arguments: {reason}.") from error

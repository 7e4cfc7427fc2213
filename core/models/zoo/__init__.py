"""Architectures, one a file. A class decorated with `architecture` can be named in a card."""

from collections.abc import Callable
from typing import Any, TypeVar

from torch import nn

from core.errors import BadInput
from core.plugins import import_files_of, look_up

_REGISTRY: dict[str, type[nn.Module]] = {}
_Module = TypeVar("_Module", bound=type[nn.Module])


def architecture(name: str) -> Callable[[_Module], _Module]:
    """Class decorator: makes the network known to cards under `name`."""

    def register(cls: _Module) -> _Module:
        _REGISTRY[name] = cls
        return cls

    return register


def architectures() -> dict[str, type[nn.Module]]:
    """Every architecture by name, found by importing the files of this folder."""
    import_files_of(__name__)
    return dict(sorted(_REGISTRY.items()))


def build(name: str, arguments: dict[str, Any]) -> nn.Module:
    """Construct an architecture with fresh weights.

    Raises
    ------
    BadInput
        When no architecture has this name (lists the ones there are) or the arguments do not fit.
    """
    network = look_up(name, architectures(), "architecture")
    try:
        return network(**arguments)
    except (TypeError, ValueError, LookupError, RuntimeError, MemoryError) as error:
        # what goes wrong depends on the layer that the arguments reach first
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise BadInput(f"The architecture {name} does not take these arguments: {reason}.") from error

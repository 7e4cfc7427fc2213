"""A traced call with its arguments, before and after its inputs are known."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch


@dataclass(frozen=True)
class Bound:
    """Argument of a call that is only known when it runs: an input of this number, or a size that grows with rows.

    Parameters
    ----------
    number : int
        Which input; −1 for a size.
    first, second : Any
        The size for a batch of one and of two images.
    """

    number: int
    first: Any = None
    second: Any = None

    @classmethod
    def rows(cls, first: Any, second: Any) -> "Bound":
        """Size of a batch of one image, and of two."""
        return cls(-1, first, second)

    def value(self, inputs: Sequence[torch.Tensor]) -> Any:
        """What stands here for these inputs."""
        return inputs[self.number] if self.number >= 0 else _grown(self.first, self.second, len(inputs[0]))


def _grown(first: Any, second: Any, rows: int) -> Any:
    """A size, or a tuple of them, for `rows` images, from those for one and for two."""
    if isinstance(first, tuple):
        return tuple(_grown(a, b, rows) for a, b in zip(first, second, strict=True))
    return first + (second - first) * (rows - 1)


@dataclass
class Call:
    """A traced call: plain name, function out of place, arguments with `Bound` where its inputs stand."""

    name: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    label: str
    in_place: bool = field(default=False)

    def named(self, *names: str) -> dict[str, Any]:
        """Arguments by name, for a function whose parameters are `names`."""
        return {**dict(zip(names, self.args, strict=False)), **self.kwargs}

    def settled(self) -> None:
        """Take ``inplace`` out of the arguments, given by place."""
        try:
            bound = inspect.signature(self.function).bind(*self.args, **self.kwargs).arguments
        except (TypeError, ValueError):
            return
        if "inplace" in bound:
            self.in_place = bool(bound.pop("inplace"))
            first, *rest = bound.items()
            self.args, self.kwargs = (first[1],), dict(rest)

    def on(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Run it."""
        args, kwargs = _filled(self.args, inputs), _filled(self.kwargs, inputs)
        return self.function(*args, **kwargs)


def _filled(arguments: Any, inputs: Sequence[torch.Tensor]) -> Any:
    if isinstance(arguments, Bound):
        return arguments.value(inputs)
    if isinstance(arguments, dict):
        return {name: _filled(value, inputs) for name, value in arguments.items()}
    if isinstance(arguments, tuple | list):
        return type(arguments)(_filled(value, inputs) for value in arguments)
    return arguments


def numbers(value: Any, n: int) -> tuple[int, ...]:
    """One number an axis, of one for all or a sequence."""
    return tuple(int(v) for v in value) if isinstance(value, tuple | list) else (int(value),) * n

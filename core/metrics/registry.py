"""Metrics by name: what is compared, and a number for it. One is a function under `metric`.

Those of "map and region" are computed for every explanation whose region is a landmark, and stand among its numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, TypeVar, get_args

from core.plugins import as_reason
from core.registry import Registry, first_line

#: What a metric is given, two arrays of one shape each: a map (float) and where a region is (bool); two maps; an image
#: that a model made and the true one, in the units of the image.
Compares = Literal["map and region", "two maps", "two images"]


@dataclass(frozen=True)
class Metric:
    """A metric and what to know about it.

    Parameters
    ----------
    name : str
        What records call it.
    title : str
        For people.
    compares : {"map and region", "two maps", "two images"}
        What its function is given.
    function : callable
        Two arrays → a number; NaN where there is none.
    better : {"higher", "lower", ""}
        Which values are good ones; empty where it only tells.
    """

    name: str
    title: str
    compares: Compares
    function: Callable[..., float]
    better: Literal["higher", "lower", ""] = ""


_Function = TypeVar("_Function", bound=Callable[..., float])


def metric(
    name: str, title: str, compares: Compares, better: Literal["higher", "lower", ""] = ""
) -> Callable[[_Function], _Function]:
    """Decorator: makes a function known as a metric; the function stays as it is. See `Metric`."""

    def register(function: _Function) -> _Function:
        METRICS.offer(Metric(name, title, compares, function, better), module=function.__module__)
        return function

    return register


def measured(compares: Compares, one: Any, other: Any) -> tuple[dict[str, float], tuple[str, ...]]:
    """Every metric that compares such things: name → number, and a sentence for each that could not be computed.

    What has no number (an empty map) is left out.
    """
    numbers: dict[str, float] = {}
    problems = []
    for name, found in METRICS.all().items():
        if found.compares == compares:
            try:
                value = float(found.function(one, other))
            except Exception as error:
                # perhaps a plug-in's: what it stumbles over must not cost the explanation
                problems.append(f"The metric {name} could not be computed ({as_reason(error)}).")
            else:
                numbers |= {name: value} if isfinite(value) else {}
    return numbers, tuple(problems)


def _complaint(item: Any) -> str | None:
    """Why something cannot be a metric, as the end of a sentence."""
    if not isinstance(item, Metric):
        return "it is no core.metrics.registry.Metric"
    if item.compares not in get_args(Compares):
        return f"it compares {item.compares!r}; there is {', '.join(get_args(Compares))}"
    return None if callable(item.function) else "its function cannot be called"


#: Files that hold none; the atlas would bring torch along.
_NOT_METRICS = {"atlas", "parcellation", "registry"}
METRICS: Registry[Metric] = Registry(
    "metrics",
    "metric",
    ["core.metrics"],
    without=_NOT_METRICS,
    judge=_complaint,
    describe=lambda item: {
        "title": item.title,
        "summary": first_line(item.function.__doc__),
        "compares": item.compares,
        "better": item.better,
    },
)

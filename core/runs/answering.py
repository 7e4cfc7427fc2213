"""Which modules answer a request: found without importing torch, for `core.runs.spec.RunSpec.code`."""

from collections.abc import Iterable

from core import plugins
from core.explainers import explainers, get_explainer
from core.metrics.registry import Compares
from core.models.folders import card_of, format_of, resolve
from core.runs.sources import inside, marked_by, used_by

#: What a region that is a landmark is compared with.
_LANDMARK: Compares = "map and region"


def explainer_code(names: Iterable[str] | None) -> set[str]:
    """Modules of explainers by name; None: of every one.

    Raises
    ------
    core.errors.BadInput
        When there is no such explainer.
    """
    return {get_explainer(name).__module__ for name in (explainers() if names is None else names)}


def model_code(names: Iterable[str]) -> set[str]:
    """Modules that read models and build their networks.

    Raises
    ------
    core.errors.BadInput
        When there is no such model, or its card cannot be read.
    """
    found: set[str] = set()
    for path in map(resolve, names):
        known = format_of(path)
        found |= architecture_code(card_of(path).architecture.name) | ({known.__module__} if known else set())
    return found


def architecture_code(name: str | None = None) -> set[str]:
    """Modules of an architecture; of every one when its name is not found in a source, or None is asked for."""
    own, added = inside("core.models.zoo"), _added("architectures")
    every = own | added
    return (marked_by(own, "architecture", name) or marked_by(added, "architecture", name) or every) if name else every


def landmark_code() -> set[str]:
    """Modules of the metrics that are computed for every explanation with a landmark."""
    return marked_by(inside("core.metrics") | _added("metrics"), "metric", _LANDMARK)


def _added(kind: str) -> set[str]:
    """Modules of plug-ins that may define something of a kind."""
    added = [plugin.module for plugin in plugins.plugins(kind) if not plugin.ours]
    return {name for module in added for name in used_by([module]) if not plugins.is_ours(name)}

"""What can be listed: every kind of thing there is, and of each kind a row a thing."""

import importlib
import logging
from collections.abc import Callable
from typing import Any

from core import plugins
from core.errors import LightboxError
from core.plugins import LeftOut
from core.registry import NamedModules, Registry, look_up

Row = dict[str, Any]

#: Kind → what knows them. What lies above the core adds its own by an entry point of the kind ``kinds``.
_REGISTRIES = {
    "explainers": "core.explainers.base:EXPLAINERS",
    "recipes": "core.training.base:RECIPES",
    "studies": "core.studies.base:STUDIES",
    "benches": "core.bench:BENCHES",
    "architectures": "core.models.zoo:ARCHITECTURES",
    "run-kinds": "core.runs.spec:RUN_KINDS",
    "metrics": "core.metrics.registry:METRICS",
    "formats": "core.models.formats.base:FORMATS",
    "workers": "core.runs.execution.base:WORKERS",
    "commands": "core.command_line.commands:COMMANDS",
}


def kinds() -> list[str]:
    """Everything that can be listed, in alphabetical order."""
    return sorted({*_LIBRARIES, *_REGISTRIES, *_added()})


def rows(kind: str) -> tuple[list[Row], list[LeftOut]]:
    """What there is of a kind, and what of it cannot be used.

    Returns
    -------
    list of dict
        One thing each, with ``name``; those that a plug-in may bring also have ``plugin``, its package or None.
    list of LeftOut
        With the reasons.

    Raises
    ------
    BadInput
        When there is no such kind; lists the ones there are.
    LightboxError
        When what a plug-in declared as a kind is none.
    """
    look_up(kind, dict.fromkeys(kinds()), "kind")
    if kind in _LIBRARIES:
        return _LIBRARIES[kind]()
    logging.disable(logging.WARNING)  # what a library of pages says when there is no screen is of no use here
    try:
        registry = _registry(kind)
        found = registry.rows()
        return found, registry.left_out()
    finally:
        logging.disable(logging.NOTSET)


def everything_left_out() -> list[LeftOut]:
    """What plug-ins bring of any kind and cannot be used, each once; imports whatever there is."""
    found: dict[str, LeftOut] = {}
    for kind in sorted(set(kinds()).difference(_LIBRARIES)):
        try:
            found |= {left.sentence: left for left in rows(kind)[1]}
        except Exception as error:
            # one kind that cannot be listed must not hide what is wrong with the others
            left = LeftOut(f"The kind {kind}", plugins.as_reason(error))
            found[left.sentence] = left
    return list(found.values())


def _added() -> dict[str, plugins.Plugin]:
    return {plugin.name: plugin for plugin in plugins.plugins("kinds")}


def _registry(kind: str) -> Registry[Any] | NamedModules:
    if kind in _REGISTRIES:
        module, _, name = _REGISTRIES[kind].partition(":")
        found = getattr(importlib.import_module(module), name)
    else:
        found = plugins.load(_added()[kind])
    if not isinstance(found, Registry | NamedModules):
        raise LightboxError(f"The kind {kind} cannot be listed: what brings it has no core.registry.Registry.")
    return found


def _models() -> tuple[list[Row], list[LeftOut]]:
    from core.models.folders import left_out, list_cards

    return [card.model_dump(mode="json") for card in list_cards()], left_out()


def _cohorts() -> tuple[list[Row], list[LeftOut]]:
    from core.cohorts.library import cohort_cards

    return [{"name": name, **card.model_dump(mode="json")} for name, card in cohort_cards().items()], []


#: Kind → rows, of what is kept in folders of data.
_LIBRARIES: dict[str, Callable[[], tuple[list[Row], list[LeftOut]]]] = {"models": _models, "cohorts": _cohorts}

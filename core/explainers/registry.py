"""Finding explainers: every file of this folder is imported, every concrete subclass of `Explainer` is one."""

import importlib
import inspect
import pkgutil
from typing import Any

import core.explainers
from core.errors import BadInput
from core.explainers.base import Explainer

_NOT_EXPLAINERS = {"base", "group", "parameters", "registry", "run"}


def explainers() -> dict[str, type[Explainer]]:
    """Every explainer by name."""
    for module in pkgutil.iter_modules(core.explainers.__path__):
        if module.name not in _NOT_EXPLAINERS and not module.name.startswith("_"):
            importlib.import_module(f"core.explainers.{module.name}")
    found: dict[str, type[Explainer]] = {}
    waiting: list[type[Explainer]] = [*Explainer.__subclasses__()]
    while waiting:
        cls = waiting.pop()
        waiting.extend(cls.__subclasses__())
        if not inspect.isabstract(cls):
            found[cls.name] = cls
    return dict(sorted(found.items()))


def get_explainer(name: str) -> type[Explainer]:
    """Explainer class by name.

    Raises
    ------
    BadInput
        When there is none; lists the ones there are.
    """
    known = explainers()
    if name not in known:
        raise BadInput(f"There is no explainer {name!r}; there are {', '.join(known)}.")
    return known[name]


def describe(cls: type[Explainer]) -> dict[str, Any]:
    """What a screen or a script needs to know of an explainer: texts, presets, JSON schema of the parameters."""
    return {
        "name": cls.name,
        "title": cls.title,
        "summary": cls.summary,
        "reference": cls.reference,
        "presets": {name: dict(values) for name, values in cls.presets.items()},
        "preset_help": dict(cls.preset_help),
        "parameters": cls.parameters_model.model_json_schema(),
    }

"""Finding explainers: those of this folder, and those of plug-ins."""

from dataclasses import asdict
from typing import Any

from core.explainers.base import EXPLAINERS, Explainer


def explainers() -> dict[str, type[Explainer]]:
    """Every explainer by name."""
    return EXPLAINERS.all()


def get_explainer(name: str) -> type[Explainer]:
    """Explainer class by name.

    Raises
    ------
    BadInput
        When there is none; lists the ones there are.
    """
    return EXPLAINERS.get(name)


def describe(cls: type[Explainer]) -> dict[str, Any]:
    """What a screen or a script needs to know of an explainer: texts, presets, JSON schema of the parameters.

    The class attributes of `Explainer`, as data.
    """
    return {
        "name": cls.name,
        "title": cls.title,
        "summary": cls.summary,
        "reference": cls.reference,
        "presets": {name: dict(values) for name, values in cls.presets.items()},
        "preset_help": dict(cls.preset_help),
        "parameters": cls.parameters_model.model_json_schema(),
        "takes_region": cls.takes_region,
        "steered_by_region": {side: dict(values) for side, values in cls.steered_by_region.items()},
        "curves": {name: asdict(curve) for name, curve in cls.curves.items()},
        "makes_parts": cls.makes_parts,
        "color": cls.color,
        "order": cls.order,
    }

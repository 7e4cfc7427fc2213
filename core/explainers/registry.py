"""Finding explainers: those of this folder, and those of plug-ins."""

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
    """What a screen or a script needs to know of an explainer: texts, presets, JSON schema of the parameters."""
    return cls.describe()

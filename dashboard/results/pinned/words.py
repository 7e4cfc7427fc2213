"""What a run was, in a few words."""

from pathlib import Path

from core.errors import LightboxError
from core.runs import ExplanationSpec, Run
from dashboard.desk import shelf
from dashboard.intake import catalogue


def words_of(run: Run) -> str:
    """Explainer, class, model and scan of an explanation; the title of any other run."""
    if run.kind != ExplanationSpec.kind:
        return run.title
    asked = run.request
    pieces = [
        catalogue.explainer_title(str(asked["explainer"])),
        target_of(run),
        model_title(str(asked["model"])),
        scan_label(str(asked["scan"])),
    ]
    return " · ".join(piece for piece in pieces if piece)


def target_of(run: Run) -> str:
    """Class that a run explains: the one that was asked for, or its model's own; empty for a regressor."""
    card = catalogue.cards().get(str(run.request.get("model")))
    return str(run.request.get("target") or (card.target if card is not None else None) or "")


def model_title(model: str) -> str:
    """Title of a model; of one that is not (any more) in the library, the name of its folder."""
    card = catalogue.cards().get(model)
    return card.title if card is not None else Path(model).name


def scan_label(scan: str) -> str:
    """What a stored scan is called."""
    try:
        return str(shelf().scan_meta(scan)["label"])
    except LightboxError:
        return "a scan that is no longer in the store"

"""What a card says, in words and rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.models.card import AnswerKind, Card

#: Pairs of classes that a card's confusion matrix names; the others are counted.
_MISTAKES = 5
#: What is shown of a card that holds more than anybody reads: letters of a name and of a text, rows, tables, classes.
_LONGEST_WORD, LONGEST_TEXT, _MOST_ROWS, _MOST_TABLES, _MOST_CLASSES = 120, 2000, 60, 30, 40
#: Up to so many classes are named in a line.
_FEW_CLASSES = 3
#: How a classifier's numbers are read, for people.
ANSWERS: dict[AnswerKind, str] = {
    "softmax": "logits, softmax over the classes",
    "sigmoid": "logits, sigmoid of each",
    "probabilities": "probabilities already, together 1",
    "independent_probabilities": "probabilities already, one a class",
}
#: Metrics that say most in one figure, the best first; how they are called.
_KEY_FIGURES = {
    "balanced_accuracy": "balanced accuracy",
    "accuracy": "accuracy",
    "auc": "AUC",
    "ssim": "structural similarity",
    "mae": "mean absolute error",
    "mse": "mean squared error",
}


def one_line(card: Card) -> str:
    """What it does, and what it must be fed."""
    wanted = card.input
    kind = "classifier" if card.task == "classification" else "image to image"
    shape = "×".join(map(str, wanted.shape)) if wanted.shape else ""
    pieces = [f"{wanted.dimensions}D", kind, wanted.modality or "", shape]
    if card.classes:
        pieces.append(f"{len(card.classes)} classes" if len(card.classes) > _FEW_CLASSES else " or ".join(card.classes))
    return " · ".join(shortened(piece) for piece in [" ".join(pieces[:2]), *pieces[2:]] if piece)


def key_figure(card: Card) -> str:
    """The one figure that says most of how good a model is, with its interval and where it was taken; or nothing."""
    sections = {name: value for name, value in card.metrics.items() if isinstance(value, Mapping)}
    ranked = sorted(sections, key=lambda name: name != "test")
    for where, section in [*((words(name), sections[name]) for name in ranked), ("", card.metrics)]:
        for name, title in _KEY_FIGURES.items():
            value = section.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                ((_, shown),) = _metric_rows({name: value, f"{name}_95": section.get(f"{name}_95")}, ())
                return f"{title} {shown}" + (f", {where}" if where else "")
    return ""


def contract_rows(card: Card) -> list[tuple[str, str]]:
    """The input contract in words."""
    wanted = card.input
    rows = [("image", wanted.modality or ("volume" if wanted.dimensions == 3 else "image"))]
    if wanted.shape:
        rows.append(("shape", "×".join(map(str, wanted.shape))))
    if wanted.spacing_mm:
        rows.append(("spacing", f"{'×'.join(f'{s:g}' for s in dict.fromkeys(wanted.spacing_mm))} mm"))
    if wanted.affine:
        rows.append(
            ("space", "a fixed grid in MNI millimetres" if wanted.space == "MNI152" else "a fixed grid of its own")
        )
    if wanted.plane:
        place = f" at {wanted.position_mm:g} mm" if wanted.position_mm is not None else ""
        rows.append(("from a volume", f"{wanted.plane} slice{place}"))
    rows.append(("orientation", wanted.orientation))
    rows.append(("channels", str(wanted.channels)))
    scaled = ", each scan scaled to it" if wanted.intensity.rescale == "minmax" else ""
    units = f" {wanted.intensity.units}" if wanted.intensity.units else ""
    rows.append(("values", f"{wanted.intensity.low:g} to {wanted.intensity.high:g}{units}{scaled}"))
    if card.classes:
        shown = [shortened(name) for name in card.classes[:_MOST_CLASSES]]
        more = [f"and {len(card.classes) - len(shown)} more"] if len(card.classes) > len(shown) else []
        rows.append(("classes", ", ".join([*shown, *more])))
    if card.answers is not None:
        rows.append(("answers", ANSWERS[card.answers]))
    return [(name, shortened(value, LONGEST_TEXT)) for name, value in rows]


def metric_tables(metrics: Mapping[str, Any], classes: Sequence[str] = ()) -> list[tuple[str, list[tuple[str, str]]]]:
    """Metrics of a card as tables, one for each section: heading, rows.

    An interval stands beside its value; of a confusion matrix over `classes` the mistakes are named.
    """
    plain = {name: value for name, value in metrics.items() if not isinstance(value, Mapping)}
    tables = [("", _metric_rows(plain, classes))] if plain else []
    sections = {name: value for name, value in metrics.items() if isinstance(value, Mapping)}
    tables += [(words(name), _metric_rows(section, classes)) for name, section in sections.items()]
    return [(heading, first_rows(rows)) for heading, rows in first_tables(tables)]


def _metric_rows(metrics: Mapping[Any, Any], classes: Sequence[str]) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in metrics.items():
        if isinstance(value, Mapping):
            rows += [(f"{words(name)} of {shortened(str(key))}", value_in_words(inner)) for key, inner in value.items()]
        elif name == "confusion" and is_confusion(value, len(classes)):
            rows.append(("taken for another", _mistakes(value, classes)))
        elif not str(name).endswith("_95") or str(name).removesuffix("_95") not in metrics:
            interval = metrics.get(f"{name}_95")
            between = ""
            if isinstance(interval, Sequence) and not isinstance(interval, str) and len(interval) == 2:
                between = f" (95%: {value_in_words(interval[0])} to {value_in_words(interval[1])})"
            rows.append((words(name), value_in_words(value) + between))
    return rows


def is_confusion(value: Any, classes: int) -> bool:
    """Whether a value is a square table of counts, a row and a column a class."""

    def has_one_each(found: Any) -> bool:
        return isinstance(found, Sequence) and not isinstance(found, str) and len(found) == classes > 0

    return has_one_each(value) and all(
        has_one_each(row) and all(isinstance(count, int | float) for count in row) for row in value
    )


def _mistakes(confusion: Sequence[Sequence[float]], classes: Sequence[str]) -> str:
    """What was taken for what, most often first: ``"pelvis for spine 10, chest for hand 3, and 4 more"``."""
    pairs = [
        (count, f"{shortened(truth)} for {shortened(predicted)} {count}")
        for truth, row in zip(classes, confusion, strict=True)
        for predicted, count in zip(classes, row, strict=True)
        if count and predicted != truth
    ]
    pairs.sort(key=lambda pair: -pair[0])
    told, rest = pairs[:_MISTAKES], sum(count for count, _ in pairs[_MISTAKES:])
    return ", ".join([words for _, words in told] + ([f"and {rest} more"] if rest else [])) or "none"


def value_in_words(value: Any) -> str:
    """A value from a card, whatever it is, on one line."""
    return f"{value:.3f}" if isinstance(value, float) else shortened(str(value))


def shortened(words: str, most: int = _LONGEST_WORD) -> str:
    """Words from a card, no longer than is read."""
    return words if len(words) <= most else f"{words[: most - 1]}…"


def first_rows(rows: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The first rows of a table, and how many there are more."""
    more = len(rows) - _MOST_ROWS
    return [*rows[:_MOST_ROWS], ("and more", f"{more} rows")] if more > 0 else list(rows)


def first_tables(tables: Sequence[tuple[str, list[tuple[str, str]]]]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The first tables, and how many there are more."""
    more = len(tables) - _MOST_TABLES
    return [*tables[:_MOST_TABLES], ("and more", [("sections", str(more))])] if more > 0 else list(tables)


def words(name: Any) -> str:
    """A name from a card, for people: ``balanced_accuracy`` → balanced accuracy, ``auc`` → AUC."""
    pieces = shortened(str(name)).split("_")
    return " ".join(word.upper() if word in ("auc", "roc", "mni") else word for word in pieces)


def training_rows(card: Card) -> list[tuple[str, str]]:
    """Training provenance in rows; what the card leaves open is left out."""
    training = card.training
    rows = [("data", training.data), ("recipe", training.recipe), ("command", training.command)]
    if training.seed is not None:
        rows.append(("seed", str(training.seed)))
    rows.append(("licence", card.license))
    return [(name, shortened(value, LONGEST_TEXT)) for name, value in rows if value]

"""Models: the cards of the library, and which explainers fit each."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core import plugins
from core.errors import LightboxError
from core.models import folders
from core.models.card import AnswerKind, Card
from core.wording import sentence_case
from dashboard.backend import pool, questions
from dashboard.callbacks import whole
from dashboard.frame import opening
from dashboard.frame.pages import Page, pages, told
from dashboard.intake import catalogue
from dashboard.look import text

#: Pairs of classes that a card's confusion matrix names; the others are counted.
_MISTAKES = 5
#: What is shown of a card that holds more than anybody reads: letters of a name and of a text, rows, tables, classes.
_LONGEST_WORD, _LONGEST_TEXT, _MOST_ROWS, _MOST_TABLES, _MOST_CLASSES = 120, 2000, 60, 30, 40
#: How a classifier's numbers are read, for people.
ANSWERS: dict[AnswerKind, str] = {
    "softmax": "logits, softmax over the classes",
    "sigmoid": "logits, sigmoid of each",
    "probabilities": "probabilities already, together 1",
    "independent_probabilities": "probabilities already, one a class",
}
_log = logging.getLogger(__name__)


def show() -> None:
    """Draw the page."""
    cards = catalogue.cards()
    left_out = folders.left_out()
    st.markdown("### Models")
    if not cards and not left_out:
        text.show(
            text.empty(
                "The library is empty",
                "Run make assets for the demo models, or set LIGHTBOX_MODELS_DIR to a folder of model folders.",
            )
        )
        return
    for card in cards.values():
        with st.container(border=True, key=f"model-{card.name}"):
            _show_or_say(card)
    if left_out:
        st.markdown("### Left out")
        text.show(text.quiet_lines(left.sentence for left in left_out))
    _show_plugins()


def _show_or_say(card: Card) -> None:
    """One card; whatever is wrong with it costs the others nothing."""
    try:
        _show_card(card)
    except Exception:
        _log.warning("the card of %s cannot be shown", card.name, exc_info=True)
        st.error(text.as_markdown(f"The card of {card.name} cannot be shown: mend its card.yaml."))


def _show_plugins() -> None:
    """Quietly, below everything: which plug-ins there are, and what is left out of them and why."""
    names = list(dict.fromkeys(plugin.origin for plugin in plugins.plugins() if not plugin.ours))
    if not names and not plugins.left_out():
        return
    st.markdown("### Plug-ins")
    try:
        with st.spinner("Looking at the plug-ins"):
            left_out = _left_out(tuple(names))
    except LightboxError as problem:
        st.warning(text.as_markdown(str(problem)))
        return
    text.show(text.quiet(", ".join(names)))
    for sentence in left_out:
        text.show(text.quiet(sentence))


@st.cache_data(max_entries=4, show_spinner=False)
def _left_out(names: tuple[str, ...]) -> list[str]:
    """Asked in the backend: some plug-ins bring torch along."""
    return pool.ask(questions.left_out_plugins)


def _show_card(card: Card) -> None:
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        tags = [text.tag(f"{card.input.dimensions}D {card.task}")]
        if card.synthetic:
            tags.append(text.tag("trained on synthetic data", "synthetic"))
        text.show(text.facts([text.title(card.title), *tags]))
        for page in pages().values():
            if verb := told(page, lambda page: page.verb(card), ""):
                st.button(
                    f"{verb} with it",
                    key=f"{page.name} {card.name}",
                    icon=":material/play_arrow:",
                    on_click=whole(_use),
                    args=(page, card),
                )
    if card.description:
        # plain words: Markdown of a stranger's card could fetch a picture from anywhere
        text.show(text.paragraphs(shortened(card.description, _LONGEST_TEXT)))
    left, middle, right = st.columns(3, gap="large", wrap=False)
    with left:
        st.markdown("### What it must be fed")
        text.show(text.numbers(contract_rows(card)))
    with middle:
        st.markdown("### How good it is")
        for heading, rows in metric_tables(card.metrics, card.classes):
            text.show(text.numbers(rows, heading))
        if not card.metrics:
            text.show(text.quiet("The card gives no metrics."))
    with right:
        st.markdown("### Where it comes from")
        text.show(text.numbers(training_rows(card)))
    _show_explainers(card)
    _show_layers(card)
    details = [
        (words(name), value_in_words(value)) for name, value in card.training.details.items() if value is not None
    ]
    if details:
        with st.expander("Training settings"):
            text.show(text.numbers(first_rows(details)))


def _use(page: Page, card: Card) -> None:
    page.begin_with(card)
    opening.go_to(page.name)


def _show_explainers(card: Card) -> None:
    st.markdown("### Explainers and their presets")
    try:
        reasons = catalogue.unfit_explainers(card)
        seen = catalogue.seen_of(card)
    except LightboxError as problem:
        st.warning(text.as_markdown(str(problem)))
        return
    for sentence in seen:
        st.warning(text.as_markdown(sentence_case(sentence, start=True)))
    pieces = []
    for entry in catalogue.explainer_entries().values():
        reason = reasons.get(entry.name)
        if reason is None:
            pieces.append(text.tag(f"{entry.title}: {', '.join(entry.presets)}"))
        else:
            pieces.append(text.tag(f"{entry.title} does not fit: {reason}", "warning"))
    text.show(text.facts(pieces))


def _show_layers(card: Card) -> None:
    name = text.as_markdown(shortened(card.architecture.name))
    with st.expander(f"Architecture: {name}", on_change="rerun", key=f"layers {card.name}") as folded:
        if not folded.open:
            return
        arguments = ", ".join(f"{key} = {value_in_words(value)}" for key, value in card.architecture.arguments.items())
        if arguments:
            text.show(text.quiet(arguments))
        try:
            with st.spinner("Loading the network"):
                layers = pool.ask(questions.layers, card.name, catalogue.content_of(card.name))
        except LightboxError as problem:
            st.error(text.as_markdown(str(problem)))
            return
        st.dataframe(
            [
                {"layer": name, "what": what, "weights": weights, "offered for Grad-CAM": name in card.feature_layers}
                for name, what, weights in layers
            ],
            hide_index=True,
            height="content",
        )


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
    return [(name, shortened(value, _LONGEST_TEXT)) for name, value in rows]


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
    return [(name, shortened(value, _LONGEST_TEXT)) for name, value in rows if value]

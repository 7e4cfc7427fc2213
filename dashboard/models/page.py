"""Models: the cards of the library, and which explainers fit each."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core import plugins
from core.errors import LightboxError
from core.models.card import Card
from dashboard.backend import pool, questions
from dashboard.callbacks import whole
from dashboard.frame import opening
from dashboard.frame.pages import Page, pages, told
from dashboard.intake import catalogue
from dashboard.look import text

#: Pairs of classes that a card's confusion matrix names; the others are counted.
_MISTAKES = 5


def show() -> None:
    """Draw the page."""
    cards = catalogue.cards()
    st.markdown("### Models")
    if not cards:
        text.show(
            text.empty(
                "The library is empty",
                "Run make assets for the demo models, or set LIGHTBOX_MODELS_DIR to a folder of model folders.",
            )
        )
        return
    for card in cards.values():
        with st.container(border=True, key=f"model-{card.name}"):
            _show_card(card)
    _show_plugins()


def _show_plugins() -> None:
    """Quietly, below everything: which plug-ins there are, and what is left out of them and why."""
    names = list(dict.fromkeys(plugin.origin for plugin in plugins.plugins() if not plugin.ours))
    if not names and not plugins.left_out():
        return
    st.markdown("###### Plug-ins")
    try:
        with st.spinner("Looking at the plug-ins"):
            left_out = _left_out(tuple(names))
    except LightboxError as problem:
        st.warning(str(problem))
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
            tags.append(text.tag("synthetic data", "synthetic"))
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
        st.markdown(card.description)
    left, middle, right = st.columns(3, gap="large", wrap=False)
    with left:
        st.markdown("###### What it must be fed")
        text.show(text.numbers(contract_rows(card)))
    with middle:
        st.markdown("###### How good it is")
        for heading, rows in metric_tables(card.metrics, card.classes):
            text.show(text.numbers(rows, heading))
        if not card.metrics:
            text.show(text.quiet("The card gives no metrics."))
    with right:
        st.markdown("###### Where it comes from")
        text.show(text.numbers(training_rows(card)))
    _show_explainers(card)
    _show_layers(card)
    details = [(words(name), str(value)) for name, value in card.training.details.items() if value is not None]
    if details:
        with st.expander("Training settings"):
            text.show(text.numbers(details))


def _use(page: Page, card: Card) -> None:
    page.begin_with(card)
    opening.go_to(page.name)


def _show_explainers(card: Card) -> None:
    st.markdown("###### Explainers and their presets")
    try:
        reasons = catalogue.unfit_explainers(card)
    except LightboxError as problem:
        st.warning(str(problem))
        return
    pieces = []
    for entry in catalogue.explainer_entries().values():
        reason = reasons.get(entry.name)
        if reason is None:
            pieces.append(text.tag(f"{entry.title}: {', '.join(entry.presets)}"))
        else:
            pieces.append(text.tag(f"{entry.title} does not fit: {reason}", "warning"))
    text.show(text.facts(pieces))


def _show_layers(card: Card) -> None:
    with st.expander(f"Architecture: {card.architecture.name}", on_change="rerun", key=f"layers {card.name}") as folded:
        if not folded.open:
            return
        arguments = ", ".join(f"{name} = {value}" for name, value in card.architecture.arguments.items())
        if arguments:
            text.show(text.quiet(arguments))
        try:
            with st.spinner("Loading the network"):
                layers = pool.ask(questions.layers, card.name, catalogue.content_of(card.name))
        except LightboxError as problem:
            st.error(str(problem))
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
        rows.append(("classes", ", ".join(card.classes)))
    return rows


def metric_tables(metrics: Mapping[str, Any], classes: Sequence[str] = ()) -> list[tuple[str, list[tuple[str, str]]]]:
    """Metrics of a card as tables, one for each section: heading, rows.

    An interval stands beside its value; of a confusion matrix over `classes` the mistakes are named.
    """
    plain = {name: value for name, value in metrics.items() if not isinstance(value, Mapping)}
    tables = [("", _metric_rows(plain, classes))] if plain else []
    sections = {name: value for name, value in metrics.items() if isinstance(value, Mapping)}
    return tables + [(words(name), _metric_rows(section, classes)) for name, section in sections.items()]


def _metric_rows(metrics: Mapping[str, Any], classes: Sequence[str]) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in metrics.items():
        if isinstance(value, Mapping):
            rows += [(f"{words(name)} of {key}", _number(inner)) for key, inner in value.items()]
        elif name == "confusion" and len(value) == len(classes) > 0:
            rows.append(("taken for another", _mistakes(value, classes)))
        elif not name.endswith("_95"):
            interval = metrics.get(f"{name}_95")
            between = f" (95%: {_number(interval[0])} to {_number(interval[1])})" if interval else ""
            rows.append((words(name), _number(value) + between))
    return rows


def _mistakes(confusion: Sequence[Sequence[int]], classes: Sequence[str]) -> str:
    """What was taken for what, most often first: ``"pelvis for spine 10, chest for hand 3, and 4 more"``."""
    pairs = [
        (count, f"{truth} for {predicted} {count}")
        for truth, row in zip(classes, confusion, strict=True)
        for predicted, count in zip(classes, row, strict=True)
        if count and predicted != truth
    ]
    pairs.sort(key=lambda pair: -pair[0])
    told, rest = pairs[:_MISTAKES], sum(count for count, _ in pairs[_MISTAKES:])
    return ", ".join([words for _, words in told] + ([f"and {rest} more"] if rest else [])) or "none"


def _number(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def words(name: str) -> str:
    """A name from a card, for people: ``balanced_accuracy`` → balanced accuracy, ``auc`` → AUC."""
    return " ".join(word.upper() if word in ("auc", "roc", "mni") else word for word in name.split("_"))


def training_rows(card: Card) -> list[tuple[str, str]]:
    """Training provenance in rows; what the card leaves open is left out."""
    training = card.training
    rows = [("data", training.data), ("recipe", training.recipe), ("command", training.command)]
    if training.seed is not None:
        rows.append(("seed", str(training.seed)))
    rows.append(("licence", card.license))
    return [(name, value) for name, value in rows if value]

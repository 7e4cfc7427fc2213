"""What there is to choose from: models, explainers, demo scans. Readable without torch."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import streamlit as st

from core.acceptance.verdict import statistics_stamp
from core.explainers import describe, explainers
from core.explainers.base import Side
from core.models.card import Card
from core.models.folders import folder_hash, list_cards, resolve
from core.runs import Run
from dashboard.backend import pool, questions
from dashboard.intake.controls.declared import Control, read_schema
from dashboard.intake.demo import DemoScan


@dataclass(frozen=True)
class ExplainerEntry:
    """An explainer as screens need it."""

    name: str
    title: str
    summary: str
    reference: str
    presets: dict[str, dict[str, Any]]
    controls: tuple[Control, ...]
    preset_help: dict[str, str] = field(default_factory=dict)
    takes_region: bool = False
    steered: Mapping[Side, Mapping[str, Any]] = field(default_factory=dict)
    makes_parts: bool = False
    order: int = 100
    changes_scan: bool = False

    @property
    def set_by_region(self) -> frozenset[str]:
        """Parameters whose values follow from where a region lies."""
        return frozenset(name for values in self.steered.values() for name in values)

    @property
    def first_preset(self) -> str:
        """The preset that is used unless another is chosen."""
        return next(iter(self.presets))

    def values(self, preset: str) -> dict[str, Any]:
        """Value of every parameter in a preset."""
        defaults = {control.name: control.default for control in self.controls}
        return {**defaults, **self.presets.get(preset, {})}


@lru_cache(maxsize=1)
def explainer_entries() -> dict[str, ExplainerEntry]:
    """Every explainer by name."""
    return {name: _entry(describe(cls)) for name, cls in explainers().items()}


def _entry(description: dict[str, Any]) -> ExplainerEntry:
    return ExplainerEntry(
        name=description["name"],
        title=description["title"],
        summary=description["summary"],
        reference=description["reference"],
        presets=description["presets"],
        preset_help=description["preset_help"],
        takes_region=description["takes_region"],
        steered=description["steered_by_region"],
        makes_parts=description["makes_parts"],
        order=description["order"],
        changes_scan=description["changes_scan"],
        controls=tuple(read_schema(description["parameters"])),
    )


def explainer_title(name: str) -> str:
    """Title of an explainer; the name itself for one that is no longer there."""
    entry = explainer_entries().get(name)
    return entry.title if entry else name


def settings_in_words(explainer: str, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Parameters as they are called on screen, each with its value in words; by their names where nobody knows them."""
    entry = explainer_entries().get(explainer)
    controls = {control.name: control for control in entry.controls} if entry is not None else {}
    return [
        (controls[name].label, controls[name].called(value)) if name in controls else (name, str(value))
        for name, value in values.items()
    ]


def cards() -> dict[str, Card]:
    """Card of every model of the library by name."""
    return {card.name: card for card in list_cards()}


def first_explainer() -> str | None:
    """The one that is offered before anything is chosen."""
    return next((entry.name for entry in sorted(explainer_entries().values(), key=in_order)), None)


def in_order(entry: ExplainerEntry) -> tuple[int, str]:
    """Key by which explainers are sorted."""
    return entry.order, entry.title


def is_of_region(run: Run) -> bool:
    """Whether a region that a person marked steered a stored explanation; for other explainers it is a landmark."""
    entry = explainer_entries().get(run.request.get("explainer", ""))
    return bool(run.request.get("region")) and (entry is None or entry.takes_region)


def makes_images(scan: DemoScan) -> bool:
    """Whether a demo scan is an example for a model that makes an image of it."""
    card = cards().get(scan.model or "")
    return card is not None and card.task == "regression"


def content_of(model: str) -> str:
    """Hash of a model's folder and stamp of its statistics, to notice when either was replaced."""
    folder = resolve(model)
    return folder_hash(folder) + statistics_stamp(folder)


def unfit_explainers(card: Card) -> dict[str, str]:
    """Explainers that do not fit a model, each with the reason as a sentence.

    Raises
    ------
    LightboxError
        When the model cannot be loaded.
    """
    # the place of the spinner stays when it goes: what stands below must not be built anew under somebody's click
    with st.empty(), st.spinner("Loading the model"):
        return _unfit_explainers(card.name, content_of(card.name))


@st.cache_data(max_entries=64, show_spinner=False)
def _unfit_explainers(model: str, content: str) -> dict[str, str]:
    return pool.ask(questions.unfit, model, content)


def seen_of(card: Card) -> tuple[str, ...]:
    """What was seen of a model's network when it was asked, and must be known before it is believed; a sentence each.

    Raises
    ------
    LightboxError
        When the model cannot be loaded.
    """
    return _seen_of(card.name, content_of(card.name))


@st.cache_data(max_entries=64, show_spinner=False)
def _seen_of(model: str, content: str) -> tuple[str, ...]:
    return pool.ask(questions.seen_of, model, content)


def why_model_unfit(card: Card, shape: tuple[int, ...]) -> str | None:
    """Why a model cannot be asked about a scan of this shape (channels first), as a sentence; None when it can.

    Only what is certain beforehand; the model's own `prepare` has the last word.
    """
    wanted = card.input
    dimensions = len(shape) - 1
    if dimensions == 2 and wanted.dimensions == 3:
        return f"{card.title} reads volumes, and this is a single image."
    if dimensions == 3 and wanted.dimensions == 2 and wanted.plane is None and 1 not in shape[1:]:
        return f"{card.title} reads single images, and this is a volume."
    # a model of three channels takes a picture's colours, or one grey image three times
    if shape[0] != wanted.channels and (shape[0], wanted.channels) != (1, 3):
        return f"{card.title} reads {wanted.channels} channel(s), and this scan has {shape[0]}."
    return None


def nearest_first(names: Iterable[str], cards: Mapping[str, Card], shape: tuple[int, ...]) -> list[str]:
    """Models in the order in which they suit a scan of this shape (channels first), otherwise in the order given.

    Those of the scan's own dimensions come first; for a single image, a model of films comes before one that reads one
    slice of a volume.
    """
    dimensions = len(shape) - 1

    def distance(name: str) -> tuple[bool, bool]:
        wanted = cards[name].input
        return wanted.dimensions != dimensions, dimensions == 2 and wanted.plane is not None

    return sorted(names, key=distance)


def why_none_fits(cards: Sequence[Card], shape: tuple[int, ...]) -> str:
    """Why none of these models can be asked about a scan of this shape, and what to do."""
    if not cards:
        return "The library is empty: run make assets, or set LIGHTBOX_MODELS_DIR to a folder of models."
    told = [why_model_unfit(card, shape) for card in cards]
    further = "Choose another scan, or add a model that reads this one: LIGHTBOX_MODELS_DIR names a folder of models."
    return " ".join([*(reason for reason in told if reason), further])

"""What hangs in a viewer as a figure for print, and what is written under it."""

import time
from collections.abc import Sequence

import numpy as np

from core.explainers import explainers
from core.models.card import Card
from core.reports.explanation import StoredExplanation
from core.reports.figures.drawing import Figure, Panel
from core.reports.figures.painting import Layer
from core.reports.figures.planes import Samples
from core.runs import Run
from core.scans.grid import Grid
from core.wording import percent, sentence_case, spelled_out
from dashboard.components import viewer
from dashboard.components.viewer import packed_values
from dashboard.intake import catalogue, demo
from dashboard.results.listed.described import described

RESEARCH = "Lightbox is a research tool, not a medical device."


def figure_of(hung: viewer.Hung, caption: Sequence[str] = (), caution: str = "") -> Figure:
    """The panels of a viewer as they hang, without what is only a place for something to come.

    Window, colours and threshold are those that the viewer was given: what is changed in the browser stays there.

    Parameters
    ----------
    hung : Hung
        From `dashboard.components.viewer.hung`.
    caption : sequence of str
        Paragraphs below.
    caution : str
        What must be known before it is believed.
    """
    panels = [panel for panel in hung.panels if not panel.dimmed] or hung.panels
    return Figure([_panel(panel) for panel in panels], hung.plane, hung.crosshair, caption, caution)


def _panel(panel: viewer.Panel) -> Panel:
    layers = [_layer(layer) for layer in panel.layers if layer.visible]
    return Panel(panel.title, layers, panel.empty, panel.struck)


def _layer(layer: viewer.Layer) -> Layer:
    volume = layer.volume
    low, high = (layer.window or volume.window) if layer.role == "image" else (layer.range or volume.range)
    if layer.centre_zero:
        high = max(abs(low), abs(high))
        low = -high
    grid = Grid(volume.shape, np.array(volume.affine))
    return Layer(
        Samples(packed_values(volume), grid, volume.scale, volume.offset),
        layer.role,
        low,
        high if high > low else low + 1.0,
        layer.name.strip(),
        layer.unit,
        layer.colormap,
        layer.centre_zero,
        layer.threshold,
        layer.fade,
        layer.opacity,
        layer.color,
        volume.range,
    )


def caption_of(run: Run, explanation: StoredExplanation) -> list[str]:
    """Paragraphs under a figure of a result: the answer, the method, whether it holds, and where it is from."""
    card = catalogue.cards().get(explanation.model)
    scan = str(run.request.get("scan", ""))
    words = described(run, explanation.target or "")
    model = card.title if card is not None else explanation.model
    settings = f" Settings that differ from the first ones: {'; '.join(words.settings)}." if words.settings else ""
    verdict, acceptance = explanation.verdict, explanation.acceptance
    able = f" {acceptance.sentence}" if acceptance is not None and acceptance.sentence else ""
    shipped = demo.shipped_as(scan)
    synthetic = "Synthetic data. " if shipped is not None and shipped.synthetic else ""
    if not synthetic and card is not None and card.synthetic:
        synthetic = "Model of synthetic data. "
    return [
        f"{answer_words(explanation, card)}{explanation.sentence}".strip(),
        f"Method: {words.method}. Model: {model}.{settings}",
        f"{verdict.title}. {verdict.sentence}{able}",
        f"{synthetic}{RESEARCH} Run {run.id}, {day_of(run)}.",
    ]


def answer_words(explanation: StoredExplanation, card: Card | None) -> str:
    """What the model says, and what that became; that it means nothing where the model cannot read the scan."""
    scores, target = explanation.scores or {}, explanation.target
    before, after = scores.get("before") or {}, scores.get("after") or {}
    if target is None or target not in before:
        return ""
    if explanation.acceptance is not None and explanation.acceptance.refused:
        return "What the model says means nothing for this scan. "
    likeliest = max(before, key=before.__getitem__)
    said = f"The model says {_called(likeliest, card)} ({percent(before[likeliest])}). "
    if target != likeliest:
        said += f"Asked about {_called(target, card)}: {percent(before[target])}. "
    cls, record = explainers().get(explanation.explainer), explanation.record
    done = "after the change"
    if cls is not None:
        done = cls.done(record.get("parameters") or {}, record.get("numbers") or {})
    if target in after and done and not explanation.verdict.withheld:
        said += f"{sentence_case(done, start=True)}: {percent(after[target])}. "
    return said


def day_of(run: Run) -> str:
    """When a run was finished (of one that was not, when it was asked), on the server's clock."""
    return time.strftime("%Y-%m-%d", time.localtime(run.finished or run.created))


def _called(name: str, card: Card | None) -> str:
    return spelled_out(name) if card is None else card.title_of(name)

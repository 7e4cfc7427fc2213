"""A group of scans that are traced as one: the further scans of it, and what is said of how far they agree."""

from collections.abc import Sequence

import streamlit as st

from core.models.card import Card
from core.reports.explanation import StoredExplanation
from dashboard.backend import pool, questions
from dashboard.callbacks import whole
from dashboard.desk import owner, shelf
from dashboard.intake import demo
from dashboard.trace.desk import TraceDesk

_DEMO = "demo:"
_HELP = (
    "Trace the same selection on further scans of the same shape: the map is then their mean, and a second map says "
    "how much it varies from scan to scan. Takes as many times as long."
)


def choose_others(laid: TraceDesk, card: Card, shape: Sequence[int]) -> None:
    """Draw the choice of further scans; what is chosen goes to `laid`."""
    if laid.others_for != laid.scan:
        laid.others, laid.others_for = (), laid.scan
    options = _options(laid, card, shape)
    laid.others = tuple(scan for scan in laid.others if scan in options)
    key = f"trace others:{laid.revision}:{laid.scan}:{hash((tuple(options), laid.others))}"
    st.multiselect(
        "Also on",
        list(options),
        default=list(laid.others),
        format_func=lambda option: options[option],
        placeholder="This scan alone" if options else "No other scan of this shape",
        disabled=not options,
        key=key,
        on_change=whole(_chosen),
        args=(laid, key),
        help=_HELP,
    )


def size(explanation: StoredExplanation) -> int:
    """How many scans an explanation is of."""
    return int(explanation.record["numbers"].get("scans", 1))


def _options(laid: TraceDesk, card: Card, shape: Sequence[int]) -> dict[str, str]:
    """Stored scans of the same shape, and demo scans of the same model; those not read yet by name."""
    stored = {scan.hash: scan for scan in shelf().scans() if scan.shape == tuple(shape)}
    labels = {scan.label: scan.hash for scan in stored.values()}
    shipped = [scan for scan in demo.scans() if scan.model == card.name]
    here = next((label for label, scan in labels.items() if scan == laid.scan), None)
    found = {labels.get(scan.title, _DEMO + scan.name): scan.title for scan in shipped if scan.title != here}
    return found | {scan.hash: scan.label for scan in stored.values() if scan.hash not in (laid.scan, *found)}


def _chosen(laid: TraceDesk, key: str) -> None:
    """Take over the choice; a demo scan is put into the store first. A callback, so that it is never lost."""
    laid.others = tuple(_stored(option) for option in st.session_state[key])


def _stored(option: str) -> str:
    if not option.startswith(_DEMO):
        return option
    scan = next(scan for scan in demo.scans() if scan.name == option.removeprefix(_DEMO))
    return pool.ask(questions.read_asset, scan.path, scan.title, owner())

"""Ground truth: the image that a model's answer should have been."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core.models.card import Card
from dashboard.callbacks import whole
from dashboard.desk import shelf
from dashboard.intake import demo
from dashboard.trace.desk import TraceDesk

_DEMO = "demo"


@dataclass(frozen=True)
class Truth:
    """A true image: its name for caches, and its file where it comes with a demo scan."""

    name: str
    path: Path | None = None


def choose_truth(laid: TraceDesk, card: Card, shape: Sequence[int]) -> Truth | None:
    """Draw the choice of a ground truth; returns what is chosen."""
    if card.output is None or laid.scan is None:
        return None
    shipped = demo.shipped_as(laid.scan)
    options = {"": "None"}
    if shipped is not None and shipped.target is not None:
        options[_DEMO] = f"{shipped.title}: its {card.output.modality or 'true image'}"
    for scan in shelf().scans():
        if scan.hash != laid.scan and scan.shape[1:] == tuple(shape[1:]):
            options[scan.hash] = scan.label
    if laid.truth not in options or (not laid.truth and laid.truth_for != laid.scan):
        laid.truth = _DEMO if _DEMO in options else ""
    laid.truth_for = laid.scan
    key = f"truth:{laid.scan}:{len(options)}:{laid.truth}"
    st.selectbox(
        "Ground truth",
        list(options),
        index=list(options).index(laid.truth),
        format_func=lambda option: options[option],
        disabled=len(options) == 1,
        key=key,
        on_change=whole(_chosen),
        args=(laid, key),
        help="What the output should look like: a scan of the same shape that you opened before.",
    )
    if not laid.truth:
        return None
    if laid.truth == _DEMO:
        assert shipped is not None
        return Truth(f"demo:{shipped.name}", shipped.target)
    return Truth(laid.truth)


def _chosen(laid: TraceDesk, key: str) -> None:
    laid.truth = st.session_state[key]

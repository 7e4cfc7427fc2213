"""Starting what a page lays out, and watching it: the same button and the same bar on every page."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.runs import Run
from dashboard.callbacks import whole
from dashboard.components.assist import START
from dashboard.desk import Desk, shelf
from dashboard.intake.order import Order
from dashboard.look import text
from dashboard.results import answer


def start_button(
    laid: Desk,
    label: str,
    *,
    key: str,
    order: Order,
    on_click: Callable[..., None],
    args: tuple[Any, ...] = (),
    refused: bool = False,
    more: Callable[[], None] | None = None,
) -> None:
    """Draw the button at the foot of the sidebar that starts a run (Ctrl+Enter), and why the last one was refused.

    Parameters
    ----------
    laid : Desk
        Whose `problem` is told, once.
    label, key : str
        Word on the button; its key.
    order : Order
        What would be started. Where it cannot be, the button is grey and its tooltip says why.
    on_click, args
        A callback, so that a press is never lost.
    refused : bool
        The model cannot read the scan: the button steps back, and says that it is pressed in spite of that.
    more : callable, optional
        Draws another button below it.
    """
    if laid.begin and laid.scan is not None:
        laid.begin = False
        if order.ready:
            on_click(*args)
    with st.container(key=START):
        st.button(
            f"{label} anyway" if refused else label,
            type="secondary" if refused else "primary",
            width="stretch",
            icon=":material/play_arrow:",
            disabled=not order.ready,
            help=text.as_markdown(order.refusal or "") or None,
            shortcut="Ctrl+Enter",
            key=key,
            on_click=whole(on_click),
            args=args,
        )
        if more is not None:
            more()
    if laid.problem:
        st.error(text.as_markdown(laid.problem))
        laid.problem = None


def progress_row(run: Run, *, key: str, on_cancel: Callable[[], None], first: str = "") -> None:
    """Draw how far a run is, beside the button `key` that cancels it; `first` stands before the words."""
    live = shelf().progress(run.id)
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        st.progress(live.fraction, text=first + answer.progress_text(run, live))
        st.button("Cancel", icon=":material/stop_circle:", key=key, disabled=run.cancelling, on_click=whole(on_cancel))


def cancel(run_id: str) -> None:
    """Ask a run of this owner to stop."""
    shelf().cancel(run_id)

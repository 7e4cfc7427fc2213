"""Choosing one model for a scan."""

from collections.abc import Callable, Sequence

import streamlit as st

from core.models.card import Card
from dashboard.callbacks import whole
from dashboard.desk import Desk, use_model
from dashboard.intake import catalogue, demo
from dashboard.look import text


def choose_model(
    laid: Desk,
    cards: Sequence[Card],
    shape: tuple[int, ...] | None,
    *,
    example_first: bool,
    help_text: str,
    recognised: Callable[[Sequence[Card]], Sequence[str]] | None = None,
) -> Card | None:
    """Draw the list of models that read the scan; returns the one that is chosen, None where none does.

    Parameters
    ----------
    laid : Desk
        Where the choice is kept.
    cards : sequence of Card
        Those that the page asks. What suits the scan alike stands in their order.
    shape : tuple of int, optional
        Of the scan, channels first; None: any model will do.
    example_first : bool
        A demo scan brings the model it is an example for; otherwise only where the one in use is of another task.
    help_text : str
        Beside the list.
    recognised : callable, optional
        Of models that could read the scan by its shape, the names of those that it looks right to. Asked about a scan
        that is new; where it looks right to none of several, the person is asked and nothing is chosen for them.
    """
    known = {card.name: card for card in cards}
    unfit = {} if shape is None else {n: catalogue.why_model_unfit(card, shape) for n, card in known.items()}
    fitting = [name for name in known if not unfit.get(name)]
    if not fitting:
        laid.model = None
        nothing = "No model fits this scan" if known else "No model installed"
        st.selectbox("Model", [], placeholder=nothing, key=f"no model:{laid.page}")
        return None
    chosen = _recognised(laid, [known[name] for name in fitting], recognised)
    if chosen is None:
        laid.model = _preferred(laid, fitting, known, shape, example_first)
    else:
        laid.model, laid.target, laid.model_for = chosen or None, None, laid.scan
    key = f"model:{laid.page}:{laid.revision}:{laid.scan}:{len(fitting)}:{laid.model}"
    st.selectbox(
        "Model",
        fitting,
        index=fitting.index(laid.model) if laid.model is not None else None,
        placeholder="Choose a model",
        format_func=lambda name: known[name].title,
        key=key,
        on_change=whole(_chosen),
        args=(laid, key),
        help=help_text,
    )
    if laid.model is None:
        laid.model_for = None  # asked again until somebody has chosen
        return None
    # those of the other task are no alternative to this one
    task = known[laid.model].task
    reasons = [reason for name, reason in unfit.items() if reason and known[name].task == task]
    if reasons:
        count = f"{len(reasons)} models do not fit" if len(reasons) > 1 else "One model does not fit"
        with st.popover(f"{count} (why?)", type="tertiary", key=f"unfit models:{laid.page}"):
            text.show(text.quiet_lines(reasons))
    use_model(laid.model)
    return known[laid.model]


def _preferred(
    laid: Desk, fitting: list[str], known: dict[str, Card], shape: tuple[int, ...] | None, example_first: bool
) -> str:
    """The model that was chosen, unless it does not fit or a new scan has a better one: volumes for volumes."""
    new_scan, laid.model_for = laid.model_for != laid.scan, laid.scan
    if new_scan:
        laid.target = None  # what was asked about another scan is no question about this one
    shipped = demo.shipped_as(laid.scan) if new_scan and laid.scan else None
    example = shipped.model if shipped is not None else None
    if example in fitting and (example_first or laid.model not in fitting or _tasks_differ(known, example, laid.model)):
        wanted = example
    else:
        wanted = _kept(laid, fitting, known, shape, new_scan)
    if wanted != laid.model:
        laid.target = None
    assert wanted is not None
    return wanted


def _recognised(
    laid: Desk, cards: Sequence[Card], recognised: Callable[[Sequence[Card]], Sequence[str]] | None
) -> str | None:
    """The model that a new scan looks right to, nothing ("") where there is none such; None where that is not asked.

    Demo scans bring their model, and a model that somebody has chosen stays.
    """
    if recognised is None or laid.scan is None or laid.model_for == laid.scan or len(cards) < 2:
        return None
    if demo.shipped_as(laid.scan) is not None:
        return None
    found = recognised(cards)
    if not found:
        return ""
    return laid.model if laid.model in found else found[0]


def _tasks_differ(known: dict[str, Card], one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and known[one].task != known[other].task


def _kept(laid: Desk, fitting: list[str], known: dict[str, Card], shape: tuple[int, ...] | None, new_scan: bool) -> str:
    alike = [name for name in fitting if shape is None or known[name].input.dimensions == len(shape) - 1]
    if laid.model in fitting and (laid.model in alike or not alike or not new_scan):
        return laid.model
    return fitting[0] if shape is None else catalogue.nearest_first(fitting, known, shape)[0]


def _chosen(laid: Desk, key: str) -> None:
    laid.model, laid.target, laid.model_for = st.session_state[key], None, laid.scan

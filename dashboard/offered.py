"""Values of controls that no control offers: of a page that is out of date, or made up by whoever sends them.

Streamlit hands a choice that is not among the options to callbacks as the words that arrived, and fails in its own code
where a value is of another type than the control's. Both are refused here, before anything on the desk changes.
"""

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

REFUSAL = (
    "A control on this page was given a value that it does not offer, so nothing was changed. Reload the page, and "
    "choose again."
)
#: Session key of a refusal that the page has still to tell.
_REFUSED = "refused value"


def refused() -> bool:
    """Whether this request came with a choice that is not among the options that were shown; the page then says so."""
    context = get_script_run_ctx()
    if context is None:
        return False
    # nothing public tells options: a control's own reader of values knows them
    state: Any = getattr(context.session_state, "_state", None)
    widgets: Any = getattr(state, "_new_widget_state", {})
    known: Mapping[str, Any] = getattr(widgets, "widget_metadata", {})
    for name in list(widgets):
        reader = getattr(getattr(known.get(name), "deserializer", None), "__self__", None)
        options = getattr(reader, "options", None)
        if options is not None and state._widget_changed(name) and not _offered(widgets[name], options):
            st.session_state[_REFUSED] = True
            return True
    return False


def show_refusal() -> None:
    """Say once that something was refused."""
    if st.session_state.pop(_REFUSED, False):
        st.error(REFUSAL)


def _offered(value: Any, options: Iterable[Any]) -> bool:
    chosen = value if isinstance(value, list | tuple) else [value]
    there = list(options)
    return value is None or value in there or all(one in there for one in chosen)


def of_another_type(problem: BaseException) -> bool:
    """Whether Streamlit failed in reading a control's value: it was of another type than the control's."""
    step: TracebackType | None = problem.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        if code.co_name.startswith("deserialize") and "streamlit" in code.co_filename:
            return True
        step = step.tb_next
    return False

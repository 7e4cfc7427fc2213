"""Callbacks that are done as a whole: what somebody pressed is never lost."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import RerunException

from dashboard.offered import refused


def whole(callback: Callable[..., object]) -> Callable[..., None]:
    """A widget's callback that another request of the browser does not end before it has begun.

    Streamlit ends whatever runs at its next look into the session's state, or its next drawing, as soon as the browser
    asks for something else (a second control, the viewer). It ends callbacks in this way, too, and takes that for their
    own wish to draw the page again: the press would be lost without a word. Here the other request is taken note of
    first, then the callback is done, then the other request has its turn.

    Parameters
    ----------
    callback : callable
        What a press or a change does. Every ``on_click`` and ``on_change`` of the dashboard goes through this. It is
        not done where a choice came that is not offered.
    """

    @wraps(callback)
    def done(*arguments: Any, **keywords: Any) -> None:
        waiting = _waiting()
        try:
            if not refused():
                callback(*arguments, **keywords)
        except RerunException:
            if waiting is None:  # the callback's own wish; the other request draws the page again as well
                raise
        if waiting is not None:
            raise waiting

    return done


def _waiting() -> RerunException | None:
    """The request that waits for its turn, taken from the queue; None where there is none."""
    try:
        _ = "any" in st.session_state  # every look is a place where Streamlit may stop
    except RerunException as request:
        return request
    return None

"""Picking several networks from a list."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from core.models.card import Card
from dashboard.callbacks import whole


def pick_networks(
    offered: Sequence[str],
    chosen: Sequence[str],
    known: Mapping[str, Card],
    *,
    key: str,
    most: int,
    nothing: str,
    help_text: str,
    on_pick: Callable[[tuple[str, ...]], None],
) -> None:
    """The list of networks, in the order they were picked.

    Parameters
    ----------
    offered, chosen : sequence of str
        What can be picked, and what is.
    known : mapping of str to Card
        By name.
    key : str
        Streamlit key.
    most : int
        How many can be picked.
    nothing : str
        What stands there when nothing is offered.
    help_text : str
        Beside the list.
    on_pick : callable
        Called with what was picked, before the rerun that this causes.
    """
    # set, not given as a default: a list whose default follows every pick would be built anew, and its menu close
    if st.session_state.get(key) != list(chosen):
        st.session_state[key] = list(chosen)
    titles = titles_apart(offered, known)
    st.multiselect(
        "Networks",
        offered,
        max_selections=most,
        format_func=lambda name: titles.get(name, name),
        placeholder="Choose networks" if offered else nothing,
        key=key,
        on_change=whole(lambda: on_pick(tuple(st.session_state[key]))),
        help=help_text,
    )


def titles_apart(offered: Sequence[str], known: Mapping[str, Card]) -> dict[str, str]:
    """Titles of models by name, no two the same: the browser answers with them, and people choose by them."""
    times = Counter(known[name].title for name in offered)
    return {name: known[name].title + (f" · {name}" if times[known[name].title] > 1 else "") for name in offered}

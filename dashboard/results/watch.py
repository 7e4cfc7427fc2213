"""Drawing something again by itself, as long as it goes on: the one way in which pages follow a run."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import streamlit as st

from core.runs import Run

Seen = TypeVar("Seen")

#: Seconds between two looks at runs that are going on.
POLL = 1.0


def watch(
    look: Callable[[], Seen],
    draw: Callable[[Seen], None],
    pace: Callable[[Seen], float | None],
    *,
    draw_first: bool = False,
) -> None:
    """Draw what `look` finds, and again and again while it goes on; then the whole page once more.

    Parameters
    ----------
    look : callable
        Finds what is to be drawn: a run, several runs.
    draw : callable
        Draws it, whatever state it is in. It is one fragment for every state: a viewer in it stays the same component
        while previews turn into a result, and a stroke of the brush draws this part of the page alone.
    pace : callable
        Seconds until the next look; None where nothing goes on.
    draw_first : bool
        Draw what was found before the page is drawn again for another pace: what a person waits for is there sooner,
        and drawn twice.
    """
    every = pace(look())

    def drawn() -> None:
        seen = look()
        # a fragment can neither start, stop nor slow down its own polling
        turned = pace(seen) != every
        if turned and not draw_first:
            st.rerun()
        draw(seen)
        if turned:
            st.rerun()

    st.fragment(drawn, run_every=every)()


def while_going(run: Run | None) -> float | None:
    """Pace of one run."""
    return POLL if run is not None and not run.status.final else None


def while_any_goes(runs: Iterable[Run]) -> float | None:
    """Pace of several."""
    return POLL if any(not run.status.final for run in runs) else None

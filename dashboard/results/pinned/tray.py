"""The tray: a few results that are pinned, and the button that compares them."""

import streamlit as st

from core.errors import BadInput, LightboxError
from core.runs import Run, Status
from dashboard.callbacks import whole
from dashboard.desk import shelf
from dashboard.frame import opening
from dashboard.look import text
from dashboard.results.pinned.words import words_of

#: Results that can be pinned at a time.
MOST = 6
_TRAY = "pinned results"
_FULL = f"{MOST} results are pinned, and more do not fit beside each other: take one off first."


def pinned() -> tuple[str, ...]:
    """Ids of the runs that are pinned in this session, in the order in which they were."""
    found: tuple[str, ...] = st.session_state.get(_TRAY, ())
    return found


def keep(runs: tuple[str, ...]) -> None:
    """Pin these runs, and no others."""
    st.session_state[_TRAY] = tuple(dict.fromkeys(runs))[:MOST]


def toggle(run: str) -> None:
    """Pin a run, or take it off again."""
    there = pinned()
    keep(tuple(known for known in there if known != run) if run in there else (*there, run))


def show(run: Run | None, page: str) -> None:
    """The button that pins what is on screen, and the tray with the button that compares what is pinned.

    Parameters
    ----------
    run : Run, optional
        What is on screen; None where it has no result (yet).
    page : str
        Prefix of widget keys.
    """
    there = _still_there()
    if run is not None and run.status is Status.DONE:
        _show_pin(run.id, there, page)
    if there:
        _show_tray(there, page)


def _show_pin(run: str, there: dict[str, Run], page: str) -> None:
    on = run in there
    full = not on and len(there) >= MOST
    st.button(
        "Unpin" if on else "Pin this result",
        icon=":material/keep_off:" if on else ":material/keep:",
        key=f"{page} pin result",
        help=_FULL if full else "Keep it at hand, to be put beside other results: other settings, explainers or scans.",
        disabled=full,
        on_click=whole(toggle),
        args=(run,),
    )


def _show_tray(there: dict[str, Run], page: str) -> None:
    few = len(there) < 2
    st.button(
        f"Compare {len(there)} pinned",
        icon=":material/view_column:",
        type="secondary" if few else "primary",
        key=f"{page} compare pinned",
        disabled=few,
        help="Pin a second result, and both can be put side by side." if few else "Put them side by side.",
        on_click=whole(_compare),
        args=(tuple(there),),
    )
    with st.popover("", icon=":material/list:", help="What is pinned"):
        for run in there.values():
            with st.container(horizontal=True, vertical_alignment="center", wrap=False):
                text.show(text.quiet_word(words_of(run)), width="stretch")
                st.button(
                    "", icon=":material/close:", key=f"{page} unpin {run.id}", help=f"Unpin {words_of(run)}",
                    on_click=whole(toggle), args=(run.id,),
                )  # fmt: skip
        st.button("Unpin all", key=f"{page} unpin all", on_click=whole(keep), args=((),))


def _still_there() -> dict[str, Run]:
    """Those that are pinned and were not deleted since."""
    found = {}
    for name in pinned():
        try:
            found[name] = shelf().run(name)
        except BadInput:
            continue
    if len(found) < len(pinned()):
        keep(tuple(found))
    return found


def _compare(runs: tuple[str, ...]) -> None:
    try:
        opening.go_to(opening.open_together(runs).name)
    except LightboxError as problem:
        st.toast(text.as_markdown(str(problem)))

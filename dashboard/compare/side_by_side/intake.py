"""The left side of Compare for results: what stands side by side, what else could, and how it is shown."""

import streamlit as st

from core.errors import BadInput
from core.runs import ExplanationSpec, Run, Status
from dashboard.callbacks import whole
from dashboard.compare.desk import CompareDesk
from dashboard.compare.side_by_side.members import FEWEST, MOST, Comparison
from dashboard.desk import shelf
from dashboard.frame import opening
from dashboard.look import text
from dashboard.results.pinned.words import words_of

#: Latest runs among which others are offered.
_OFFERED = 60
#: Shares of all samples that a map may mark.
SHARES = (0.01, 0.02, 0.05, 0.1, 0.2)


def show_intake(laid: CompareDesk, comparison: Comparison) -> None:
    """Draw what stands side by side, each with a way to its page and out of the row, and what can be added."""
    st.markdown("###### Side by side")
    few = len(comparison.members) <= FEWEST
    for member in comparison.members:
        with st.container(horizontal=True, vertical_alignment="center", wrap=False, gap="small"):
            text.show(text.quiet_word(member.name), width="stretch")
            opened, left = f"Open: {words_of(member.run)}", f"Leave out {member.name}"
            st.button(
                "", icon=":material/open_in_new:", key=f"open beside {member.run.id}", help=text.as_markdown(opened),
                on_click=whole(_open), args=(member.run.id,),
            )  # fmt: skip
            st.button(
                "", icon=":material/close:", key=f"leave out {member.run.id}", help=text.as_markdown(left),
                disabled=few, on_click=whole(laid.leave_out), args=(member.run.id,),
            )  # fmt: skip
    _offer(laid, comparison)
    st.select_slider(
        "A map marks its strongest",
        SHARES,
        value=laid.share,
        format_func=lambda share: f"{share:.0%}",
        key="compare share",
        on_change=whole(_share_chosen),
        args=(laid,),
        help="Of all samples. The agreement says how many maps mark the same sample; the overlap is of these, too.",
    )


def _offer(laid: CompareDesk, comparison: Comparison) -> None:
    there = {member.run.id for member in comparison.members}
    dimensions = len(comparison.members[0].grid.shape)
    offered = {run.id: run for run in shelf().runs(_OFFERED) if run.id not in there and _fits(run, dimensions)}
    key = f"add beside:{','.join(laid.beside)}"
    st.selectbox(
        "Add a result",
        list(offered),
        index=None,
        format_func=lambda run: words_of(offered[run]),
        placeholder="Add a result" if offered else "No other result fits",
        disabled=not offered or len(there) >= MOST,
        key=key,
        on_change=whole(_added),
        args=(laid, key),
        help="The latest results that can stand beside these.",
        label_visibility="collapsed",
    )


def _fits(run: Run, dimensions: int) -> bool:
    """Whether a run has a map of a scan of so many dimensions."""
    if run.kind != ExplanationSpec.kind or run.status is not Status.DONE:
        return False
    try:
        return len(shelf().scan_meta(str(run.request["scan"]))["shape"]) - 1 == dimensions
    except BadInput:
        return False


def _added(laid: CompareDesk, key: str) -> None:
    chosen = st.session_state[key]
    if chosen:
        laid.beside = (*laid.beside, chosen)


def _share_chosen(laid: CompareDesk) -> None:
    laid.share = st.session_state["compare share"]


def _open(run: str) -> None:
    opening.go_to(opening.open_run(run).name)

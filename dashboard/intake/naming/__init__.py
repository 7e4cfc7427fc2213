"""What a person writes on a scan of their own: a name and a note; and forgetting it."""

import streamlit as st

from core.errors import LightboxError
from core.runs.store.run_table import LONGEST_NAME, LONGEST_NOTE
from dashboard.callbacks import whole
from dashboard.desk import Desk, shelf
from dashboard.frame import opening
from dashboard.look import text


def show(laid: Desk) -> None:
    """The menu under the list of scans, for the scan that is chosen, which is the person's own."""
    scan = str(laid.scan)
    menu = st.popover("Name and note", icon=":material/edit:", type="tertiary", key="scan words", on_change="rerun")
    if not menu.open:
        return
    found = next((one for one in shelf().scans() if one.hash == scan), None)
    if found is None:
        return
    with menu:
        st.text_input(
            "Name",
            found.name,
            max_chars=LONGEST_NAME,
            key=f"scan name {scan}",
            placeholder=found.title,
            help="Your own name for this scan. Nobody else sees it; do not write who the patient is.",
        )
        st.text_area("Note", found.note, max_chars=LONGEST_NOTE, key=f"scan note {scan}", height=90)
        st.button("Save", type="primary", key="save scan words", on_click=whole(_save), args=(scan,))
        runs = len(shelf().scan_table.runs_of(scan))
        with_runs = f" and its {runs} run{'' if runs == 1 else 's'}" if runs else ""
        st.caption(f"Forget this scan{with_runs}: voxels, marks, name and note are removed. It cannot be undone.")
        st.button(
            "Forget this scan",
            icon=":material/delete:",
            key="delete scan",
            on_click=whole(_forget),
            args=(laid, scan),
        )


def _save(scan: str) -> None:
    state = st.session_state
    try:
        shelf().scan_table.describe(scan, state[f"scan name {scan}"] or "", state[f"scan note {scan}"] or "")
    except LightboxError as problem:
        st.toast(text.as_markdown(str(problem)))


def _forget(laid: Desk, scan: str) -> None:
    runs = shelf().scan_table.runs_of(scan)
    try:
        shelf().scan_table.forget(scan)
    except LightboxError as problem:
        st.toast(text.as_markdown(str(problem)))
        return
    for run in runs:
        opening.forget(run)
    laid.scan = None

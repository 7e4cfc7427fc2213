"""The marked region that a study reads: a landmark of a scan that was opened, or a file."""

import numpy as np
import streamlit as st

from core.errors import LightboxError
from dashboard.backend import questions
from dashboard.callbacks import whole
from dashboard.desk import owner, shelf
from dashboard.intake import uploads
from dashboard.look import text
from dashboard.study.desk import StudyDesk

_UPLOADER, _PROBLEM = "region uploader", "region problem"


def choose_region(laid: StudyDesk) -> None:
    """Draw the choice among landmarks, and the field for a file."""
    offered = landmarks()
    if laid.region is not None and laid.region not in offered:
        offered[laid.region] = "From a file"
    key = f"study region:{laid.revision}:{len(offered)}"
    st.selectbox(
        "Marked region",
        list(offered),
        index=list(offered).index(laid.region) if laid.region in offered else None,
        format_func=lambda name: offered.get(name, name),
        placeholder="A landmark, or a file below",
        key=key,
        on_change=whole(_chosen),
        args=(laid, key),
        help="Landmarks that you drew or loaded on a scan of the cohort's size; or a file.",
    )
    number = st.session_state.get(_UPLOADER, 0)
    with st.expander("Open a region file", expanded=_PROBLEM in st.session_state, key=f"open region {number}"):
        files = st.file_uploader(
            "Region",
            key=f"region file {number}",
            label_visibility="collapsed",
            help="NumPy (.npy), PNG or NIfTI; every sample above 0 is marked.",
        )
        if files is not None:
            _take(laid, files)
        if _PROBLEM in st.session_state:
            st.error(text.as_markdown(st.session_state[_PROBLEM]))
    if laid.region is not None:
        text.show(text.quiet(_size(laid.region)))


def landmarks() -> dict[str, str]:
    """Content hash of every landmark of this owner's scans, and what it is called."""
    found: dict[str, str] = {}
    for scan in shelf().scans():
        for landmark in shelf().landmarks(scan.hash):
            found.setdefault(landmark.region, f"{landmark.name} of {scan.label}")
    return found


def _chosen(laid: StudyDesk, key: str) -> None:
    laid.region = st.session_state[key]
    st.session_state.pop(_PROBLEM, None)


def _take(laid: StudyDesk, file: uploads.UploadedFile) -> None:
    """Read what was uploaded; afterwards the field is empty again."""
    state = st.session_state
    state.pop(_PROBLEM, None)
    try:
        spooled = uploads.spool([file])
        try:
            laid.region = spooled.ask(questions.read_region, owner())
        finally:
            spooled.remove()
    except LightboxError as problem:
        state[_PROBLEM] = str(problem)
    except OSError:
        state[_PROBLEM] = uploads.NO_ROOM
    finally:
        uploads.release([file])
    state[_UPLOADER] = state.get(_UPLOADER, 0) + 1
    laid.revision += 1
    st.rerun()


def _size(region: str) -> str:
    """How large it is."""
    try:
        marked = shelf().region(region)
    except LightboxError as problem:
        return str(problem)
    shape = "×".join(str(n) for n in marked.shape)
    return f"{int(np.count_nonzero(marked)):,} samples of {shape} are marked."

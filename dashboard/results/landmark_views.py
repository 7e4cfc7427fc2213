"""Landmarks on the page: drawing them in the viewer, loading them, and the table of what a map has in each."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.errors import LightboxError
from core.runs.store.landmarks import LONGEST_NAME
from core.scans.scan import Scan
from core.settings import settings
from dashboard.backend import questions
from dashboard.callbacks import whole
from dashboard.components.viewer import Layer, painted
from dashboard.desk import owner
from dashboard.intake import uploads
from dashboard.look import text
from dashboard.look.text import Markup
from dashboard.results.landmarks import LandmarkDesk, color, outlines, overlaps_with

if TYPE_CHECKING:
    from core.metrics.landmarks import Overlap

_UPLOADER = "landmark uploader number"
_HELP = (
    "Places that mean something: a bone, a side marker, a device.\n\n"
    "- **Map** is the share of the map that lies inside.\n"
    "- **Scan** is the share of the scan that the landmark covers.\n"
    "- **Ratio** is the first over the second: 1 is what a map has that knows nothing of the landmark, 3 means three "
    "times as much of it as area alone would bring, 0 none of it."
)


@dataclass(frozen=True, eq=False)
class Marks:
    """What a person marked on the scan, shown in every panel.

    Parameters
    ----------
    outlines : tuple of Layer
        Of what is finished.
    drawn : numpy.ndarray, bool, optional
        What is being drawn, of the scan's spatial shape; None: nothing can be drawn now.
    revision : int
        Counts what `drawn` was handed in.
    on_change : callable, optional
        Called after every stroke.
    """

    outlines: tuple[Layer, ...] = ()
    drawn: np.ndarray | None = None
    revision: int = 0
    on_change: Callable[[], None] | None = None


def marks_of(laid: LandmarkDesk, scan: Scan, viewer: str) -> Marks:
    """What the viewer with this key is to show of the landmarks, and what of them is being drawn."""
    lines = tuple(outlines(scan, laid.scan, without=laid.drawing)) if laid.outlined else ()
    if laid.drawing is None:
        return Marks(lines)
    return Marks(lines, laid.region_in_hand(scan.shape), laid.handed, partial(_painted, laid, scan.shape, viewer))


def _painted(laid: LandmarkDesk, shape: tuple[int, ...], viewer: str) -> None:
    """A stroke ended. A callback, so that it cannot be lost, and the table below is that of what is drawn."""
    event = painted(viewer, shape)
    laid.problem = event.problem
    if event.problem is None:
        laid.painted(event.region)


def show_tools(laid: LandmarkDesk) -> None:
    """Buttons beside each other under the images: draw a landmark, name it, be done; and whether outlines are shown."""
    if laid.drawing is None:
        st.button(
            "Draw a landmark",
            icon=":material/draw:",
            key="draw landmark",
            help="Mark a place on the scan with brush, pixels or lasso, and see how much of the map lies in it.",
            on_click=whole(laid.draw),
        )
        if laid.all:
            key = "landmark outlines"
            st.toggle("Landmarks", value=laid.outlined, key=key, on_change=whole(_toggle), args=(laid, key))
        return
    key = f"landmark name {laid.handed}"
    st.text_input(
        "Name of the landmark",
        value=laid.drawing,
        max_chars=LONGEST_NAME,
        key=key,
        label_visibility="collapsed",
        width=190,
        on_change=whole(_renamed),
        args=(laid, key),
    )
    st.button("Done", type="primary", key="landmark done", on_click=whole(laid.done))
    text.show(text.quiet("Draw on the scan; every stroke is kept. Ctrl+Z takes one back."), width="content")


def _toggle(laid: LandmarkDesk, key: str) -> None:
    laid.outlined = st.session_state[key]


def _renamed(laid: LandmarkDesk, key: str) -> None:
    if laid.drawing is not None:
        laid.rename(laid.drawing, st.session_state[key])


def show_landmarks(laid: LandmarkDesk, map_path: str | None) -> None:
    """The section: every landmark with what the map has in it, and how to get more of them.

    Parameters
    ----------
    laid : LandmarkDesk
        Of the scan on screen.
    map_path : str, optional
        File of the map on screen, in the scan's space; None while there is none.
    """
    st.markdown("## Landmarks", help=_HELP)
    if laid.problem:
        st.error(text.as_markdown(laid.problem))
        laid.problem = None
    if laid.all:
        _table(laid, overlaps_with(laid.scan, map_path) if map_path is not None else ())
    else:
        text.show(text.quiet("None yet. Draw one on the scan, or load a mask of the scan's size."))
    with st.container(horizontal=True, vertical_alignment="center", wrap=False, gap="small"):
        _loader(laid)
        st.button(
            "Undo",
            icon=":material/undo:",
            key="undo landmark",
            help="Take back the last change of the landmarks",
            disabled=not laid.can_undo,
            on_click=whole(laid.undo),
        )


def _table(laid: LandmarkDesk, found: "tuple[Overlap, ...]") -> None:
    figures = {overlap.name: overlap for overlap in found}
    with st.container(gap=None, key="landmark-rows"):
        with st.container(horizontal=True, wrap=False, key="landmark-head"):
            text.show(Markup("<div class='landmark head'><b></b><i>map</i><i>scan</i><i>ratio</i></div>"))
        for place, landmark in enumerate(laid.all):
            with st.container(horizontal=True, vertical_alignment="center", wrap=False, gap="xxsmall"):
                text.show(_row(landmark.name, color(place), figures.get(landmark.name)))
                in_hand = laid.drawing == landmark.name
                _row_button("Change", "edit", "Change its shape or name", laid.draw, landmark.name, in_hand)
                _row_button("Remove", "delete", "Remove this landmark", laid.remove, landmark.name)


def _row(name: str, chip: str, overlap: "Overlap | None") -> Markup:
    cells = ("–", "–", "–")
    if overlap is not None:
        cells = (_percent(overlap.share), _percent(overlap.area), _ratio(overlap.ratio))
    numbers = text.joined(Markup("<i>{}</i>").format(cell) for cell in cells)
    row = Markup("<div class='landmark'><b title='{0}' style='--chip:{1}'>{0}</b>{2}</div>")
    return row.format(name, chip, numbers)


def _percent(value: float) -> str:
    if math.isnan(value):
        return "–"
    return "<0.1%" if 0 < value < 0.0005 else f"{value:.1%}" if value < 0.9995 else "100%"


def _ratio(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


def _row_button(
    label: str, icon: str, words: str, act: Callable[[str], None], name: str, disabled: bool = False
) -> None:
    # the label is for screen readers: the style sheet hides it beside the icon
    st.button(
        label,
        icon=f":material/{icon}:",
        type="tertiary",
        help=words,
        key=f"landmark {icon} {name}",
        disabled=disabled,
        on_click=whole(act),
        args=(name,),
    )


def _loader(laid: LandmarkDesk) -> None:
    """A mask from a file."""
    number = st.session_state.get(_UPLOADER, 0)
    with (
        st.popover("Load a mask", icon=":material/upload_file:", key=f"landmark file {number}"),
        st.container(width=330),
    ):
        text.show(
            text.quiet(
                "An image or NumPy array of the scan's size: whatever is above 0 is marked; whole numbers 1, 2, 3 … "
                "are so many landmarks. The file's name is not kept."
            )
        )
        file = st.file_uploader(
            "Mask",
            max_upload_size=settings().upload_limit_mb,
            key=f"landmark upload {number}",
            label_visibility="collapsed",
        )
    if file is not None:
        st.session_state[_UPLOADER] = number + 1
        with st.spinner("Reading"):
            _take(laid, file)
        st.rerun()


def _take(laid: LandmarkDesk, file: uploads.UploadedFile) -> None:
    """Spool an uploaded mask, read it in the backend, and keep what it marks."""
    try:
        spooled = uploads.spool([file])
    except OSError:
        laid.problem = uploads.NO_ROOM
        return
    finally:
        uploads.release([file])
    try:
        laid.add(spooled.ask(questions.read_landmarks, laid.scan, owner()))
    except (LightboxError, OSError) as problem:
        laid.problem = str(problem) if isinstance(problem, LightboxError) else uploads.NO_ROOM
    finally:
        spooled.remove()

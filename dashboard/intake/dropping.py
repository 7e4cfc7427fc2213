"""One place to drop a scan on a page that shows none itself: what is read hangs on another page."""

from collections.abc import Callable

import streamlit as st

from dashboard.desk import Desk
from dashboard.intake import scans
from dashboard.look import text


def show_drop_zone(laid: Desk, then: Callable[[], None]) -> None:
    """Draw it.

    Parameters
    ----------
    laid : Desk
        Where the scan goes.
    then : callable
        Called when it was read, before the page is drawn again: turns to the page of that desk.
    """
    with st.container(border=True, key="drop-zone"):
        text.show(text.title("Drop a scan"))
        scans.take_files(laid, then=then)
        text.show(
            text.quiet("NIfTI, MGZ, DICOM (files or a zip), PNG, JPEG or TIFF. Names and patient data are never kept.")
        )

"""Home: what this is, one click into the demo, and what was done last."""

from collections.abc import Sequence

import streamlit as st

from dashboard.callbacks import whole
from dashboard.desk import shelf
from dashboard.frame import opening
from dashboard.frame.pages import Page, Start, pages, told
from dashboard.frame.shell import STATIC
from dashboard.intake import demo
from dashboard.look import text
from dashboard.look.text import Markup
from dashboard.results.run_list import show_runs

#: A photograph of a real result; `docs/images` has the whole page.
PICTURE = STATIC / "demo.png"
_STEPS = (
    ("Hang a scan", "NIfTI, MGZ, DICOM, PNG, JPEG or TIFF. Names and patient data are never kept."),
    ("Pick a model and an explainer", "Every setting is a slider; the published value is marked on its track."),
    ("Explain, then check", "The map forms while you watch; then which regions, how sure, and what a swap test says."),
    ("Or trace", "Of a model that makes an image: paint on either side, and see what depends on what on the other."),
    ("Or compare", "Several networks on one film, or on all films of a cohort: who is right, and what each looks at."),
)


def show() -> None:
    """Draw the page."""
    left, right = st.columns([1, 1.15], gap="large", wrap=False)
    with left:
        st.title("See what a medical-image model looks at")
        st.markdown(
            "Hang a scan, pick a model and a way to explain it, press **Explain**, and see *what*, *where* and "
            "*how sure* side by side."
        )
        _starts()
        step = Markup("<i>{}</i><div><b>{}</b><br>{}</div>")
        rows = text.joined(step.format(number, *words) for number, words in enumerate(_STEPS, 1))
        text.show(Markup("<div class='steps'>{}</div>").format(rows))
    with right:
        if PICTURE.is_file():
            st.image(
                str(PICTURE),
                width="stretch",
                caption="What the demo shows: scan, hidden share, masked scan. Synthetic data.",
            )
    st.markdown("## Latest runs")
    if shelf().runs(limit=1):
        show_runs(5)
    else:
        text.show(text.quiet("Nothing ran yet. What you explain is listed here and on the Runs page."))


def _starts() -> None:
    """Buttons that lead into the pages; the first of them is what somebody who is new should press."""
    with st.container(horizontal=True):
        offered = [(page.name, start) for page in pages().values() for start in _starts_of(page)]
        for place, (name, start) in enumerate(offered):
            st.button(
                start.label,
                type="primary" if place == 0 else "secondary",
                icon=start.icon,
                disabled=start.lay_out is None,
                key=start.key,
                on_click=whole(_begin),
                args=(name, start),
                help=start.help or None,
            )
    if not demo.scans():
        text.show(text.quiet("The demo scans are not there: run make assets once."))


def _starts_of(page: Page) -> Sequence[Start]:
    nothing: Sequence[Start] = ()
    return told(page, lambda page: page.starts(), nothing)


def _begin(name: str, start: Start) -> None:
    if start.lay_out is not None:
        start.lay_out()
    opening.go_to(name)

"""Home: what this is, one click into the demo, and what was done last."""

from collections.abc import Sequence

import streamlit as st

from dashboard.compare.desk import compare_desk
from dashboard.compare.networks import PAPERS_THREE
from dashboard.desk import desk, shelf
from dashboard.frame.shell import STATIC
from dashboard.intake import catalogue, demo
from dashboard.look import text
from dashboard.look.text import Markup
from dashboard.runs import page as runs
from dashboard.trace.desk import trace_desk

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
        _demo_button()
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
    st.markdown("##### Latest runs")
    if shelf().runs(limit=1):
        runs.show_list(5)
    else:
        text.show(text.quiet("Nothing ran yet. What you explain is listed here and on the Runs page."))
    text.show(text.disclaimer())


def _demo_button() -> None:
    scans = demo.scans()
    first = next((scan for scan in scans if not _makes_images(scan) and scan.explainer is None), None)
    with st.container(horizontal=True):
        st.button(
            "Open the demo",
            type="primary",
            icon=":material/play_arrow:",
            disabled=first is None,
            key="open demo",
            on_click=open_demo,
            args=(first,),
        )
        film = next((scan for scan in scans if scan.explainer is not None), None)
        if film is not None:
            st.button(
                "Explain an X-ray",
                icon=":material/radiology:",
                key="xray demo",
                on_click=open_demo,
                args=(film,),
                help="See which parts of a film a network used, filter by filter.",
            )
        made = next((scan for scan in scans if _makes_images(scan)), None)
        if made is not None:
            st.button(
                "Trace the demo",
                icon=":material/brush:",
                key="trace demo",
                on_click=trace_demo,
                args=(made,),
                help="Paint on a slice or on the image a model made of it, and see what depends on what.",
            )
        _compare_button(scans)
        st.button("Open a scan of your own", icon=":material/upload_file:", key="open own", on_click=_to_explain)
    if not scans:
        text.show(text.quiet("The demo scans are not there: run make assets once."))


def _compare_button(scans: Sequence[demo.DemoScan]) -> None:
    """A way to the Compare page, where there is a film and networks to compare on it."""
    film = next((scan for scan in scans if scan.model in PAPERS_THREE), None)
    known = catalogue.cards()
    there = [name for name in PAPERS_THREE if name in known]
    if film is None or len(there) < 2:
        return
    st.button(
        f"Compare {'three' if len(there) == 3 else 'two'} networks",
        icon=":material/view_column:",
        key="compare demo",
        on_click=compare_demo,
        args=(film,),
        help="One film, and beside it what each network uses of it.",
    )


def _makes_images(scan: demo.DemoScan) -> bool:
    card = catalogue.cards().get(scan.model or "")
    return card is not None and card.task == "regression"


def trace_demo(scan: demo.DemoScan) -> None:
    """Lay out the demo of the Trace page: a slice and the model that makes another image of it."""
    laid = trace_desk()
    laid.clear()
    laid.demo, laid.scan, laid.model = scan.name, None, scan.model
    laid.revision += 1
    desk().go_to = "trace"


def compare_demo(scan: demo.DemoScan) -> None:
    """Lay out the demo of the Compare page: a film in the networks that are preferred for it."""
    laid = compare_desk()
    laid.demo, laid.scan, laid.view = scan.name, None, "film"
    laid.networks, laid.networks_for, laid.explainer = (), None, None
    laid.revision += 1
    desk().go_to = "compare"


def _to_explain() -> None:
    desk().go_to = "explain"


def open_demo(scan: demo.DemoScan) -> None:
    """Lay out a demo: its scan, its model, its explainer (mask perturbation, unless it says) with the first preset."""
    laid = desk()
    laid.demo = scan.name
    laid.scan = None
    laid.model, laid.target = scan.model, None
    laid.explainer = scan.explainer or "mask"
    laid.settings.pop(laid.explainer, None)
    laid.revision += 1
    laid.go_to = "explain"

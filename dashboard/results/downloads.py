"""What leaves a page with a result: maps, the record, and a link that opens the run again."""

import io
import re
import zipfile
from collections.abc import Mapping
from functools import partial

import numpy as np
import streamlit as st

from core.reports.explanation import StoredArray
from core.runs import Run, Status
from core.scans.scan import Scan
from dashboard.components.viewer import hung
from dashboard.desk import shelf
from dashboard.look import text
from dashboard.results.leaving.files import Leaving


def show(run: Run | None, link: str, viewer_key: str = "") -> None:
    """The menu at the top right of a run, which `link` opens again. It has its place before there is one.

    Parameters
    ----------
    run : Run, optional
        What is on screen.
    link : str
        Address that opens it again.
    viewer_key : str
        Key of the viewer in which it hangs: that is what leaves as a figure.
    """
    with st.popover("Keep", icon=":material/download:", width="content", disabled=run is None):
        if run is None:
            return
        st.caption("Link that opens this run again")
        st.code(link, language=None)
        if run.status is not Status.DONE:
            st.caption("Maps and record can be kept once the run is done.")
            return
        scan = shelf().scan(run.request["scan"])
        explanation = shelf().explanation(run.id)
        # what hangs is known once the page is drawn, below: it is looked up when somebody presses
        leaving = Leaving(run, scan, explanation, partial(hung().get, viewer_key))
        _figure_buttons(leaving)
        _table_buttons(leaving)
        st.caption("Maps, as they lie in the scan's own file space")
        parts = explanation.parts
        single = [one.array for one in parts.shown if one.array is not None] if parts is not None else []
        for name, array in explanation.arrays.items():
            if name not in single:
                _map_buttons(run.id, scan, name, array, explanation.caution)
        if parts is not None and single:
            kept = {name: explanation.arrays[name] for name in single}
            _button(
                f"Maps of {len(single)} {parts.plural} (ZIP)",
                partial(_zip, kept, scan, explanation.caution),
                f"lightbox-{run.id}-{_file_stem(parts.plural)}.zip",
                "application/zip",
            )
        st.caption("Everything needed to repeat it")
        with st.container(horizontal=True):
            st.download_button(
                "Record (JSON)",
                partial(leaving.record),
                file_name=f"lightbox-{run.id}.json",
                mime="application/json",
                on_click="ignore",
                key="download record",
            )
            _button("All as ZIP", partial(leaving.archive), f"lightbox-{run.id}.zip", "application/zip")


def _figure_buttons(leaving: Leaving) -> None:
    st.caption("Figure of the images, with legend, scale bar and caption")
    with st.container(horizontal=True):
        stem = f"lightbox-{leaving.run.id}-figure"
        _button("Figure (PNG, 300 dpi)", partial(leaving.figure, "png"), f"{stem}.png", "image/png")
        _button("Figure (SVG)", partial(leaving.figure, "svg"), f"{stem}.svg", "image/svg+xml")


def _table_buttons(leaving: Leaving) -> None:
    named = [name for name in ("regions", "landmarks") if name in leaving.tables]
    if not named:
        return
    st.caption("Where the map lies, as a table")
    with st.container(horizontal=True):
        for name in named:
            stem = f"lightbox-{leaving.run.id}-{name}"
            _button(f"{name.capitalize()} (CSV)", partial(leaving.table, name), f"{stem}.csv", "text/csv")
            _button(
                f"{name.capitalize()} (LaTeX)", partial(leaving.table, name, "tex"), f"{stem}.tex", "application/x-tex"
            )


def _file_stem(words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or "parts"


def _map_buttons(run_id: str, scan: Scan, name: str, array: StoredArray, caution: str) -> None:
    title = array.title[:1].upper() + array.title[1:]
    if scan.dimensions == 3:
        _button(
            f"{title} (NIfTI)",
            partial(_nifti, array, scan, caution),
            f"lightbox-{run_id}-{name}.nii.gz",
            "application/gzip",
        )
        return
    with st.container(horizontal=True):
        # .npy has no room for words: the file's name says what the others say inside
        marked = "-not-to-be-believed" if caution else ""
        if array.diverging:
            file = f"lightbox-{run_id}-{name}-heat.png"
            _button(f"{title} (PNG, heat)", partial(_png, array, scan, caution, heat=True), file, "image/png")
        form = "PNG, signed" if array.diverging else "PNG"
        _button(f"{title} ({form})", partial(_png, array, scan, caution), f"lightbox-{run_id}-{name}.png", "image/png")
        file = f"lightbox-{run_id}-{name}{marked}.npy"
        _button(f"{title} (NPY)", partial(_npy, array), file, "application/octet-stream")


def _button(label: str, content: "partial[bytes]", file_name: str, mime: str) -> None:
    # a callable is asked for the bytes when somebody clicks, not on every rerun
    st.download_button(
        text.as_markdown(label), content, file_name=file_name, mime=mime, on_click="ignore", key=f"download {file_name}"
    )


def _nifti(array: StoredArray, scan: Scan, caution: str = "") -> bytes:
    from core.reports.nifti import nifti_bytes

    return nifti_bytes(array.values, scan, array.kind, array.neutral if array.diverging else None, caution)


def _png(array: StoredArray, scan: Scan, caution: str = "", heat: bool = False) -> bytes:
    from core.reports.nifti import png_bytes

    neutral = array.neutral if array.diverging else None
    return png_bytes(array.values, array.kind, neutral, heat, caution, scan.spacing_mm)


def _npy(array: StoredArray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array.values, allow_pickle=False)
    return buffer.getvalue()


def _zip(arrays: Mapping[str, StoredArray], scan: Scan, caution: str = "") -> bytes:
    """Many maps in one file, each as it would leave alone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            if scan.dimensions == 3:
                archive.writestr(f"{name}.nii.gz", _nifti(array, scan, caution))
            else:
                archive.writestr(f"{name}.png", _png(array, scan, caution))
                if array.diverging:
                    archive.writestr(f"{name}-heat.png", _png(array, scan, caution, heat=True))
                archive.writestr(f"{name}{'-not-to-be-believed' if caution else ''}.npy", _npy(array))
    return buffer.getvalue()

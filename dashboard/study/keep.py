"""What leaves the Study page: a link, the record, its tables, and everything together."""

import io
import zipfile
from functools import partial

import streamlit as st

from core.runs import Run, Status
from core.studies.reading import StoredStudy
from core.studies.record import RECORD

_TYPES = {"csv": "text/csv", "json": "application/json", "png": "image/png"}


def show(run: Run | None, study: StoredStudy | None, address: str) -> None:
    """The menu at the top right, which has its place before there is something; `address` opens what is on screen."""
    with st.popover("Keep", icon=":material/download:", width="content", disabled=run is None):
        if run is None:
            return
        st.caption("Link that opens this study again")
        st.code(address, language=None)
        if study is None or run.status is not Status.DONE:
            st.caption("Tables and record can be kept once the study is done.")
            return
        st.caption("What the study wrote")
        for file in dict.fromkeys([RECORD, *study.files]):
            _button(file, partial(_content, study, file), f"lightbox-{run.id}-{file.replace('/', '-')}")
        _button("Everything (ZIP)", partial(packed, study), f"lightbox-{run.id}.zip", "application/zip")


def _button(label: str, content: "partial[bytes]", file_name: str, mime: str = "") -> None:
    kind = mime or _TYPES.get(file_name.rpartition(".")[2], "application/octet-stream")
    # a callable is asked for the bytes when somebody clicks, not on every rerun
    st.download_button(label, content, file_name=file_name, mime=kind, on_click="ignore", key=f"keep {file_name}")


def _content(study: StoredStudy, file: str) -> bytes:
    return study.path(file).read_bytes()


def packed(study: StoredStudy) -> bytes:
    """Every file of the result in one archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(study.folder.rglob("*")):
            name = path.relative_to(study.folder).as_posix()
            if study.holds(name):
                archive.write(path, name)
    return buffer.getvalue()

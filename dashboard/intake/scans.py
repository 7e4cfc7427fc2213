"""Choosing a scan, or opening one of your own: the first thing on the left of a page that asks about one."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NoReturn

import streamlit as st

from core.errors import BadInput, LightboxError
from core.runs import StoredScan
from core.settings import settings
from dashboard.backend import questions
from dashboard.callbacks import whole
from dashboard.desk import Desk, owner, shelf
from dashboard.intake import demo, naming, several, uploads
from dashboard.look import text

_SPOOLED = "spooled upload"
_CHOSEN = "series was chosen"
_PROBLEM = "upload problem"
_UPLOADER = "uploader number"


def choose_scan(
    laid: Desk,
    offered: Callable[[demo.DemoScan], bool] = lambda scan: True,
    fits: Callable[[StoredScan], bool] = lambda scan: True,
) -> None:
    """The list of demo scans and of scans opened before.

    Parameters
    ----------
    laid : Desk
        Where the choice goes.
    offered, fits : callable
        Which demo scans, and which of the stored ones, are in the list.
    """
    shipped = {f"demo:{scan.name}": scan for scan in demo.scans()}
    demos = {key: scan for key, scan in shipped.items() if offered(scan)}
    titles = {scan.title for scan in shipped.values()}
    stored = [scan for scan in shelf().scans() if fits(scan)]
    known = {scan.hash: scan.title for scan in stored}
    own = [scan for scan in stored if scan.title not in titles]
    twins = {label for label, count in Counter(scan.label for scan in own).items() if count > 1}
    # two scans of one size are told apart by the start of their hash
    labels = {scan.hash: scan.label + (f" · {scan.hash[:4]}" if scan.label in twins else "") for scan in own}
    labels |= {key: scan.title for key, scan in demos.items()}
    options = list(labels)
    current = laid.scan if laid.scan in labels else None
    if laid.scan and current is None:
        current = next((key for key, scan in demos.items() if scan.title == known.get(laid.scan)), None)
    index = options.index(current) if current else None
    key = f"scan:{laid.page}:{laid.scan}:{len(options)}"
    # a place of its own: while the page works, the box before would stand below the new one
    with st.empty():
        st.selectbox(
            "Scan",
            options,
            index=index,
            format_func=lambda option: labels.get(option, option),
            placeholder="Choose a scan",
            key=key,
            on_change=whole(_scan_chosen),
            args=(laid, key),
            help="Scans that you opened before, and demo scans. Without a name of yours a scan is called by its "
            "technical fields, never by its file.",
        )
    if laid.scan in {scan.hash for scan in own}:
        naming.show(laid)
    if laid.demo is not None:
        scan, laid.demo = shipped.get(f"demo:{laid.demo}"), None
        if scan is not None:
            with st.spinner("Opening the scan"):
                laid.scan = demo.opened(scan)
            if scan.explainer is not None and laid.page == "explain":
                laid.model, laid.target, laid.explainer = scan.model, None, scan.explainer
                laid.revision += 1
            st.rerun()


def _scan_chosen(laid: Desk, key: str) -> None:
    chosen = st.session_state[key]
    st.session_state.pop(_PROBLEM, None)
    if chosen is None or not chosen.startswith("demo:"):
        laid.scan = chosen
    else:
        laid.demo = chosen.removeprefix("demo:")


def upload(laid: Desk) -> None:
    """Opening a scan of one's own, folded away until asked for."""
    state = st.session_state
    # a new key folds it again once a scan was opened
    number = state.get(_UPLOADER, 0)
    waiting = _SPOOLED in state or _PROBLEM in state
    with st.expander("Open a scan of your own", expanded=waiting, key=f"open own {number}"):
        folder = st.toggle("a whole folder", help="For a DICOM series that lies in one folder.", key="upload a folder")
        take_files(laid, folder)


def take_files(laid: Desk, folder: bool = False, then: Callable[[], None] = lambda: None) -> None:
    """Where files are dropped or chosen; what is read of them becomes the scan of `laid`.

    Parameters
    ----------
    laid : Desk
        Where the scan goes.
    folder : bool
        Whole folders are chosen, no single files.
    then : callable
        Called when a scan was read, before the page is drawn again.
    """
    state = st.session_state
    files = st.file_uploader(
        "Drop a scan",
        accept_multiple_files="directory" if folder else True,
        max_upload_size=settings().upload_limit_mb,
        key=f"upload:{state.get(_UPLOADER, 0)}",
        label_visibility="collapsed",
        help="NIfTI, MGZ, DICOM (files or a zip), PNG, JPEG or TIFF. Names and patient data are not kept.",
    )
    if files:
        _drop_spooled()
        with st.spinner("Reading"):
            _take(laid, files, then)
    if _PROBLEM in state:
        st.error(text.as_markdown(state[_PROBLEM]))
    if _SPOOLED in state:
        waiting = state[_SPOOLED]
        if several.are_several(waiting):
            several.show(waiting, lambda: _take_several(laid, waiting, then), _drop_spooled)
        else:
            _choose_series(laid, waiting, then)


def _take(laid: Desk, files: Sequence[uploads.UploadedFile], then: Callable[[], None]) -> None:
    """Spool what was uploaded and read it."""
    try:
        spooled = uploads.spool(files)
    except OSError:
        _refuse(uploads.NO_ROOM)
    finally:
        uploads.release(files)
    _read(laid, spooled, then)


def _refuse(sentence: str) -> NoReturn:
    """Say why an upload was not taken, beside an uploader that is empty again."""
    state = st.session_state
    state[_UPLOADER] = state.get(_UPLOADER, 0) + 1
    state.pop(_SPOOLED, None)
    state[_PROBLEM] = sentence
    st.rerun()


def _read(
    laid: Desk,
    spooled: uploads.Spooled,
    then: Callable[[], None],
    series: str | None = None,
    volume: int | None = None,
) -> None:
    """Read spooled files; afterwards the uploader starts empty, which frees what Streamlit held.

    The files are gone from the disk when this ends, however it ends, unless there is an image to choose among them: one
    that cannot be read leaves the others to choose from.
    """
    state, reading, still_choosing = st.session_state, None, False
    try:
        reading = spooled.ask(questions.read_upload, owner(), series, volume)
    except (LightboxError, OSError) as problem:
        sentence = str(problem) if isinstance(problem, LightboxError) else uploads.NO_ROOM
        still_choosing = series is not None and isinstance(problem, BadInput)
        if not still_choosing:
            _refuse(sentence)
        state[_PROBLEM] = sentence
        st.rerun()
    finally:
        if not still_choosing and (reading is None or reading.scan is not None):
            spooled.remove()
            state.pop(_SPOOLED, None)
    state.pop(_PROBLEM, None)
    state[_UPLOADER] = state.get(_UPLOADER, 0) + 1
    if reading.scan is None:
        state[_SPOOLED] = uploads.Spooled(spooled.folder, spooled.files, reading.choices)
        st.rerun()
    laid.scan = reading.scan
    then()
    st.rerun()


def _take_several(laid: Desk, spooled: uploads.Spooled, then: Callable[[], None]) -> None:
    """Put the ticked files into the store as scans of their own; the first of them hangs."""
    state = st.session_state
    try:
        read, problems = several.read(spooled)
    except (LightboxError, OSError) as problem:
        _refuse(str(problem) if isinstance(problem, LightboxError) else uploads.NO_ROOM)
    finally:
        several.forget()
        spooled.remove()
        state.pop(_SPOOLED, None)
    if not read:
        _refuse(" ".join(problems))
    state.pop(_PROBLEM, None)
    if problems:
        state[_PROBLEM] = " ".join(problems)
    laid.scan = read[0]
    then()
    st.rerun()


def _choose_series(laid: Desk, spooled: uploads.Spooled, then: Callable[[], None]) -> None:
    choices = {choice.key: choice for choice in spooled.choices if choice.problem is None}
    if st.session_state.pop(_CHOSEN, False):
        volumes = choices[st.session_state["series"]].volumes
        with st.spinner("Reading"):
            volume = st.session_state["volume"] - 1 if volumes > 1 else None
            _read(laid, spooled, then, st.session_state["series"], volume)
    st.markdown("There is more than one image in it:" if len(choices) > 1 else "It holds several volumes:")
    key = st.selectbox(
        "Image", list(choices), format_func=lambda k: choices[k].description, disabled=len(choices) == 1, key="series"
    )
    if choices[key].volumes > 1:
        number = st.number_input(f"Volume, 1 to {choices[key].volumes}", 1, choices[key].volumes, 1, key="volume")
        name = dict(enumerate(choices[key].volume_names, start=1)).get(int(number))
        if name:
            st.caption(f"Volume {number} holds {name}.")
    for unread in (choice for choice in spooled.choices if choice.problem is not None):
        st.caption(f"Cannot be read: {unread.description}. {unread.problem}")
    with st.container(horizontal=True):
        st.button("Open", type="primary", key="open series", on_click=whole(_series_chosen))
        st.button("Discard", on_click=whole(_drop_spooled), key="discard upload")


def _series_chosen() -> None:
    st.session_state[_CHOSEN] = True


def _drop_spooled() -> None:
    st.session_state.pop(_PROBLEM, None)
    several.forget()
    spooled = st.session_state.pop(_SPOOLED, None)
    if spooled is not None:
        spooled.remove()


def shape_of(laid: Desk) -> tuple[int, ...] | None:
    """Shape of the chosen scan, channels first; a scan that is gone is taken off the desk, and that is said."""
    if laid.scan is None:
        return None
    try:
        return tuple(shelf().scan_meta(laid.scan)["shape"])
    except BadInput as problem:
        laid.scan = None
        st.error(text.as_markdown(str(problem)))
        return None

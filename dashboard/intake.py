"""The left side of the Explain page: what goes in."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NoReturn

import streamlit as st

from core.errors import BadInput, LightboxError
from core.models.card import Card
from core.runs import manager
from core.settings import settings
from dashboard import backend, catalogue, demo, questions, text, uploads, widgets
from dashboard.catalogue import ExplainerEntry
from dashboard.session import Desk, Setting, desk, owner

_SPOOLED = "spooled upload"
_CHOSEN = "series was chosen"
_PROBLEM = "upload problem"
_UPLOADER = "uploader number"
_NO_ROOM = "The upload cannot be written to the disk: free some space, then open the file again."


@dataclass(frozen=True)
class Order:
    """Everything that is chosen. `refusal` says why it cannot be explained as it stands."""

    scan: str | None
    shape: tuple[int, ...] | None
    card: Card | None
    entry: ExplainerEntry | None
    setting: Setting | None
    refusal: str | None


def show_intake() -> Order:
    """Draw scan, model, explainer, class and parameters; returns what is chosen."""
    laid = desk()
    _choose_scan(laid)
    _upload(laid)
    shape = _shape(laid)
    card = _choose_model(laid, shape)
    if card is None:
        return Order(laid.scan, shape, None, None, None, None if shape is None else _no_model(shape))
    entry, reason = _choose_explainer(laid, card)
    _choose_target(laid, card)
    if entry is None:
        return Order(laid.scan, shape, card, None, None, "No explainer is installed.")
    setting = laid.setting(entry.name, entry.first_preset)
    _presets(laid, entry, setting)
    widgets.show_controls(
        entry.controls,
        {**entry.values(setting.preset), **setting.changes},
        key=f"parameter:{entry.name}:{laid.revision}",
        layers=card.feature_layers,
        disabled=reason is not None,
        on_change=partial(_changed, entry),
    )
    return Order(laid.scan, shape, card, entry, laid.setting(entry.name, entry.first_preset), reason)


def _choose_scan(laid: Desk) -> None:
    demos = {f"demo:{scan.name}": scan for scan in demo.scans()}
    titles = {scan.title for scan in demos.values()}
    stored = manager().store.scans(owner())
    known = {scan.hash: scan.label for scan in stored}
    labels = {key: scan.title for key, scan in demos.items()}
    own = [scan for scan in stored if scan.label not in titles]
    twins = {label for label, count in Counter(scan.label for scan in own).items() if count > 1}
    # two scans of one size are told apart by the start of their hash
    labels |= {scan.hash: scan.label + (f" · {scan.hash[:4]}" if scan.label in twins else "") for scan in own}
    options = list(labels)
    current = laid.scan if laid.scan in labels else None
    if laid.scan and current is None:
        current = next((key for key, scan in demos.items() if scan.title == known.get(laid.scan)), None)
    index = options.index(current) if current else None
    key = f"scan:{laid.scan}:{len(options)}"
    st.selectbox(
        "Scan",
        options,
        index=index,
        format_func=lambda option: labels.get(option, option),
        placeholder="Choose a scan",
        key=key,
        on_change=_scan_chosen,
        args=(key,),
        help="Demo scans, and every scan that you opened before. Scans are named by their technical fields only.",
    )
    if laid.demo is not None:
        scan, laid.demo = demos.get(f"demo:{laid.demo}"), None
        if scan is not None:
            with st.spinner("Opening the scan"):
                laid.scan = backend.ask(questions.read_asset, scan.path, scan.title, owner())
            st.rerun()


def _scan_chosen(key: str) -> None:
    laid, chosen = desk(), st.session_state[key]
    st.session_state.pop(_PROBLEM, None)
    if chosen is None or not chosen.startswith("demo:"):
        laid.scan = chosen
    else:
        laid.demo = chosen.removeprefix("demo:")


def _upload(laid: Desk) -> None:
    state = st.session_state
    # a new key folds it again once a scan was opened
    number = state.get(_UPLOADER, 0)
    waiting = _SPOOLED in state or _PROBLEM in state
    with st.expander("Open a scan of your own", expanded=waiting, key=f"open own {number}"):
        folder = st.toggle("a whole folder", help="For a DICOM series that lies in one folder.", key="upload a folder")
        files = st.file_uploader(
            "Files",
            accept_multiple_files="directory" if folder else True,
            max_upload_size=settings().upload_limit_mb,
            key=f"upload:{number}",
            label_visibility="collapsed",
            help="NIfTI, MGZ, DICOM (files or a zip), PNG, JPEG or TIFF. Names and patient data are not kept.",
        )
        if files:
            _drop_spooled()
            with st.spinner("Reading"):
                _take(laid, files)
        if _PROBLEM in state:
            st.error(state[_PROBLEM])
        if _SPOOLED in state:
            _choose_series(laid, state[_SPOOLED])


def _take(laid: Desk, files: Sequence[uploads.UploadedFile]) -> None:
    """Spool what was uploaded and read it."""
    try:
        spooled = uploads.spool(files)
    except OSError:
        _refuse(_NO_ROOM)
    finally:
        uploads.release(files)
    _read(laid, spooled)


def _refuse(sentence: str) -> NoReturn:
    """Say why an upload was not taken, beside an uploader that is empty again."""
    state = st.session_state
    state[_UPLOADER] = state.get(_UPLOADER, 0) + 1
    state.pop(_SPOOLED, None)
    state[_PROBLEM] = sentence
    st.rerun()


def _read(laid: Desk, spooled: uploads.Spooled, series: str | None = None, volume: int | None = None) -> None:
    """Read spooled files; afterwards the uploader starts empty, which frees what Streamlit held."""
    state = st.session_state
    try:
        reading = backend.ask(questions.read_upload, spooled.files, owner(), series, volume)
    except (LightboxError, OSError) as problem:
        spooled.remove()
        _refuse(str(problem) if isinstance(problem, LightboxError) else _NO_ROOM)
    state[_UPLOADER] = state.get(_UPLOADER, 0) + 1
    if reading.scan is None:
        state[_SPOOLED] = uploads.Spooled(spooled.folder, spooled.files, reading.choices)
        st.rerun()
    spooled.remove()
    state.pop(_SPOOLED, None)
    laid.scan = reading.scan
    st.rerun()


def _choose_series(laid: Desk, spooled: uploads.Spooled) -> None:
    choices = {choice.key: choice for choice in spooled.choices}
    if st.session_state.pop(_CHOSEN, False):
        volumes = choices[st.session_state["series"]].volumes
        with st.spinner("Reading"):
            _read(laid, spooled, st.session_state["series"], st.session_state["volume"] - 1 if volumes > 1 else None)
    st.markdown("There is more than one image in it:" if len(choices) > 1 else "It holds several volumes:")
    key = st.selectbox(
        "Image", list(choices), format_func=lambda k: choices[k].description, disabled=len(choices) == 1, key="series"
    )
    if choices[key].volumes > 1:
        st.number_input(f"Volume, 1 to {choices[key].volumes}", 1, choices[key].volumes, 1, key="volume")
    with st.container(horizontal=True):
        st.button("Open", type="primary", key="open series", on_click=_series_chosen)
        st.button("Discard", on_click=_drop_spooled, key="discard upload")


def _series_chosen() -> None:
    st.session_state[_CHOSEN] = True


def _drop_spooled() -> None:
    st.session_state.pop(_PROBLEM, None)
    spooled = st.session_state.pop(_SPOOLED, None)
    if spooled is not None:
        spooled.remove()


def _shape(laid: Desk) -> tuple[int, ...] | None:
    if laid.scan is None:
        return None
    try:
        return tuple(manager().store.scan_meta(laid.scan, owner())["shape"])
    except BadInput as problem:
        laid.scan = None
        st.error(str(problem))
        return None


def _choose_model(laid: Desk, shape: tuple[int, ...] | None) -> Card | None:
    cards = catalogue.cards()
    unfit = {} if shape is None else {n: catalogue.why_model_unfit(card, shape) for n, card in cards.items()}
    fitting = [name for name in cards if not unfit.get(name)]
    if not fitting:
        laid.model = None
        st.selectbox(
            "Model", [], placeholder="No model fits this scan" if cards else "No model installed", key="no model"
        )
    else:
        model = laid.model = _preferred(laid, fitting, cards, shape)
        key = f"model:{laid.revision}:{len(fitting)}:{model}"
        st.selectbox(
            "Model",
            fitting,
            index=fitting.index(model),
            format_func=lambda name: cards[name].title,
            key=key,
            on_change=_model_chosen,
            args=(key,),
            help="Models of the library; their cards are on the Models page.",
        )
    reasons = [reason for reason in unfit.values() if reason]
    if reasons:
        st.html(text.quiet(f"Not offered: {' '.join(reasons)}"))
    return cards.get(laid.model) if laid.model else None


def _preferred(laid: Desk, fitting: list[str], cards: dict[str, Card], shape: tuple[int, ...] | None) -> str:
    """The model that was chosen, unless it does not fit or a new scan has a better one: volumes for volumes."""
    new_scan, laid.model_for = laid.model_for != laid.scan, laid.scan
    alike = [name for name in fitting if shape is None or cards[name].input.dimensions == len(shape) - 1]
    if laid.model in fitting and (laid.model in alike or not alike or not new_scan):
        return laid.model
    laid.target = None
    return (alike or fitting)[0]


def _model_chosen(key: str) -> None:
    laid = desk()
    laid.model = st.session_state[key]
    laid.target = None


def _no_model(shape: tuple[int, ...]) -> str:
    reasons = [catalogue.why_model_unfit(card, shape) for card in catalogue.cards().values()]
    told = " ".join(reason for reason in reasons if reason)
    return told or "The library is empty: run make assets, or set LIGHTBOX_MODELS_DIR to a folder of models."


def _choose_explainer(laid: Desk, card: Card) -> tuple[ExplainerEntry | None, str | None]:
    entries = catalogue.explainer_entries()
    if not entries:
        return None, None
    reasons = catalogue.unfit_explainers(card)
    if laid.explainer not in entries:
        fitting = [name for name in entries if name not in reasons] or list(entries)
        laid.explainer = "mask" if "mask" in fitting else fitting[0]
    names = sorted(entries, key=lambda name: (name in reasons, name != "mask", entries[name].title))
    key = f"explainer:{laid.revision}:{laid.model}"
    st.selectbox(
        "Explainer",
        names,
        index=names.index(laid.explainer),
        format_func=lambda name: entries[name].title + (" (not for this model)" if name in reasons else ""),
        key=key,
        on_change=_explainer_chosen,
        args=(key,),
        help=f"{entries[laid.explainer].summary}\n\n{entries[laid.explainer].reference}",
    )
    reason = reasons.get(laid.explainer)
    if reason:
        st.warning(reason)
    return entries[laid.explainer], reason


def _explainer_chosen(key: str) -> None:
    desk().explainer = st.session_state[key]


def _choose_target(laid: Desk, card: Card) -> None:
    if card.task != "classification":
        laid.target = None
        return
    if laid.target not in card.classes:
        laid.target = card.target or card.classes[0]
    key = f"target:{laid.revision}:{card.name}"
    st.segmented_control(
        "Class to explain",
        card.classes,
        default=laid.target,
        required=True,
        key=key,
        on_change=_target_chosen,
        args=(key,),
        help="The explanation says what speaks for this class.",
    )


def _target_chosen(key: str) -> None:
    desk().target = st.session_state[key]


def _presets(laid: Desk, entry: ExplainerEntry, setting: Setting) -> None:
    values = entry.values(setting.preset)
    modified = any(values.get(name) != value for name, value in setting.changes.items())
    with st.container(horizontal=True, vertical_alignment="bottom", wrap=False, gap="xxsmall", key="presets"):
        key = f"preset:{entry.name}:{laid.revision}"
        st.segmented_control(
            "Settings, changed" if modified else "Settings",
            list(entry.presets),
            default=setting.preset,
            required=True,
            key=key,
            on_change=_preset_chosen,
            args=(entry.name, key),
            width="stretch",
            help="Named settings of this explainer. Reset goes back to them, undo takes back the last change.",
        )
        st.button(
            "",
            icon=":material/restart_alt:",
            type="tertiary",
            help="Reset to the chosen settings",
            key="reset parameters",
            disabled=not modified,
            on_click=laid.choose_preset,
            args=(entry.name, setting.preset),
        )
        st.button(
            "",
            icon=":material/undo:",
            type="tertiary",
            help="Undo the last change",
            key="undo parameters",
            disabled=not laid.can_undo,
            on_click=laid.undo,
        )


def _preset_chosen(explainer: str, key: str) -> None:
    desk().choose_preset(explainer, st.session_state[key])


def _changed(entry: ExplainerEntry, name: str, key: str) -> None:
    laid = desk()
    value = st.session_state[key]
    control = next(control for control in entry.controls if control.name == name)
    if control.kind == "text" and value == "":
        value = control.default
    laid.change(entry.name, laid.setting(entry.name, entry.first_preset), name, value)

"""Maps of a study, those of one group beside each other, over what they lie on."""

from pathlib import Path

import numpy as np
import streamlit as st

from core.errors import LightboxError
from core.studies.reading import StoredStudy
from core.studies.record import StudyMap
from dashboard.callbacks import whole
from dashboard.components.viewer import Layer, Panel, publish, viewer
from dashboard.desk import owner
from dashboard.look import text
from dashboard.study.desk import StudyDesk

_HEIGHT = 320
#: Most maps in one row.
_ROW = 4
#: Part of a map's range that is not drawn over an image: the image is to be seen.
_FLOOR = 0.08


def show_maps(laid: StudyDesk, study: StoredStudy) -> None:
    """The maps of the chosen group."""
    groups: dict[str, list[StudyMap]] = {}
    for found in study.maps:
        groups.setdefault(found.group, []).append(found)
    if not groups:
        return
    st.markdown("## Maps")
    if laid.group not in groups:
        laid.group = next(iter(groups))
    if len(groups) > 1:
        key = f"study group:{laid.shown}:{laid.group}"
        st.selectbox(
            "Maps of", list(groups), index=list(groups).index(laid.group), key=key, width=260,
            format_func=lambda name: name or "all", on_change=whole(_group_chosen), args=(laid, key),
        )  # fmt: skip
    shown = groups[laid.group]
    for start in range(0, len(shown), _ROW):
        try:
            panels = [_panel(laid.shown or "", study, found) for found in shown[start : start + _ROW]]
        except LightboxError as problem:
            st.error(text.as_markdown(str(problem)))
            continue
        viewer(panels, key=f"study maps {start}", height=_HEIGHT)
    text.show(text.quiet_lines(dict.fromkeys(found.note for found in shown if found.note)))


def _group_chosen(laid: StudyDesk, key: str) -> None:
    laid.group = st.session_state[key]


def _panel(run: str, study: StoredStudy, found: StudyMap) -> Panel:
    affine = np.array(found.affine) if found.affine is not None else np.eye(4)
    layers = []
    if found.background:
        path = study.path(found.background)
        below = publish(lambda: read_map(path), affine, owner=owner(), name=f"run:{run}:{found.background}")
        layers.append(Layer(below, name="image"))
    values = study.path(found.file)
    reference = publish(lambda: read_map(values), affine, owner=owner(), name=f"run:{run}:{found.file}")
    if found.kind in ("image", "answer"):
        return Panel(found.name, found.title, [Layer(reference, name="image", unit=found.unit)])
    low, high = reference.range
    peak = max(abs(low - found.neutral), abs(high - found.neutral))
    ends = None if found.diverging else (0.0, 1.0) if found.kind == "mask" else (min(low, found.neutral), high)
    layers.append(
        Layer(
            reference,
            "map",
            name="map",
            unit=found.unit,
            colormap="diverging" if found.diverging else "magma",
            centre_zero=found.diverging,
            range=ends if ends is None or ends[1] > ends[0] else None,
            opacity=0.65 if found.background else 1.0,
            threshold=_FLOOR * peak if found.background else None,
        )
    )
    return Panel(found.name, found.title, layers, empty="" if peak > 0 else "This map says nothing anywhere.")


def read_map(path: Path) -> np.ndarray:
    """An array of a result; what is no number counts as 0."""
    values: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    return values if values.dtype.kind in "biu" or np.isfinite(values).all() else np.nan_to_num(values)

"""Compare, two scans: today and last year, linked in millimetres, with what differs."""

from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np
import streamlit as st

from core.errors import LightboxError
from core.reports.nifti import nifti_bytes
from core.scans.pairs import TURNED_DEGREES, Difference, Normalisation, Relation, difference, on_grid_of, relation
from core.scans.scan import Scan
from core.wording import percent
from dashboard.compare import link
from dashboard.compare.desk import CompareDesk
from dashboard.compare.two_scans import intake
from dashboard.components.viewer import Layer, Panel, publish, viewer
from dashboard.desk import owner, shelf
from dashboard.frame import opening
from dashboard.frame.pages import Page
from dashboard.look import text
from dashboard.results import headline
from dashboard.results.layers import scan_layer, unnamed
from dashboard.results.pinned.words import scan_label

_WINDOW, _ALIGNED = "pair window", "pair aligned"
#: Share of the largest difference that is not drawn until asked for.
_FLOOR = 0.1
#: Pixels: panels narrower than this stand in several rows.
_NARROWEST = 260
_NOTHING = "Choose two scans on the left: of one person at two times, or before and after some processing."


@dataclass(frozen=True, eq=False)
class _Pair:
    """Two scans, by name and as stored."""

    names: tuple[str, str]
    one: Scan
    other: Scan
    by: Normalisation


def show(page: Page, laid: CompareDesk) -> None:
    """Draw this part of the page."""
    with st.sidebar:
        names = intake.choose_two(laid)
    if names is None:
        text.show(text.empty("No two scans yet", _NOTHING))
        return
    one, other = (shelf().scan(name) for name in names)
    found = relation(one, other)
    with st.sidebar:
        by = intake.choose_values(laid, found, one, other)
    link.write(page, laid)
    labels = [scan_label(name) for name in names]
    pieces = [text.bold(labels[0]), text.beside(labels[1])]
    headline.show(pieces, partial(_keep, page, laid, _Pair(names, one, other, by), found))
    if not found.linked:
        st.warning(text.as_markdown(found.notes[0]))
        _show_apart(one, other, labels)
        return
    _show_linked(_Pair(names, one, other, by), found, labels)


def _show_apart(one: Scan, other: Scan, labels: list[str]) -> None:
    """Each for itself: nothing links them."""
    for place, (scan, label, column) in enumerate(zip((one, other), labels, st.columns(2), strict=True)):
        with column:
            viewer([Panel(f"scan {place}", label, [scan_layer(scan)])], key=f"pair apart {place}")


def _show_linked(pair: _Pair, found: Relation, labels: list[str]) -> None:
    images = st.container()
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        common = st.toggle(
            "One window for both", value=found.subtractable and pair.by == "none", key=f"{_WINDOW}:{pair.names}",
            help="The same grey is the same value in both. Off: each has its own window.",
        )  # fmt: skip
        aligned = found.resampled and st.toggle(
            "Second on the grid of the first", value=found.turned_degrees > TURNED_DEGREES,
            key=f"{_ALIGNED}:{pair.names}",
            help="Shows the second scan resampled, so that both are cut at the same samples. Off: as it was taken.",
        )  # fmt: skip
    try:
        measured = _measured(*pair.names, pair.by, owner()) if found.subtractable else None
    except LightboxError as problem:
        st.warning(text.as_markdown(str(problem)))
        measured = None
    with images:
        _images(pair, found, labels, bool(common), bool(aligned), measured)
    if measured is not None:
        _figures(pair, found, measured)
    if found.notes:
        text.show(text.quiet_lines(found.notes))


def _images(
    pair: _Pair, found: Relation, labels: list[str], common: bool, aligned: bool, measured: Difference | None
) -> None:
    one = scan_layer(pair.one, group="first")
    other = scan_layer(pair.other, group="first" if common else "second")
    titles = [f"First · {labels[0]}", f"Second · {labels[1]}"]
    if aligned:
        name = f"aligned:{pair.names[1]}:{pair.names[0]}"
        reference = publish(lambda: on_grid_of(pair.one, pair.other)[0], pair.one.affine, owner=owner(), name=name)
        other = replace(other, volume=reference, window=other.volume.window)
        titles[1] = f"Second, resampled · {labels[1]}"
    panels = [Panel("first", titles[0], [one]), Panel("second", titles[1], [replace(other, name="second")])]
    if measured is not None:
        panels.append(_difference_panel(pair, found, measured))
    viewer(panels, key=f"pair {pair.names[0][:16]}", narrowest=_NARROWEST)


def _difference_panel(pair: _Pair, found: Relation, measured: Difference) -> Panel:
    name = f"pair:{pair.names[0]}:{pair.names[1]}:{pair.by}"
    reference = publish(lambda: measured.values, pair.one.affine, owner=owner(), name=name)
    # a few samples on an edge differ by far more than all others: they may leave the scale
    peak = max(max(map(abs, reference.window)), 0.1 * max(map(abs, reference.range)))
    layer = Layer(
        reference, "map", name="difference", unit=_unit(pair), colormap="diverging", centre_zero=True,
        range=(-peak, peak) if peak else None, opacity=0.75, threshold=_FLOOR * peak,
    )  # fmt: skip
    how = [word for word, holds in (("resampled", found.resampled), ("z-score", pair.by == "z-score")) if holds]
    title = ", ".join(["Second − first", *how])
    ground = unnamed([scan_layer(pair.one, group="first")])
    return Panel("difference", title, [*ground, layer], empty="" if peak else "The two scans are the same.")


def _unit(pair: _Pair) -> str:
    return "standard deviations" if pair.by == "z-score" else pair.one.units or "as stored"


def _figures(pair: _Pair, found: Relation, measured: Difference) -> None:
    unit = _unit(pair)
    rows = [
        ("measured", "where either has more than background" if pair.by == "z-score" else "where both have samples"),
        ("correlation of the values", "–" if np.isnan(measured.correlation) else f"{measured.correlation:.3f}"),
        ("mean difference", f"{measured.mean:.4g} {unit}"),
        ("mean size of the difference", f"{measured.size:.4g} {unit}"),
        ("part of the first that the second covers", percent(measured.covered) if measured.covered < 1 else "all"),
    ]
    if found.resampled:
        rows.append(("second scan", "resampled onto the grid of the first (linear)"))
        rows.append(("axes turned by", f"{found.turned_degrees:.1f}°"))
    left, _ = st.columns([1, 1.4])
    with left:
        text.show(text.numbers(rows))


@lru_cache(maxsize=4)
def _measured(one: str, other: str, by: Normalisation, whose: str) -> Difference:
    return difference(shelf(whose).scan(one), shelf(whose).scan(other), by)


def _keep(page: Page, laid: CompareDesk, pair: _Pair, found: Relation) -> None:
    """The menu at the top right."""
    with st.popover("Keep", icon=":material/download:", width="content"):
        st.caption("Link that opens these two scans again")
        st.code(opening.address(page, link.query(laid)), language=None)
        if found.linked and found.subtractable and pair.one.dimensions == 3:
            st.download_button(
                "Difference (NIfTI)", partial(_nifti, pair), file_name="lightbox-difference.nii.gz",
                mime="application/gzip", on_click="ignore", key="download pair",
            )  # fmt: skip


def _nifti(pair: _Pair) -> bytes:
    measured = _measured(*pair.names, pair.by, owner())
    return nifti_bytes(measured.values, pair.one, neutral=0.0)

"""The result of a study: networks, confusion, landmarks by class, and what each class looks like."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import streamlit as st

from core.runs import Run
from core.studies.anatomy.figures import ALL
from core.studies.anatomy.stored import AnatomyResult, LandmarkShare, NetworkResult
from core.wording import percent
from dashboard.callbacks import whole
from dashboard.compare.desk import Cell, CompareDesk
from dashboard.compare.tables import Figure, table
from dashboard.components.matrix import matrix
from dashboard.components.viewer import Layer, Panel, publish, viewer
from dashboard.desk import owner
from dashboard.look import text

#: With more classes a matrix takes the whole width, and its films stand below it.
_BESIDE = 10
_HEIGHT = 300
#: Most networks in one row of mean maps.
_ROW = 4


def show_networks(study: AnatomyResult) -> None:
    """One row a network: how often it is right, and what its maps have in each landmark."""
    looked_at = any(network.refused is not None for network in study.networks.values())
    heads = [
        "Network",
        "Films",
        *(["Cannot read"] if looked_at else []),
        "Balanced accuracy",
        *(f"Map in {name}" for name in study.landmarks),
    ]
    rows: list[list[str | Figure]] = [
        [
            network.title,
            Figure(str(network.films)),
            *([Figure("–" if network.refused is None else str(network.refused))] if looked_at else []),
            Figure(f"{network.balanced_accuracy:.1%}", "{:.1%} to {:.1%}".format(*network.interval)),
            *(_share(network.landmarks.get(ALL, {}).get(name)) for name in study.landmarks),
        ]
        for network in study.networks.values()
    ]
    text.show(table(heads, rows, "Networks on all films"))
    words = "In grey: the 95% confidence interval"
    if study.landmarks:
        words += (
            "; for landmarks, how many times more of a map lies there than of an even one, and what lies there of the "
            "maps of other films, and of the network's map with random weights"
        )
    text.show(text.quiet(f"{words}."))


def _share(found: LandmarkShare | None) -> Figure:
    if found is None:
        return Figure("–")
    beside = [f"{found.ratio:.1f}×"]
    for word, value in (("others", found.control), ("random", found.random)):
        if value == value:
            beside.append(f"{word} {percent(value)}")
    return Figure(percent(found.share), " · ".join(beside), heat=found.share)


def choose_network(laid: CompareDesk, study: AnatomyResult) -> NetworkResult:
    """The network whose matrix is shown."""
    names = list(study.networks)
    if laid.shown not in study.networks:
        laid.shown = names[0]
    key = f"compare shown:{laid.study}:{laid.shown}"
    if len(names) > 1:
        st.segmented_control(
            "Network", names, default=laid.shown, required=True,
            format_func=lambda name: text.as_markdown(study.networks[name].title),
            key=key, on_change=whole(_network_chosen), args=(laid, key), label_visibility="collapsed",
        )  # fmt: skip
    return study.networks[laid.shown]


def _network_chosen(laid: CompareDesk, key: str) -> None:
    laid.shown = st.session_state[key]
    if laid.cell is not None:  # the same cell of the other network
        laid.open_cell(Cell(laid.shown or "", laid.cell.truth, laid.cell.predicted))


@contextmanager
def beside(study: AnatomyResult) -> Iterator[tuple[st.delta_generator.DeltaGenerator, ...]]:
    """Places for the matrix and for its films: side by side where there is room."""
    if len(study.classes) <= _BESIDE:
        yield tuple(st.columns([1.2, 1], gap="large"))
    else:
        yield st.container(), st.container()


def show_matrix(laid: CompareDesk, study: AnatomyResult, network: NetworkResult) -> None:
    """The confusion matrix of a network."""
    open_here = laid.cell is not None and laid.cell.network == network.name
    matrix(
        study.classes,
        network.confusion,
        key=f"compare matrix:{laid.study}:{network.name}",
        label=f"Confusion matrix of {network.title}",
        selected=(laid.cell.truth, laid.cell.predicted) if open_here and laid.cell is not None else None,
        on_click=whole(lambda truth, predicted: laid.open_cell(Cell(network.name, truth, predicted))),
    )
    text.show(
        text.quiet(
            "Rows: what the film shows. Columns: what the network says. Blue is right, orange is wrong, stronger the "
            "more of the row. A cell opens its films."
        )
    )


def show_landmarks(study: AnatomyResult) -> None:
    """For each landmark a table of classes and networks, tinted by the share of the map."""
    if not study.landmarks:
        return
    st.markdown("## Landmarks by class")
    networks = list(study.networks.values())
    for name, place in zip(study.landmarks, _columns(len(study.landmarks)), strict=True):
        rows: list[list[str | Figure]] = []
        for label in study.classes:
            found = [network.landmarks.get(label, {}).get(name) for network in networks]
            cells: list[str | Figure] = [
                Figure("–") if share is None else Figure(percent(share.share), f"{share.ratio:.1f}×", heat=share.share)
                for share in found
            ]
            area = next((percent(share.area) for share in found if share is not None), "–")
            rows.append([label, Figure(area), *cells])
        with place:
            heads = [f"Map in {name}", "Of the film", *(network.title for network in networks)]
            text.show(table(heads, rows, f"Share of the map in {name}, by class and network"))
    text.show(text.quiet("Mean over the films of a class. ×: against an even map, which has what the landmark covers."))


def _columns(count: int) -> list[st.delta_generator.DeltaGenerator]:
    """Two tables beside each other, as many rows of them as are needed."""
    places: list[st.delta_generator.DeltaGenerator] = []
    while len(places) < count:
        places += st.columns(min(2, count), gap="large")
    return places[:count]


def show_means(laid: CompareDesk, run: Run, study: AnatomyResult) -> None:
    """Mean map over mean film of one class, networks side by side."""
    st.markdown("## What the class looks like")
    films = dict(zip(study.classes, next(iter(study.networks.values())).confusion.sum(axis=1).tolist(), strict=True))
    if laid.class_name not in study.classes:
        laid.class_name = next((name for name in study.classes if films[name]), study.classes[0])
    key = f"compare class:{laid.study}:{laid.class_name}"
    st.selectbox(
        "Class",
        study.classes,
        index=study.classes.index(laid.class_name or study.classes[0]),
        key=key,
        on_change=whole(_class_chosen),
        args=(laid, key),
        width=260,
    )
    label = laid.class_name or study.classes[0]
    count = films[label]
    if not count:
        text.show(text.quiet(f"The class {label} has no film in this study: there is nothing to take a mean of."))
        return
    there = [network for network in study.networks.values() if label in network.mean_films]
    if not there:
        text.show(text.quiet(f"The films of {label} are of different sizes: they have no mean."))
        return
    for start in range(0, len(there), _ROW):
        panels = [_mean_panel(run, network, label) for network in there[start : start + _ROW]]
        viewer(panels, key=f"compare means {start}", height=_HEIGHT)
    text.show(
        text.quiet(
            f"{label}: mean over {count} film{'' if count == 1 else 's'}, each map divided by its own sum, over the "
            "mean film as the network was fed it."
        )
    )


def _class_chosen(laid: CompareDesk, key: str) -> None:
    laid.class_name = st.session_state[key]


def _mean_panel(run: Run, network: NetworkResult, label: str) -> Panel:
    name = f"run:{run.id}:{network.name}:{label}"
    film = network.mean_films[label]
    layers = [Layer(publish(lambda: _read(film), np.eye(4), owner=owner(), name=f"{name}:film"), name="film")]
    empty = "Every map of this class is zero."
    if label in network.mean_maps:
        path = network.mean_maps[label]
        reference = publish(lambda: _read(path), np.eye(4), owner=owner(), name=f"{name}:map")
        peak = reference.range[1]
        layers.append(
            Layer(
                reference, "map", name="map", unit="share of the map", range=(0.0, peak), opacity=0.65,
                threshold=0.08 * peak,
            )
        )  # fmt: skip
        empty = ""
    return Panel(network.name, network.title, layers, empty=empty)


def _read(path: Path) -> np.ndarray:
    values: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    return values

"""One film of a cohort with the network's map of it and what that map is made of: the paper's figure 4."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from core.errors import BadInput, LightboxError
from core.explainers import explainers
from core.reports.explanation import StoredExplanation
from core.runs import ExplanationSpec, Run, Status
from core.studies.anatomy.parts import EXPLAINER_FIELDS
from core.studies.anatomy.stored import AnatomyResult, FilmResult
from core.wording import percent
from dashboard.backend import pool
from dashboard.compare import questions
from dashboard.compare.desk import Cell, CompareDesk
from dashboard.compare.film.intake import FIRST_EXPLAINER
from dashboard.components.viewer import Panel, viewer
from dashboard.desk import owner, shelf
from dashboard.frame import opening
from dashboard.look import text
from dashboard.results import answer, landmarks, parts
from dashboard.results.stage import map_layer, scan_layer, show_form

_POLL = 0.7
_HEIGHT = 340


def show(laid: CompareDesk, run: Run, study: AnatomyResult) -> None:
    """The film that is open; nothing when none is."""
    if laid.cell is None or laid.film is None:
        return
    found = study.of_cell(laid.cell.network, laid.cell.truth, laid.cell.predicted)
    film = next((film for film in found if film.film == laid.film), None)
    if film is None:
        laid.film = None
        return
    try:
        run_id = _asked(laid, run, study, film)
    except LightboxError as problem:
        st.error(str(problem))
        return
    explained = shelf().run(run_id)
    going = not explained.status.final
    _head(laid, run_id, film, study.networks[laid.cell.network].title)
    left, right = st.columns([1.15, 1], gap="medium")
    with left:
        st.fragment(_draw, run_every=_POLL if going else None)(run_id, laid.cell, film, going)
    with right:
        if explained.status is Status.DONE:
            _parts(explained)


def _asked(laid: CompareDesk, run: Run, study: AnatomyResult, film: FilmResult) -> str:
    """The run that explains a film, asked for once in this session; one that ran before is found again."""
    assert laid.cell is not None
    wanted = (run.id, laid.cell.network, film.film)
    known = _still_there(laid.explained.get(wanted))
    if known is not None:
        return known
    with st.spinner("Opening the film"):
        title = f"{study.record.get('cohort') or run.request['cohort']} · {film.film}"
        scan = pool.ask(questions.store_film, str(run.request["cohort"]), film.file, title, owner())
    explainer, parameters = map_settings(study.record["parameters"])
    laid.explained[wanted] = shelf().submit(
        ExplanationSpec(
            owner=owner(),
            scan=scan,
            model=laid.cell.network,
            explainer=explainer,
            target=film.predicted,
            parameters=parameters,
        )
    )
    return laid.explained[wanted]


def _still_there(run_id: str | None) -> str | None:
    try:
        return None if run_id is None else shelf().run(run_id).id
    except BadInput:
        return None


def map_settings(recorded: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Explainer and parameters that draw the same map as a study did, with the map of every part beside it.

    Parameters
    ----------
    recorded : mapping
        Parameters of the study.
    """
    explainer = str(recorded.get("explainer") or FIRST_EXPLAINER)
    entry = explainers().get(explainer)
    known = entry.parameters_model.model_fields if entry is not None else {}
    chosen = {name: recorded[name] for name in EXPLAINER_FIELDS if name in known and name in recorded}
    return explainer, chosen | (dict(entry.with_parts) if entry is not None else {})


def _head(laid: CompareDesk, run_id: str, film: FilmResult, title: str) -> None:
    """Film, network and what can be done: outside the fragment, whose buttons would draw nothing but itself again."""
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        text.show(text.facts([text.title(film.film), text.beside(title)]))
        st.button(
            "Open in Explain", icon=":material/open_in_new:", key="open film", on_click=_open, args=(laid, run_id)
        )
        st.button("Close", icon=":material/close:", key="close film", on_click=laid.open_film, args=(None,))


def _draw(run_id: str, cell: Cell, film: FilmResult, was_going: bool) -> None:
    run = shelf().run(run_id)
    if was_going and run.status.final:
        st.rerun()
    if run.status is Status.DONE:
        _result(run, cell, film, shelf().explanation(run_id))
    elif run.status.final:
        text.show(answer.ended_line(run, "Close the film and open it again."))
    else:
        live = shelf().progress(run_id)
        st.progress(live.fraction, text=answer.progress_text(run, live))


def _result(run: Run, cell: Cell, film: FilmResult, explanation: StoredExplanation) -> None:
    name = str(run.request["scan"])
    main = explanation.arrays["map"]
    held = {found.name: found.share for found in landmarks.overlaps_with(name, str(main.path))}
    text.show(text.quiet(_sentence(cell, film, held)))
    scan = shelf().scan(name)
    marks = landmarks.outlines(scan, name)
    signed = show_form(main.diverging, "compare film form")
    panels = [
        Panel("scan", "Film", [scan_layer(scan), *marks]),
        Panel(
            "map", "Map", [scan_layer(scan), replace(map_layer(scan, run.id, "map", main, signed), name="map"), *marks]
        ),
    ]
    viewer(panels, key="compare film viewer", height=_HEIGHT)


def _sentence(cell: Cell, film: FilmResult, held: Mapping[str, float]) -> str:
    says = text.probability(film.probability.get(cell.predicted, 0.0))
    truth = text.probability(film.probability.get(cell.truth, 0.0))
    if cell.truth == cell.predicted:
        first = f"Recognised as {cell.truth} (P {says})."
    else:
        first = f"The film shows {cell.truth} (P {truth}) and was taken for {cell.predicted} (P {says})."
    parts = [f"{percent(share)} in {name}" for name, share in held.items() if share == share]
    return f"{first} Of the map {', '.join(parts)}." if parts else first


def _parts(run: Run) -> None:
    name = str(run.request["scan"])
    scan = shelf().scan(name)
    explanation = shelf().explanation(run.id)
    if explanation.parts is not None:
        text.show(text.quiet(explanation.parts.sentence))
        source = parts.Source(run.id, explanation)
        parts.show_parts(scan, source, "compare film parts", landmarks.LandmarkDesk(name))


def _open(laid: CompareDesk, run_id: str) -> None:
    try:
        opening.go_to(opening.open_run(run_id).name)
    except LightboxError as problem:
        laid.problem = str(problem)

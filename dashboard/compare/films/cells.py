"""The films of one cell of a confusion matrix, as a gallery."""

from collections.abc import Sequence

import streamlit as st

from core.errors import LightboxError
from core.runs import Run
from core.studies.anatomy.stored import AnatomyResult, FilmResult
from dashboard.backend import cohorts, pool
from dashboard.compare.desk import Cell, CompareDesk
from dashboard.components.gallery import Tile, gallery
from dashboard.look import text
from dashboard.results.opened import NO_PICTURE

#: Films on one page of the gallery.
_PAGE = 12


def show(laid: CompareDesk, run: Run, study: AnatomyResult) -> None:
    """The films of the cell that is open; which cells are worth it, before one is."""
    cell = laid.cell
    if cell is None or cell.network not in study.networks:
        text.show(text.quiet(_invitation(study, laid.shown or "")))
        return
    films = study.of_cell(cell.network, cell.truth, cell.predicted)
    text.show(text.facts([text.bold(heading(cell, len(films)))]))
    if not films:
        text.show(text.quiet(empty_sentence(study, cell)))
        return
    if run.request.get("cohort") is None:
        text.show(text.quiet(NO_PICTURE))
        return
    pages = -(-len(films) // _PAGE)
    page = st.pagination(pages, key=f"films of {cell}") if pages > 1 else 1
    shown = films[(page - 1) * _PAGE : page * _PAGE]
    try:
        tiles = _tiles(laid, run, shown)
    except LightboxError as problem:
        st.error(text.as_markdown(str(problem)))
        return
    gallery(tiles, f"compare films:{laid.study}", 4, label=heading(cell, len(films)), on_click=laid.open_film)


def heading(cell: Cell, count: int) -> str:
    """What the films of a cell have in common."""
    films = f"{count} film{'' if count == 1 else 's'}"
    if cell.truth == cell.predicted:
        return f"{cell.truth}, recognised: {films}"
    return f"{cell.truth}, taken for {cell.predicted}: {films}"


def empty_sentence(study: AnatomyResult, cell: Cell) -> str:
    """Why there is nothing to see."""
    title = study.networks[cell.network].title
    if not any(film.truth == cell.truth for film in study.films[cell.network]):
        return f"The class {cell.truth} has no film in this study."
    if cell.truth == cell.predicted:
        return f"{title} recognised no film of {cell.truth}."
    return f"{title} took no film of {cell.truth} for {cell.predicted}."


def _invitation(study: AnatomyResult, network: str) -> str:
    wrong = [film for film in study.films.get(network, ()) if film.truth != film.predicted]
    if not wrong:
        return "Every film was recognised. A cell of the diagonal opens the films of its class."
    pairs: dict[tuple[str, str], int] = {}
    for film in wrong:
        pairs[film.truth, film.predicted] = pairs.get((film.truth, film.predicted), 0) + 1
    (truth, predicted), most = max(pairs.items(), key=lambda pair: pair[1])
    count = f"{len(wrong)} film{'' if len(wrong) == 1 else 's'}"
    often = f", most often {truth} for {predicted} ({most})" if most > 1 else ""
    return (
        f"Click a cell to see its films. {count} of {len(study.films[network])} "
        f"{'was' if len(wrong) == 1 else 'were'} taken for another class{often}."
    )


def _tiles(laid: CompareDesk, run: Run, films: Sequence[FilmResult]) -> list[Tile]:
    pictures = _pictures(str(run.request["cohort"]), run.id, tuple(film.file for film in films))
    return [
        Tile(
            film.film,
            picture,
            film.film,
            caption(film),
            selected=film.film == laid.film,
        )
        for film, picture in zip(films, pictures, strict=True)
    ]


def caption(film: FilmResult) -> str:
    """What stands under a film: the probability of what the network says, or that it means nothing, and why."""
    if film.refused:
        return f"Cannot be read. {film.reason}"
    return f"P({film.predicted}) {text.probability(film.probability.get(film.predicted, 0.0))}"


@st.cache_data(max_entries=64, show_spinner="Reading the films")
def _pictures(cohort: str, _run: str, files: tuple[str, ...]) -> tuple[bytes, ...]:
    return pool.ask(cohorts.film_pictures, cohort, files)

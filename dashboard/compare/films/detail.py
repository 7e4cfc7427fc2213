"""One film of a cohort with the network's map of it and what that map is made of: the paper's figure 4."""

from collections.abc import Mapping

from core.reports.explanation import StoredExplanation
from core.runs import Run
from core.studies.anatomy.parts import map_request
from core.studies.anatomy.stored import AnatomyResult, FilmResult
from core.studies.record import Opening
from core.wording import percent
from dashboard.compare.desk import Cell, CompareDesk
from dashboard.look import text
from dashboard.results import landmarks, opened


def show(laid: CompareDesk, run: Run, study: AnatomyResult) -> None:
    """The film that is open; nothing when none is."""
    cell = laid.cell
    if cell is None or laid.film is None:
        return
    found = study.of_cell(cell.network, cell.truth, cell.predicted)
    film = next((film for film in found if film.film == laid.film), None)
    if film is None:
        laid.film = None
        return
    explainer, parameters = map_request(study.stored.record["parameters"])
    opening = Opening(
        scan=film.file,
        title=film.film,
        model=cell.network,
        explainer=explainer,
        target=film.predicted,
        parameters=parameters,
    )

    def words(explained: Run, explanation: StoredExplanation) -> str:
        path = str(explanation.arrays["map"].path)
        shares = landmarks.overlaps_with(str(explained.request["scan"]), path)
        return _sentence(cell, film, {each.name: each.share for each in shares})

    title = study.networks[cell.network].title
    shown = opened.Opened(opening, title, "compare film", lambda: laid.open_film(None), words)
    opened.show(shown, run, study.stored, laid.explained)


def _sentence(cell: Cell, film: FilmResult, held: Mapping[str, float]) -> str:
    says = text.probability(film.probability.get(cell.predicted, 0.0))
    truth = text.probability(film.probability.get(cell.truth, 0.0))
    if cell.truth == cell.predicted:
        first = f"Recognised as {cell.truth} (P {says})."
    else:
        first = f"The film shows {cell.truth} (P {truth}) and was taken for {cell.predicted} (P {says})."
    parts = [f"{percent(share)} in {name}" for name, share in held.items() if share == share]
    return f"{first} Of the map {', '.join(parts)}." if parts else first

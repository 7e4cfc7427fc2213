"""What the app needs to know of the Compare page."""

from collections.abc import Mapping, Sequence
from functools import partial

from core.runs import ExplanationSpec, Run, StudySpec
from dashboard.compare import link, page
from dashboard.compare.desk import CompareDesk, compare_desk
from dashboard.compare.films.intake import STUDY
from dashboard.compare.networks import PAPERS_THREE
from dashboard.compare.side_by_side import members
from dashboard.frame.pages import Page, Start
from dashboard.intake import catalogue, demo


class ComparePage(Page):
    """Several networks on one film or on all films of a cohort, or any results side by side."""

    name = "compare"
    title = "Compare"
    order = 30
    help = "how-to/compare-networks"
    link_names = link.NAMES

    def show(self) -> None:
        """Draw it."""
        page.show(self)

    def desk(self) -> CompareDesk:
        """What is laid out on it."""
        return compare_desk()

    def opens(self, run: Run) -> bool:
        """Studies of networks."""
        return run.kind == StudySpec.kind and run.request.get("study") == STUDY

    def open(self, run: Run, place: Mapping[str, str]) -> None:
        """The study, and the cell and the film of it that the address names."""
        link.open_study(compare_desk(), run, place)

    def opens_together(self, runs: Sequence[Run]) -> bool:
        """Explanations."""
        return all(run.kind == ExplanationSpec.kind for run in runs)

    def open_together(self, runs: Sequence[Run]) -> None:
        """Side by side."""
        members.check(runs)
        compare_desk().put_side_by_side([run.id for run in runs])

    def follow(self, place: Mapping[str, str]) -> None:
        """One half of the page, or a comparison of several runs."""
        link.follow(compare_desk(), place)

    def starts(self) -> Sequence[Start]:
        """A film in the networks of the paper, where both are there."""
        film = next((scan for scan in demo.scans() if scan.model in PAPERS_THREE), None)
        known = catalogue.cards()
        there = [name for name in PAPERS_THREE if name in known]
        if film is None or len(there) < 2:
            return ()
        label = f"Compare {'three' if len(there) == 3 else 'two'} networks"
        words = "One film, and beside it what each network uses of it."
        return (Start("compare demo", label, ":material/view_column:", partial(_begin, film), words),)


def _begin(scan: demo.DemoScan) -> None:
    """Lay out a film in the networks that are preferred for it."""
    laid = compare_desk()
    laid.demo, laid.scan, laid.view = scan.name, None, "film"
    laid.networks, laid.networks_for, laid.explainer = (), None, None
    laid.revision += 1

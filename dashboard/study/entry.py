"""What the app needs to know of the Study page."""

from collections.abc import Mapping

from core.runs import Run, StudySpec
from dashboard.frame.pages import Page
from dashboard.study import link, page
from dashboard.study.desk import StudyDesk, study_desk


class StudyPage(Page):
    """Any study. One with a page of its own is shown there first: what stands before this page is asked before it."""

    name = "study"
    title = "Study"
    order = 35
    help = "how-to/run-a-study"
    link_names = link.NAMES

    def show(self) -> None:
        """Draw it."""
        page.show(self)

    def desk(self) -> StudyDesk:
        """What is laid out on it."""
        return study_desk()

    def opens(self, run: Run) -> bool:
        """Every study."""
        return run.kind == StudySpec.kind

    def open(self, run: Run, place: Mapping[str, str]) -> None:
        """The study, and the cell of it that the address names."""
        link.open_run(study_desk(), run, place)

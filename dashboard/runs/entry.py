"""What the app needs to know of the Runs page."""

from dashboard.frame.pages import Page
from dashboard.runs import page


class RunsPage(Page):
    """Everything that ran."""

    name = "runs"
    title = "Runs"
    order = 80
    help = "how-to/find-a-run"

    def show(self) -> None:
        """Draw it."""
        page.show()

"""What the app needs to know of the Home page."""

from dashboard.frame.pages import Page
from dashboard.home import page


class HomePage(Page):
    """What this is, one click into each demo, a place to drop a scan, and what was done last."""

    name = "home"
    title = "Home"
    order = 0
    help = "tutorials/first-explanation"

    def show(self) -> None:
        """Draw it."""
        page.show()

"""What the app needs to know of the Models page."""

from dashboard.frame.pages import Page
from dashboard.models import page


class ModelsPage(Page):
    """The cards of the library."""

    name = "models"
    title = "Models"
    order = 90
    help = "how-to/bring-a-model"

    def show(self) -> None:
        """Draw it."""
        page.show()

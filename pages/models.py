"""Models: the cards of the library."""

from dashboard.models import page

page.show()

"""Home: what this is, and one click into the demo."""

from dashboard.home import page

page.show()

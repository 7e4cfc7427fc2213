"""Compare: several networks on one film, and on all films of a cohort."""

from dashboard.compare import page

page.show()

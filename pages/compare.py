"""Compare: several networks on one film, and on all films of a cohort."""

from dashboard.frame.opening import show_page

show_page("compare")

"""Study: one question asked of many scans."""

from dashboard.frame.opening import show_page

show_page("study")

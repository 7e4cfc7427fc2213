"""The Compare page: networks side by side on one film, and over all films of a cohort."""

from dashboard.frame.pages import Page, declare

PAGE = declare(Page("compare", "Compare", place=40, help="how-to/compare-networks"))

"""The Compare page: networks side by side on one film, and over all films of a cohort."""

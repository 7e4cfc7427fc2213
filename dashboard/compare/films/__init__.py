"""Several networks on all films of a cohort."""

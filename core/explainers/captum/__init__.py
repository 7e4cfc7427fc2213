"""Explainers whose algorithm is Captum's, one a file; every file of this folder is imported with it."""

from core.registry import import_files_of

import_files_of(__name__)

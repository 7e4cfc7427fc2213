"""Lists of runs are tested with real ones: the same small Lightbox as the pages'."""

from tests.pages.conftest import small_assets, workbench

__all__ = ["small_assets", "workbench"]

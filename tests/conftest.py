"""What every test leaves as it found it."""

import os
import sys

import pytest


@pytest.fixture(autouse=True, scope="session")
def store_of_the_session(tmp_path_factory):
    """Commands that compute leave a run: those of a test that says nothing else leave it in a folder of the session."""
    if "LIGHTBOX_STORE_PATH" in os.environ:
        yield
        return
    os.environ["LIGHTBOX_STORE_PATH"] = str(tmp_path_factory.mktemp("store"))
    yield
    del os.environ["LIGHTBOX_STORE_PATH"]


@pytest.fixture(autouse=True)
def main_module():
    """Put `__main__` back: a page's test replaces it by the page, and worker processes import it again."""
    found = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = found

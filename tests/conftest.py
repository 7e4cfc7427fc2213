"""What every test leaves as it found it."""

import sys

import pytest


@pytest.fixture(autouse=True)
def main_module():
    """Put `__main__` back: a page's test replaces it by the page, and worker processes import it again."""
    found = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = found

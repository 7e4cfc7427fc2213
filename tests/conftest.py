"""What every test leaves as it found it."""

import os
import sys

import pytest

# Tests run side by side, a process a core: more threads of torch than one each do nothing but wait for each other, and
# burn three times the processor time with it. Read when torch is imported, which is later; processes inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

#: Files that take longest, the longest first: what is begun last is short, and no core waits for another at the end.
LONGEST = (
    "tests/e2e/",
    "tests/dashboard/bench/",
    "tests/core/test_documentation_code.py",
    "tests/core/test_package.py",
)


def pytest_collection_modifyitems(items):
    """Begin with the longest files (`make test` tells xdist to keep this order)."""

    def rank(item):
        return next((n for n, start in enumerate(LONGEST) if item.nodeid.startswith(start)), len(LONGEST))

    items.sort(key=rank)


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

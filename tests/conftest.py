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
    """Begin with the longest files; keep tests together that share what is costly: a file's, and those in a browser.

    `make test` tells xdist to keep this order and these groups. Two servers with two browsers on two cores would wait
    for each other.
    """

    def rank(item):
        return next((n for n, start in enumerate(LONGEST) if item.nodeid.startswith(start)), len(LONGEST))

    items.sort(key=rank)
    files = {}
    for item in items:
        file = item.nodeid.partition("::")[0]
        group = "browser" if file.startswith(LONGEST[0]) else f"file-{files.setdefault(file, len(files))}"
        item.add_marker(pytest.mark.xdist_group(group))


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

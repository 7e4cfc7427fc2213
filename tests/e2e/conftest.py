import pytest

from core.errors import LightboxError
from dashboard.bench.browser import chromium

# WebGL may be missing where people work: every browser test runs without it
NO_WEBGL = """
const original = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return /webgl/i.test(kind) ? null : original.call(this, kind, ...rest);
};
"""


# not longer than a module: while Playwright lives in this process, nothing else can run an event loop
@pytest.fixture(scope="module")
def browser():
    """A headless Chromium; a missing one is a failure, never a skip."""
    try:
        with chromium() as started:
            yield started
    except LightboxError as problem:
        pytest.fail(str(problem))


@pytest.fixture
def page(browser):
    """A fresh page of 1280×860 without WebGL that fails the test on any script error."""
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    context.add_init_script(NO_WEBGL)
    opened = context.new_page()
    problems = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    yield opened
    context.close()
    assert not problems

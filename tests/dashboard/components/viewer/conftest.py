import mimetypes

import pytest

from core.errors import LightboxError
from core.settings import ROOT
from dashboard.bench.browser import chromium

STATIC = ROOT / "dashboard" / "components" / "viewer" / "static"
#: Where the scripts lie for a page that imports them; nobody answers there but this file.
HOST = "http://viewer.invalid/"


@pytest.fixture(scope="module")
def script():
    """Runs code of a test beside the viewer's scripts: `script("return …", given)`; it may `await load("a/b.js")`."""

    def answer(route):
        path = STATIC / route.request.url.removeprefix(HOST)
        if path.suffix == ".js":
            route.fulfill(path=path, content_type=mimetypes.types_map[".js"])
        else:
            route.fulfill(body="<!doctype html>", content_type="text/html")

    try:
        with chromium() as browser:
            page = browser.new_page()
            page.route(f"{HOST}**", answer)
            page.goto(HOST)
            yield lambda body, given=None: page.evaluate(
                f"async (given) => {{ const load = (name) => import('{HOST}' + name); {body} }}", given
            )
    except LightboxError as problem:
        pytest.fail(str(problem))

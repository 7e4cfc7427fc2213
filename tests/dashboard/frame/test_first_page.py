import pytest
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Mount, Route

from core.settings import ROOT
from dashboard.frame.first_page import LEFT_SIDE, FirstPage
from dashboard.frame.pages import pages
from tests.dashboard.frame.asking import get

STREAMLITS = "<html><head><script>window.prerenderReady = false</script></head></html>"
HELP = "<html><head></head>help</html>"
BROWSER = {"accept": "text/html,*/*;q=0.8", "accept-encoding": "gzip"}


def asked(path, **headers):
    inside = [
        Route("/explain", lambda request: HTMLResponse(STREAMLITS)),
        Route("/help", lambda request: HTMLResponse(HELP)),
        Route("/data", lambda request: JSONResponse({"a": 1})),
    ]
    app = FirstPage(GZipMiddleware(Mount("", routes=inside), minimum_size=1))
    return get(path, [Mount("", app=app)], headers)


@pytest.mark.parametrize(("base", "address"), [("", "/"), ("/like/this", "/like/this/")])
def test_streamlits_page_knows_where_the_server_is_before_its_script_runs(monkeypatch, base, address):
    monkeypatch.setattr("dashboard.frame.first_page.base_path", lambda: base)
    status, headers, page = asked("/explain", **BROWSER)
    assert status == 200
    assert int(headers["content-length"]) == len(page)
    assert page.index(f'location.origin + "{address}"'.encode()) < page.index(b"prerenderReady")
    assert b"background: #0b0f12" in page


def test_every_other_answer_is_passed_on_as_it_is():
    assert asked("/help", **BROWSER)[2] == HELP.encode()
    assert asked("/data", **BROWSER)[2] == b'{"a":1}'
    assert asked("/explain", accept="*/*")[2] == STREAMLITS.encode()


def test_room_is_kept_for_the_left_side_of_pages_that_have_one():
    page = asked("/explain", **BROWSER)[2].decode()
    for name in LEFT_SIDE:
        assert f'[data-beside="{name}"]' in page
    shown = {name for name in pages() if "st.sidebar" in (ROOT / "dashboard" / name / "page.py").read_text()}
    assert shown == set(LEFT_SIDE)

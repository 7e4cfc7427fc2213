import asyncio

import numpy as np
import pytest
from starlette.applications import Starlette

from dashboard.components.registering import COMPONENTS, scripts, scripts_version
from dashboard.components.viewer import publish, volumes
from dashboard.frame.server import volume_routes


def get(path, owner="local"):
    """Status, headers and body of a GET, straight through ASGI."""
    app = Starlette(routes=volume_routes(lambda request: owner))
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
    }
    scope |= {
        "asgi": {"spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "http",
        "server": ("127.0.0.1", 1),
        "client": ("127.0.0.1", 2),
    }
    asyncio.run(app(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:])


def test_the_owner_gets_the_packed_bytes_and_may_keep_them_for_ever(store):
    reference = publish(np.arange(24, dtype=np.uint8).reshape(2, 3, 4), np.eye(4))
    status, headers, body = get(f"/lightbox/volume/{reference.token}")
    assert status == 200
    assert body == np.arange(24, dtype=np.uint8).reshape(2, 3, 4).tobytes(order="F")
    assert "immutable" in headers["cache-control"]
    assert "private" in headers["cache-control"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-encoding"] == "identity"


@pytest.mark.parametrize("owner", ["somebody else", None, ""])
def test_anybody_else_gets_the_same_answer_as_for_a_volume_that_does_not_exist(store, owner):
    reference = publish(np.eye(3), np.eye(4))
    missing = get(f"/lightbox/volume/{volumes.sign('0' * 64, 'local')}")
    foreign = get(f"/lightbox/volume/{reference.token}", owner)
    assert foreign == missing
    assert foreign[0] == 404
    assert foreign[1]["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "name", ["key", "../key", "..%2fkey", "%2e%2e/key", "/etc/passwd", "viewer.css", "../viewer.py"]
)
def test_no_path_leads_out_of_the_two_folders(store, name):
    publish(np.eye(3), np.eye(4))
    assert get(f"/lightbox/volume/{name}")[0] == 404
    assert get(f"/lightbox/viewer/{scripts_version('viewer')}/{name}")[0] == 404


@pytest.mark.parametrize("component", ["trace", "static", "..", "..%2fviewer", "volume"])
def test_only_components_have_scripts(store, component):
    assert get(f"/lightbox/{component}/0123456789abcdef/main.js")[0] == 404


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_script_is_served_as_javascript(store, component):
    assert "main.js" in scripts(component)
    for name, path in scripts(component).items():
        status, headers, body = get(f"/lightbox/{component}/{scripts_version(component)}/{name}")
        assert status == 200
        assert headers["content-type"].startswith("text/javascript")
        assert body == path.read_bytes()

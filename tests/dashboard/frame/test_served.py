"""The app as it is started: what it answers to whom, and what it leaves behind when it is told to end."""

import http.client
import os
import signal
import socket
import time
from urllib.parse import urlsplit

import pytest

from core.settings import ROOT
from dashboard.bench.browser import serve
from dashboard.frame.guarding import HEADERS

APP = ROOT / "dashboard" / "app.py"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    temporary = tmp_path_factory.mktemp("temporary")
    with serve(APP, {"TMPDIR": str(temporary)}) as running:
        yield running


def get(server, path="/", method="GET", **headers):
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def handshake(server, host, origin):
    """First line of the answer to somebody who asks for a websocket."""
    place = urlsplit(server.url)
    lines = [
        "GET /_stcore/stream HTTP/1.1",
        f"Host: {host.format(port=place.port)}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        *([f"Origin: {origin.format(port=place.port)}"] if origin else []),
        "\r\n",
    ]
    with socket.create_connection((place.hostname, place.port), timeout=30) as line:
        line.sendall("\r\n".join(lines).encode())
        return line.recv(1000).split(b"\r\n")[0].decode()


@pytest.mark.parametrize(
    "path", ["/", "/explain", "/_stcore/health", "/lightbox/volume/forged", "/lightbox/docs/", "/no"]
)
def test_every_answer_has_the_headers(server, path):
    answer, _ = get(server, path)
    assert answer.status < 500
    for name, value in HEADERS.items():
        assert answer.headers.get_all(name) == [value]


@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/_stcore/upload_file/a/b", "/lightbox/volume/x"])
def test_nothing_is_answered_under_a_name_that_is_not_ours(server, path):
    answer, content = get(server, path, Host="rebound.example")
    assert answer.status == 421
    assert b"LIGHTBOX_ALLOWED_HOSTS" in content
    assert b"streamlit" not in content.lower()


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("127.0.0.1:{port}", "http://127.0.0.1:{port}", 101),
        ("localhost:{port}", "http://localhost:{port}", 101),
        ("localhost:{port}", None, 101),
        ("rebound.example", "http://rebound.example", 403),
        ("localhost:{port}", "http://elsewhere.example", 403),
        ("localhost:{port}", "http://localhost:1", 403),
        ("localhost:{port}", "null", 403),
    ],
)
def test_a_websocket_is_opened_for_our_own_pages(server, host, origin, status):
    assert handshake(server, host, origin).split()[1] == str(status)


def test_an_upload_that_says_no_length_is_refused(server):
    answer, _ = get(server, "/_stcore/upload_file/a/b", "PUT", **{"Transfer-Encoding": "chunked"})
    assert answer.status in (400, 411)


def test_a_server_that_is_told_to_end_leaves_no_upload_behind(tmp_path):
    with serve(APP, {"TMPDIR": str(tmp_path)}) as running:
        deadline = time.monotonic() + 60
        while not (roots := list(tmp_path.glob("lightbox-uploads-*"))):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        (roots[0] / "1-somebody-abc").mkdir()
        (roots[0] / "1-somebody-abc" / "00000").write_bytes(b"Doe^John")
        os.kill(running.pid, signal.SIGTERM)
        while roots[0].exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert not roots[0].exists()

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from dashboard.frame.guarding import HEADERS, Guard


def ask(kind="http", **headers):
    """What is sent back for a request with these headers; the application behind the guard greets."""
    greeting = Starlette(routes=[Route("/", lambda request: PlainTextResponse("hello"))])
    sent = []

    async def receive():
        return {"type": "websocket.connect" if kind == "websocket" else "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": kind,
        "method": "GET",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "scheme": "http" if kind == "http" else "ws",
        "subprotocols": [],
    }

    async def greet(scope, receive, send):
        if scope["type"] == "http":
            await greeting(scope, receive, send)
        else:
            await send({"type": "websocket.accept"})

    asyncio.run(Guard(greet)(scope, receive, send))
    return sent


def headers_of(sent):
    return {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}


def test_every_answer_says_that_nobody_may_frame_guess_or_tell():
    sent = ask(host="localhost:8501")
    assert sent[0]["status"] == 200
    answered = headers_of(sent)
    assert {name.lower(): value for name, value in HEADERS.items()}.items() <= answered.items()
    assert "frame-ancestors 'self'" in answered["content-security-policy"]
    assert answered["x-frame-options"] == "SAMEORIGIN"
    assert answered["x-content-type-options"] == "nosniff"
    sources = answered["content-security-policy"].split("img-src")[1].split(";")[0]
    assert sources.split() == ["'self'", "data:", "blob:"], "no picture is fetched from elsewhere"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8501", "localhost.evil.example"])
def test_a_page_of_another_name_gets_a_sentence_and_nothing_else(host):
    sent = ask(host=host)
    assert sent[0]["status"] == 421
    assert b"LIGHTBOX_ALLOWED_HOSTS" in sent[1]["body"]
    assert b"hello" not in sent[1]["body"]
    assert headers_of(sent)["x-frame-options"] == "SAMEORIGIN"


def test_a_request_without_a_host_is_refused():
    assert ask()[0]["status"] == 421


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ({"host": "localhost:8501", "origin": "http://localhost:8501"}, "websocket.accept"),
        ({"host": "localhost:8501"}, "websocket.accept"),
        ({"host": "evil.example", "origin": "http://evil.example"}, "websocket.close"),
        ({"host": "localhost:8501", "origin": "http://evil.example"}, "websocket.close"),
        ({"host": "localhost:8501", "origin": "http://localhost:3000"}, "websocket.close"),
        ({"origin": "http://localhost:8501"}, "websocket.close"),
    ],
)
def test_a_websocket_is_for_our_own_pages(headers, answer):
    assert [message["type"] for message in ask("websocket", **headers)] == [answer]

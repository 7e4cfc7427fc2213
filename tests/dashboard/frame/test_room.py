import asyncio
from collections import Counter

import pytest

from core.settings import settings
from dashboard.frame import room
from dashboard.frame.room import UploadRoom

MEGABYTE = 2**20


@pytest.fixture
def limits(monkeypatch):
    monkeypatch.setattr(settings(), "upload_limit_mb", 100)
    monkeypatch.setattr(room, "machine_memory", lambda: 1000 * MEGABYTE)
    held = Counter()
    monkeypatch.setattr(room, "kept_bytes", lambda: held)
    return held


def put(app, session, megabytes, length=None, method="PUT"):
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    size = str(megabytes * MEGABYTE) if length is None else length
    scope = {
        "type": "http",
        "method": method,
        "path": f"/base/_stcore/upload_file/{session}/some-file",
        "headers": [(b"content-length", size.encode())] if size else [],
    }
    return app(scope, receive, send), sent


def answered(app, *arguments, **named):
    asked, sent = put(app, *arguments, **named)
    asyncio.run(asked)
    return sent[0]["status"]


async def accepts(scope, receive, send):
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def test_the_files_of_a_session_together_have_a_limit(limits):
    app = UploadRoom(accepts)
    assert answered(app, "a", 100) == 204
    limits["a"] = 150 * MEGABYTE
    assert answered(app, "a", 50) == 204
    assert answered(app, "a", 51) == 413
    assert answered(app, "b", 100) == 204


def test_the_files_of_all_sessions_have_one(limits):
    app = UploadRoom(accepts)
    for number in range(4):
        limits[str(number)] = 100 * MEGABYTE
    assert answered(app, "new", 100) == 204
    limits["4"] = 1 * MEGABYTE
    assert answered(app, "new", 100) == 413


def test_files_that_are_on_their_way_count_and_are_forgotten_once_they_came(limits):
    arrived = asyncio.Event()

    async def slow(scope, receive, send):
        await arrived.wait()
        await accepts(scope, receive, send)

    async def both():
        app = UploadRoom(slow)
        (first, sent_first), (second, sent_second) = put(app, "a", 120), put(app, "a", 120)
        going = asyncio.create_task(first)
        await asyncio.sleep(0)
        await second
        arrived.set()
        await going
        third, sent_third = put(app, "a", 120)
        await third
        return [sent[0]["status"] for sent in (sent_first, sent_second, sent_third)]

    assert asyncio.run(both()) == [204, 413, 204]


@pytest.mark.parametrize("length", ["", "many", "-5"])
def test_an_upload_of_unknown_length_is_refused(limits, length):
    assert answered(UploadRoom(accepts), "a", 1, length=length or None if length else "") == 411


def test_removing_a_file_needs_no_room(limits):
    limits["a"] = 1000 * MEGABYTE
    assert answered(UploadRoom(accepts), "a", 1, method="DELETE") == 204

"""The first thing that the browser gets: Streamlit's own page, told where the server is.

Streamlit's script does not know under which path it was started, and tries the address it is on: under ``/explain/…``
the server has nothing, and every link into a page begins with two errors in the browser's console. And it draws its
first frame in white.
"""

import json

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.components.registering import base_path
from dashboard.look import theme

#: Pages whose left side is there from the first frame on; what stands beside it would move otherwise.
LEFT_SIDE = ("explain", "trace", "compare", "study")
#: Which page it is, until its left side is there: the room that is kept for it goes in the same frame.
_UNTIL_THE_LEFT_SIDE = """
  document.documentElement.dataset.beside = location.pathname.split("/").pop();
  new MutationObserver((_, seen) => {
    if (!document.querySelector('[data-testid="stSidebar"]')) return;
    delete document.documentElement.dataset.beside;
    seen.disconnect();
  }).observe(document, { childList: true, subtree: true });
"""
_HEAD = b"<head>"
#: Tells Streamlit's page from any other.
_MARK = b"prerenderReady"


class FirstPage:
    """ASGI middleware that adds the server's address and the colour of the ground to Streamlit's page.

    Parameters
    ----------
    app : ASGIApp
        What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; every answer but that page is passed on as it comes."""
        accepted = Headers(scope=scope).get("accept", "") if scope["type"] == "http" else ""
        if not accepted.startswith("text/html"):
            await self._app(scope, receive, send)
            return
        # a compressed page could not be added to
        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        started: Message | None = None
        body = bytearray()

        async def send_added(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                if Headers(raw=message["headers"]).get("content-type", "").startswith("text/html"):
                    started = message
                    return
            elif started is not None and message["type"] == "http.response.body":
                body.extend(message.get("body", b""))
                if message.get("more_body", False):
                    return
                whole = _added(bytes(body))
                if scope["method"] != "HEAD":
                    MutableHeaders(scope=started)["Content-Length"] = str(len(whole))
                await send(started)
                message = {"type": "http.response.body", "body": whole}
            await send(message)

        await self._app({**scope, "headers": plain}, receive, send_added)


def _added(page: bytes) -> bytes:
    """The page with what belongs to it; another one as it is."""
    if _MARK not in page:
        return page
    here = f"location.origin + {json.dumps(base_path() + '/')}"
    beside = ", ".join(f'html[data-beside="{name}"] div:has(> [data-testid="stMain"])' for name in LEFT_SIDE)
    head = (
        f"<script>window.__streamlit = {{ BACKEND_BASE_URL: {here} }};{_UNTIL_THE_LEFT_SIDE}</script>"
        f"<style>html {{ background: {theme.BACKGROUND}; color-scheme: dark; }}"
        # our style sheet shows it: nothing is drawn before it is where it belongs
        ":is([data-testid='stMainBlockContainer'], [data-testid='stHeader'], [data-testid='stSidebar'])"
        " { visibility: hidden; }"
        f"@media (min-width: 768px) {{ {beside} {{ margin-left: 250px; }} }}"
        f"@media (min-width: 1600px) {{ {beside} {{ margin-left: 285px; }} }}</style>"
    )
    return page.replace(_HEAD, _HEAD + head.encode(), 1)

"""What stands before every request: whose it is, and what the browser may do with the answer."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.frame.hosts import is_our_host, is_our_origin

#: Streamlit's own page needs inline scripts and styles, code from strings (charts) and from memory (components).
#: Nothing is ever fetched from elsewhere: a picture in somebody's model card would tell its owner who looks at it.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob: data:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "media-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "connect-src 'self' data: blob:",
        "frame-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "SAMEORIGIN",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_NOT_OURS = (
    "Lightbox does not answer under this name: open it under localhost or the machine's address, "
    "or add the name to LIGHTBOX_ALLOWED_HOSTS.\n"
)


class Guard:
    """ASGI middleware that refuses what is not meant for us and gives every answer its headers.

    Parameters
    ----------
    app : ASGIApp
        What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        ours = is_our_host(asked.get("host"))
        if scope["type"] == "websocket":
            if not ours or not is_our_origin(asked.get("origin"), asked.get("host")):
                # closed before it was accepted: the server answers 403
                await send({"type": "websocket.close", "code": 1008})
                return
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._app if ours else PlainTextResponse(_NOT_OURS, status_code=421)
        await answer(scope, receive, send_guarded)

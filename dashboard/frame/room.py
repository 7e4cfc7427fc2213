"""How much uploads may take of the server's memory before they are read.

Streamlit keeps what is uploaded in memory until a page takes it, whoever sends it and under whatever name: each file
has a limit, and their sum has none.
"""

import re
from collections import Counter

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import runtime

from core.scans.budget import machine_memory
from core.scans.limits import MEGABYTE
from core.settings import settings

#: Uploads of one session together, as a multiple of the largest file.
OF_A_SESSION = 2
#: Share of the machine's memory for the uploads of all sessions.
OF_ALL = 0.5

_UPLOAD = re.compile(r"/_stcore/upload_file/([^/]+)/[^/]+$")


class UploadRoom:
    """ASGI middleware that refuses an upload for which there is no room beside those that wait to be read.

    Parameters
    ----------
    app : ASGIApp
        What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        #: bytes that are on their way, by session
        self._coming: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        upload = _UPLOAD.search(scope["path"]) if scope["type"] == "http" and scope["method"] == "PUT" else None
        if upload is None:
            await self._app(scope, receive, send)
            return
        session, length = upload[1], Headers(scope=scope).get("content-length", "")
        if not length.isdecimal():
            await PlainTextResponse("An upload says how long it is.", status_code=411)(scope, receive, send)
            return
        size = int(length)
        if not self._has_room(session, size):
            sentence = "Too much is being uploaded at once: wait until it is read, or give fewer files at once."
            await PlainTextResponse(sentence, status_code=413)(scope, receive, send)
            return
        self._coming[session] += size
        try:
            await self._app(scope, receive, send)
        finally:
            self._coming[session] -= size
            self._coming += Counter()  # forgets those at zero

    def _has_room(self, session: str, size: int) -> bool:
        kept = kept_bytes()
        of_session = kept[session] + self._coming[session] + size
        of_all = kept.total() + self._coming.total() + size
        most = OF_A_SESSION * settings().upload_limit_mb * MEGABYTE
        return of_session <= most and of_all <= OF_ALL * machine_memory()


def kept_bytes() -> Counter[str]:
    """Bytes of uploads that Streamlit holds now, by session."""
    if not runtime.exists():
        return Counter()
    storage = getattr(runtime.get_instance().uploaded_file_mgr, "file_storage", {})
    return Counter(
        {session: sum(len(file.data) for file in [*files.values()]) for session, files in [*storage.items()]}
    )

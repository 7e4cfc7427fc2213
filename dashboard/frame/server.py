"""HTTP routes that our components need beside Streamlit's own: packed volumes and the components' scripts.

Pass them to ``st.App(script, routes=volume_routes())``.
"""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from core.runs.spec import LOCAL_OWNER
from dashboard.components.registering import PREFIX, base_path, scripts, scripts_version
from dashboard.components.viewer.volumes import open_token

#: A script's address names its content, so that a browser never has to ask again.
FOREVER = "public, max-age=31536000, immutable"
#: Images of patients are not left behind on the disk of a workstation that others use, too; a page that shows one
#: keeps it in memory.
NEVER = "private, no-store"


#: Says who asks; None is nobody.
OwnerOf = Callable[[Request], str | None]


def local_owner(request: Request) -> str | None:
    """Everybody is the one local owner: right as long as the app has no login."""
    return LOCAL_OWNER


def volume_routes(owner_of: OwnerOf = local_owner) -> list[Route]:
    """Routes for packed volumes (to their owner only) and for the components' scripts (to everybody).

    Parameters
    ----------
    owner_of : callable
        Takes the request, returns the owner it comes from. The answer is compared with the owner in the signed token.

    Returns
    -------
    list of starlette.routing.Route
        For ``st.App(..., routes=...)``.
    """

    def volume(request: Request) -> Response:
        path = open_token(request.path_params["token"], owner_of(request))
        if path is None:
            # one answer for forged, foreign and gone: nobody learns which volumes exist
            return PlainTextResponse("No such volume.", status_code=404, headers={"Cache-Control": NEVER})
        # identity: without it the server would compress megabytes on every request, slower than sending them
        headers = {"Cache-Control": NEVER, "Vary": "Cookie", "Content-Encoding": "identity"}
        headers["X-Content-Type-Options"] = "nosniff"
        return FileResponse(path, media_type="application/octet-stream", headers=headers)

    def script(request: Request) -> Response:
        component, name = request.path_params["component"], request.path_params["name"]
        path = scripts(component).get(name)
        if path is None:
            return PlainTextResponse("No such file.", status_code=404)
        current = request.path_params["version"] == scripts_version(component)
        headers = {"Cache-Control": FOREVER if current else "no-store", "X-Content-Type-Options": "nosniff"}
        return FileResponse(path, media_type="text/javascript", headers=headers)

    base = base_path()
    return [
        Route(f"{base}{PREFIX}/volume/{{token}}", volume, methods=["GET"]),
        Route(f"{base}{PREFIX}/{{component}}/{{version}}/{{name:path}}", script, methods=["GET"]),
    ]

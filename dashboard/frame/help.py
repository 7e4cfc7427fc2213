"""Help: the page of documentation that belongs to a page of the app, served by the app itself.

The site is built beforehand (``make docs``, ``make run``, or with the package). Where it was not, the pages are there
as they were written, which a browser shows as text: a link leads somewhere in any case, and nothing comes from outside.
"""

from pathlib import Path

from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from core.settings import ROOT
from dashboard.components.registering import PREFIX, base_path

SITE = Path(__file__).resolve().parent.parent / "site"
SOURCES = ROOT / "docs"
_FOLDER = f"{PREFIX}/docs"


def address_of(page: str) -> str:
    """Where a page of the documentation is, by its path below ``docs``; without one, the first page of all."""
    return f"{base_path()}{_FOLDER}/{page}{'/' if page else ''}"


def page_of_explainer(name: str) -> str:
    """The page of documentation of an explainer; empty for one of a plug-in, which has none here."""
    page = f"explainers/{name}"
    there = (SOURCES / f"{page}.md").is_file() or (SITE / page / "index.html").is_file()
    return page if there and name.isidentifier() else ""


def help_route() -> Mount:
    """Route of the documentation, for ``st.App(..., routes=...)``, before those with names of any kind in them."""
    return Mount(f"{base_path()}{_FOLDER}", _Documentation(directory=SITE, html=True, check_dir=False))


class _Documentation(StaticFiles):
    """The site; no folder is listed, and nothing outside of it is served."""

    async def check_config(self) -> None:
        """Nothing to check: a site that was not built is a case that is answered."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if (SITE / "index.html").is_file():
            response = await super().get_response(path, scope)
        else:
            written = StaticFiles(directory=SOURCES, check_dir=False)
            response = await written.get_response("index.md" if path == "." else f"{path}.md", scope)
            response.headers["Content-Type"] = "text/plain; charset=utf-8"
        # asked again each time, as the addresses stay when the pages change
        response.headers["Cache-Control"] = "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

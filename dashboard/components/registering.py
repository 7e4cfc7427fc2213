"""Our own components in the browser: where their scripts are found, and how they are registered with Streamlit.

A component is a folder beside this file with scripts (``main.js`` exports ``mount``) and one ``NAME.css`` in
``static``. Streamlit takes scripts from folders only of installed packages, so it gets a loader of a few lines that
fetches the real ones from a route of ours (`dashboard.frame.server`). Every script is told ``base`` and ``version``
in its data: `address`.
"""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.look import theme

#: Everything is served under this prefix (behind the server's base path).
PREFIX = "/lightbox"
#: The components there are.
COMPONENTS = ("viewer", "gallery", "matrix", "display", "assist")
_HERE = Path(__file__).resolve().parent


def base_path() -> str:
    """The server's own base path, ``""`` or ``"/like/this"``."""
    from streamlit import config  # here, because the app may still set it after this module is imported

    base = (config.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}" if base else ""


@lru_cache(maxsize=len(COMPONENTS))
def scripts(component: str) -> dict[str, Path]:
    """Scripts of a component, place in its folder → file; nothing else is ever served, nor of an unknown component."""
    if component not in COMPONENTS:
        return {}
    folder = _HERE / component / "static"
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*.js"))}


@lru_cache(maxsize=len(COMPONENTS))
def scripts_version(component: str) -> str:
    """Hash over a component's scripts: part of their address, so that a new version never meets a cached old one."""
    digest = hashlib.sha256()
    for path in scripts(component).values():
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def address(component: str) -> dict[str, str]:
    """``base`` and ``version``, which the data of every component begins with."""
    return {"base": f"{base_path()}{PREFIX}", "version": scripts_version(component)}


@lru_cache(maxsize=len(COMPONENTS))
def register(component: str, root: str) -> Callable[..., Any]:
    """Register a component with Streamlit; returns what mounts it.

    Parameters
    ----------
    component : str
        One of `COMPONENTS`.
    root : str
        Class of the element that its scripts fill. Colours of the theme are there as ``--accent``, ``--ground`` ….
    """
    loader = (
        "export default async function (component) {\n"
        "  const { base, version } = component.data;\n"
        f"  const {{ mount }} = await import(`${{location.origin}}${{base}}/{component}/${{version}}/main.js`);\n"
        "  return mount(component);\n"
        "}\n"
    )
    colors = {
        "accent": theme.ACCENT,
        "ground": theme.BACKGROUND,
        "surface": theme.SURFACE,
        "raised": theme.SURFACE_RAISED,
        "border": theme.BORDER,
        "text": theme.TEXT,
        "muted": theme.TEXT_MUTED,
        "warning": theme.WARNING,
    }
    variables = "".join(f"--{name}: {value};" for name, value in colors.items())
    rules = (_HERE / component / "static" / f"{component}.css").read_text(encoding="utf-8")
    style = f".{root} {{ {variables} }}\n{rules}"
    return st.components.v2.component(f"lightbox_{component}", html=f"<div class='{root}'></div>", css=style, js=loader)

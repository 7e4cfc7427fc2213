"""Where the viewer's scripts and volumes are found: the addresses that routes and component agree on."""

import hashlib
from functools import lru_cache
from pathlib import Path

#: Everything is served under this prefix (behind the server's base path).
PREFIX = "/lightbox"
STATIC = Path(__file__).resolve().parent / "static"


def base_path() -> str:
    """The server's own base path, ``""`` or ``"/like/this"``."""
    from streamlit import config  # here, because the app may still set it after this module is imported

    base = (config.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}" if base else ""


@lru_cache(maxsize=1)
def scripts() -> dict[str, Path]:
    """The viewer's scripts, name → file: nothing else is ever served."""
    return {path.name: path for path in sorted(STATIC.glob("*.js"))}


@lru_cache(maxsize=1)
def scripts_version() -> str:
    """Hash over all scripts: part of their address, so that a new version never meets a cached old one."""
    digest = hashlib.sha256()
    for path in scripts().values():
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]

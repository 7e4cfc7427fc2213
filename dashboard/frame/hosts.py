"""Under which names the app answers: a page of somebody else's must not become one of ours.

A web page whose name its owner lets point to this machine (DNS rebinding) counts as one of ours for the browser; the
name that it asked for, in the header ``Host``, is what tells them apart. Addresses in numbers cannot be borrowed so.
"""

import ipaddress
import socket
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from core.settings import settings

#: Names that are this machine wherever it is.
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def named_hosts(address: str) -> tuple[str, ...]:
    """Names for Streamlit's own ``server.allowedHosts``; none where addresses in numbers have to pass as well.

    Parameters
    ----------
    address : str
        What the server listens on.
    """
    configured = _configured()
    return (*dict.fromkeys((*LOOPBACK, address, *configured)),) if _is_loopback(address) or "*" in configured else ()


def is_our_host(host: str | None) -> bool:
    """Whether a request whose header ``Host`` is this one is meant for us.

    It is for any address in numbers, the machine's own names, and those of ``LIGHTBOX_ALLOWED_HOSTS``.
    """
    name = host_name(f"//{host}") if host else None
    return name is not None and (_is_address(name) or _matches(name, (*_own_names(), *_configured())))


def is_our_origin(origin: str | None, host: str | None) -> bool:
    """Whether a websocket may be opened from a page of this origin: its own, or one of a name that was configured.

    A program that is no browser sends no origin.
    """
    if origin is None:
        return True
    try:
        own = urlsplit(origin).netloc.lower() == (host or "").lower()
    except ValueError:
        return False
    # behind a proxy the header Host may name the proxy's inside and the origin its outside
    name = host_name(origin)
    return own or (name is not None and _matches(name, _configured()))


def host_name(address: str) -> str | None:
    """Name in an origin, or in a header ``Host`` after ``//``, in lower case; None where there is none."""
    try:
        parts = urlsplit(address)
        # reading the port checks it
        odd = parts.username is not None or parts.path or parts.query or parts.fragment or parts.port == 0
    except ValueError:
        return None
    return None if odd or not parts.hostname else parts.hostname.lower().rstrip(".")


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(
        pattern in ("*", name) or (pattern.startswith("*.") and name.endswith(pattern[1:])) for pattern in patterns
    )


def _configured() -> tuple[str, ...]:
    names = (name.strip().lower().rstrip(".") for name in settings().allowed_hosts.split(","))
    return tuple(name for name in names if name)


@lru_cache(maxsize=1)
def _own_names() -> tuple[str, ...]:
    name = socket.gethostname().lower().rstrip(".")
    short = name.split(".")[0]
    return (*LOOPBACK, "*.localhost", name, short, f"{short}.local")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(address: str) -> bool:
    return address in LOOPBACK or (_is_address(address) and ipaddress.ip_address(address).is_loopback)

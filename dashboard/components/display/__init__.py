"""Lets the browser remember how its screen is to look: a component without a picture."""

import re

from dashboard.components import registering

_WORDS = re.compile(r"[a-z_]+=[a-z_+]*")


def remember(name: str, value: str) -> None:
    """Set a cookie of this app for a year; the browser sends it along when the page is loaded again.

    Parameters
    ----------
    name, value : str
        Small letters and ``_``; in the value also ``+``.

    Raises
    ------
    ValueError
        When they are anything else.
    """
    if not _WORDS.fullmatch(f"{name}={value}"):
        raise ValueError(f"{name}={value} is no cookie of ours")
    data = {**registering.address("display"), "cookie": f"{name}={value}", "path": f"{registering.base_path()}/"}
    registering.register("display", "display")(key=f"remember {name}", data=data, height=1)

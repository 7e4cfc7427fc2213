"""Finding what a folder offers: each of its files is imported, and the classes in them make themselves known."""

import importlib
import inspect
import pkgutil
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from core.errors import BadInput

_Item = TypeVar("_Item")


def import_files_of(package: str, without: Collection[str] = ()) -> None:
    """Import every public file of a package, so that the classes in them are known.

    Parameters
    ----------
    package : str
        Dotted name. Files that begin with an underscore are parts of others and left alone.
    without : collection of str
        Files to leave alone, without their ending.
    """
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if module.name not in without and not module.name.startswith("_"):
            importlib.import_module(f"{package}.{module.name}")


def look_up(name: str, known: Mapping[str, _Item], what: str) -> _Item:
    """What is known by `name`; `what` says in words what kind of thing it is.

    Raises
    ------
    BadInput
        When there is none; lists the ones there are.
    """
    if name not in known:
        raise BadInput(f"There is no {what} {name!r}; there is {', '.join(known)}.")
    return known[name]


def concrete_subclasses(of: type[Any]) -> list[Any]:
    """Every subclass of `of`, at any depth, that is not abstract."""
    found: list[Any] = []
    for cls in of.__subclasses__():
        found += [*concrete_subclasses(cls), *([] if inspect.isabstract(cls) else [cls])]
    return found

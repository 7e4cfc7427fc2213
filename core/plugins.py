"""Finding what a folder offers: each of its files is imported, and the classes in them make themselves known."""

import importlib
import inspect
import pkgutil
from collections.abc import Collection
from typing import Any


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


def concrete_subclasses(of: type[Any]) -> list[Any]:
    """Every subclass of `of`, at any depth, that is not abstract."""
    found: list[Any] = []
    for cls in of.__subclasses__():
        found += [*concrete_subclasses(cls), *([] if inspect.isabstract(cls) else [cls])]
    return found

"""Starting one of our own modules in a process of its own: the same interpreter, and our sources before any others."""

import os
import sys

from core.settings import ROOT


def command_of(module: str, *arguments: str) -> list[str]:
    """Command that runs `module`; with -P the working directory's own modules are left out."""
    return [sys.executable, "-P", "-m", module, *arguments]


def environment_with_our_sources() -> dict[str, str]:
    """The environment of this process, in which ``core`` and ``dashboard`` are the ones that run now."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}

"""The commands, one a file.

A command is a module: its docstring is what ``--help`` says, ``run(chosen) -> int`` carries it out and returns the exit
code, and ``add_options(parser)`` declares what it takes. It is called as its file is. Whatever is slow to import is
imported inside ``run``.
"""

import argparse
from typing import Any

from core.registry import NamedModules, first_line
from core.wording import sentence_case


def prepare(parser: argparse.ArgumentParser, command: Any) -> None:
    """Give a parser the options of a command, and those that every command takes."""
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--debug", action="store_true", help="show the traceback of a failure")
    if hasattr(command, "add_options"):
        command.add_options(parser)
    parser.set_defaults(run=command.run)


def summary_of(command: Any) -> str:
    """What a command does, in a few words."""
    return sentence_case(first_line(command.__doc__), start=False)


def _complaint(target: Any) -> str | None:
    """Why something cannot be a command, as the end of a sentence."""
    if not callable(getattr(target, "run", None)):
        return "it has no function run()"
    prepare(argparse.ArgumentParser(), target)
    return None if summary_of(target) else "its docstring does not say what it does"


COMMANDS = NamedModules("commands", "command", __name__, judge=_complaint)

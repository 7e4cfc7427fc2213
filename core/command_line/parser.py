"""The parser of the command line: one sub-parser a command, and one sentence for what is not understood."""

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from core.command_line.commands import COMMANDS, prepare, summary_of
from core.command_line.exit_codes import BAD_INPUT


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence instead of printing the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {message} (--help tells what there is)\n")


def make_parser() -> argparse.ArgumentParser:
    """The parser; what it reads has ``command``, ``run`` (its function), ``json``, ``debug`` and the command's own."""
    parser = _Parser(prog=_called_as(), description="Lightbox: explain medical-image models.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", dest="command")
    for name, command in COMMANDS.usable().items():
        summary = summary_of(command).replace("%", "%%")  # argparse takes % in these texts for a placeholder
        prepare(commands.add_parser(name, help=summary, description=summary), command)
    return parser


def _called_as() -> str:
    """How this was called, for help: ``lightbox``, or ``python -m core``."""
    return "lightbox" if Path(sys.argv[0]).stem == "lightbox" else "python -m core"

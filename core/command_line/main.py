"""The command line: ``python -m core COMMAND``, or ``lightbox COMMAND``."""

import os
import sys
import traceback
import warnings
from collections.abc import Sequence

from core.command_line.exit_codes import BAD_INPUT, DONE, FAILURE, INTERRUPTED
from core.command_line.parser import make_parser
from core.errors import BadInput, Cancelled, LightboxError
from core.files import is_disk_full


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns
    -------
    int
        0 done; 2 bad input, with one sentence on stderr; 1 failure, with one sentence on stderr; 130 after Ctrl-C, or
        when its run was cancelled.
    """
    chosen = make_parser().parse_args(arguments)
    if not chosen.debug:
        warnings.simplefilter("ignore")
    try:
        code: int = chosen.run(chosen)
        sys.stdout.flush()
    except (KeyboardInterrupt, Cancelled):
        print("Stopped.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # the reader (head, less) left: nothing is wrong, and Python must not complain at its own end either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        if chosen.debug:
            traceback.print_exc()
        print(_sentence(error), file=sys.stderr)
        return BAD_INPUT if isinstance(error, BadInput) else FAILURE
    return code


def _sentence(error: Exception) -> str:
    if isinstance(error, LightboxError):
        return str(error)
    if is_disk_full(error):
        return "The disk is full: free some space and run this again."
    if isinstance(error, MemoryError):
        return "Memory ran out: close other programs or take a smaller scan or model."
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename} cannot be used: {error.strerror}."
    return f"Something unexpected went wrong ({type(error).__name__}): run this again with --debug and report it."

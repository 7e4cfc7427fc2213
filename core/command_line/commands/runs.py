"""List what ran, or show one run."""

import argparse
from typing import Any

from core.command_line.exit_codes import DONE
from core.command_line.terminal import as_moment, print_json, print_table
from core.errors import BadInput


def add_options(parser: argparse.ArgumentParser) -> None:
    """Which run, and whether it may go."""
    parser.add_argument("id", nargs="?", help="a run's id")
    pin = parser.add_mutually_exclusive_group()
    pin.add_argument("--pin", dest="pinned", action="store_true", default=None, help="never remove this run for room")
    pin.add_argument("--unpin", dest="pinned", action="store_false", help="let it go again when it is old")


def run(chosen: argparse.Namespace) -> int:
    """All runs, or everything about one."""
    from core.runs import LOCAL_OWNER, RunStore
    from core.settings import settings

    root = settings().store_path
    shelf = RunStore.open(root).of(LOCAL_OWNER) if root.is_dir() else None
    if chosen.id is None:
        if chosen.pinned is not None:
            raise BadInput("Say which run is meant: runs ID --pin.")
        found = shelf.runs() if shelf else []
        if chosen.json:
            print_json([_as_dict(run) for run in found])
        else:
            print_table([(run.id, run.status, as_moment(run.created), run.title) for run in found])
        return DONE
    if shelf is None:
        raise BadInput("There is no such run here: the store is empty.")
    if chosen.pinned is not None:
        shelf.pin(chosen.id, chosen.pinned)
    run, live = shelf.run(chosen.id), shelf.progress(chosen.id)
    detail = {**_as_dict(run), "request": run.request, "folder": str(shelf.folder(run.id))}
    detail["progress"] = {"fraction": live.fraction, "message": live.message, "eta_seconds": live.eta_seconds}
    if chosen.json:
        print_json(detail)
    else:
        moments = {name: as_moment(detail[name]) for name in ("created", "started", "finished") if detail[name]}
        print_table([(name, str(value)) for name, value in {**detail, **moments}.items()])
    return DONE


def _as_dict(run: Any) -> dict[str, Any]:
    names = ("id", "kind", "title", "status", "message", "created", "started", "finished", "seconds", "pinned", "size")
    return {name: getattr(run, name) for name in names}

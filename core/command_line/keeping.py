"""Commands that compute are runs, kept in the store that the browser shows too."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from core.command_line.options import limit_threads
from core.errors import BadInput, LightboxError
from core.progress import Report

if TYPE_CHECKING:
    from core.runs.spec import RunSpec
    from core.runs.store.shelf import Shelf
    from core.runs.store.store import RunStore


class Keeping:
    """The store as a command uses it, for the owner that the app has without a login.

    Parameters
    ----------
    store : RunStore
        Open and writable.
    again : bool
        Compute even if an equal run is there.

    Attributes
    ----------
    shelf : Shelf
        The owner's part of the store.
    """

    def __init__(self, store: "RunStore", again: bool) -> None:
        from core.runs.spec import LOCAL_OWNER

        self._store = store
        self._again = again
        self.shelf: Shelf = store.of(LOCAL_OWNER)

    def answer(self, spec: "RunSpec", report: Report) -> str:
        """Id of a run that is done and answers `spec`: an equal one that is there, else one that is executed now.

        Raises
        ------
        Exception
            Whatever the work raises; the run then says so too.
        """
        from core.runs.execution.foreground import run_here

        found = None if self._again else self.shelf.answered(spec)
        if found is not None:
            _say(f"answered by the run {found} of the store; --again computes it anew")
            return found
        limit_threads()
        run_id = run_here(self._store, spec, report)
        _say(f"kept as the run {run_id}")
        return run_id


@contextlib.contextmanager
def keeping(wanted: bool, again: bool) -> Iterator[Keeping | None]:
    """The store, swept and closed at the end; None where it is not wanted or cannot be used, which is said."""
    store = _open() if wanted else None
    try:
        yield Keeping(store, again) if store is not None else None
    finally:
        if store is not None:
            _leave(store)


@contextlib.contextmanager
def going_on_without() -> Iterator[None]:
    """What the store cannot take is said, and does not stop the command; what the person gave wrong does."""
    from sqlalchemy.exc import DatabaseError

    try:
        yield
    except BadInput:
        raise
    except (LightboxError, DatabaseError, OSError) as error:
        _say(f"this is not kept as a run: {str(error).splitlines()[0]}")


def _open() -> "RunStore | None":
    from core.runs.store.store import RunStore
    from core.settings import settings

    with going_on_without():
        store = RunStore.open(settings().store_path)
        if not store.read_only:
            return store
        store.close()
        raise LightboxError(f"The store {store.root} can only be read.")
    return None


def _leave(store: "RunStore") -> None:
    from core.runs.store.janitor import sweep
    from core.settings import settings

    with going_on_without():
        sweep(store, int(settings().store_limit_gb * 10**9))
    store.close()


def _say(what: str) -> None:
    print(f"note: {what}", file=sys.stderr)


def known_as(model: str) -> str:
    """What requests call a model: its card's name where the library has it, else the whole path of where it is.

    Raises
    ------
    BadInput
        When it is not there.
    """
    from core.models.folders import card_of, library_folders, resolve

    path = resolve(model).resolve()
    if path in (folder.resolve() for folder in library_folders().values()):
        with contextlib.suppress(BadInput):
            name = card_of(path).name
            if resolve(name).resolve() == path:
                return name
    return str(path)


def cohort_known_as(folder: Path) -> str:
    """What requests call a cohort: its name in the library, else the whole path of its folder."""
    from core.cohorts.library import cohort_folders

    names = [name for name, path in cohort_folders().items() if path.resolve() == folder.resolve()]
    return names[0] if names else str(folder.resolve())

"""The store: one folder with the runs, scans and regions of every owner, and a shelf for each of them."""

from pathlib import Path
from typing import Self

from core.errors import LightboxError
from core.files import private_folder
from core.runs.store.database import FILE, open_database
from core.runs.store.ledger import Ledger
from core.runs.store.scans import RegionFiles, ScanFiles
from core.runs.store.shelf import Shelf


class RunStore:
    """Everything on disk of one Lightbox. Cheap to open; safe to share between threads and processes.

    Open it with `RunStore.open`. Whoever asks for somebody takes that owner's shelf (`of`); `ledger`, `scans` and
    `regions` know no owners and are for workers, the manager and the janitor.

    Parameters
    ----------
    ledger : Ledger
        State of every run; says where the store is.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.scans = ScanFiles(ledger.root / "scans")
        self.regions = RegionFiles(ledger.root / "regions")

    @classmethod
    def open(cls, root: Path) -> Self:
        """Store in folder `root`, made when missing. Runs whose worker no longer lives are marked interrupted.

        Raises
        ------
        LightboxError
            When it cannot be used: one sentence says why, and nothing was changed (`core.runs.store.database`).
        """
        store = cls.connect(root)
        if not store.read_only:
            store.ledger.mark_interrupted()
        return store

    @classmethod
    def connect(cls, root: Path) -> Self:
        """`open` for a worker: leaves the state of other runs alone.

        Raises
        ------
        LightboxError
            As `open`.
        """
        try:
            if not root.exists() or (root / FILE).exists():  # somebody's folder of other things is not ours to close
                private_folder(root)
            (root / "runs").mkdir(parents=True, exist_ok=True)
            return cls(Ledger(open_database(root)))
        except OSError as error:
            raise LightboxError(
                f"The store {root} cannot be written ({error.strerror}): set LIGHTBOX_STORE_PATH to a folder that can."
            ) from error

    @property
    def root(self) -> Path:
        """Folder of the store, absolute."""
        return self.ledger.root

    @property
    def read_only(self) -> bool:
        """Whether the store can only be looked at, because its folder or its database is not writable."""
        return self.ledger.database.read_only

    def of(self, owner: str) -> Shelf:
        """What is `owner`'s, and nothing else."""
        return Shelf(owner, self.ledger, self.scans, self.regions)

    def close(self) -> None:
        """Let go of the database file."""
        self.ledger.close()

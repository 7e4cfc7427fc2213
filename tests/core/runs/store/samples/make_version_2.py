"""Made `version_2`: `version_1` as the code of that time upgraded it. Kept to say what is in it, not to run again.

It ran once, with that code: ``python -m tests.core.runs.store.samples.make_version_2 FOLDER``.
"""

import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from core.runs.store.database import open_database


def main(target: Path) -> None:
    """Write the store into the new folder `target`."""
    shutil.copytree(Path(__file__).parent / "version_1", target)
    open_database(target.resolve()).close()
    (target / "lightbox.version-1.db").unlink()
    with closing(sqlite3.connect(target / "lightbox.db")) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("VACUUM")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""What lies in the store's folders is data: nothing of it is ever run."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import BadInput
from core.runs.store.live import PREVIEW, read_preview
from core.runs.store.scans import RegionFiles

NAME = "0" * 64


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, place: Path) -> None:
        self.place = str(place)

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (self.place,)


@pytest.mark.parametrize(
    ("file", "read"),
    [
        (f"{NAME}.npy", lambda folder: RegionFiles(folder).read(NAME)),
        (f"{NAME}.npy", lambda folder: RegionFiles(folder).shape(NAME)),
    ],
    ids=["region", "shape"],
)
def test_a_pickle_in_the_place_of_an_array_is_not_run(
    tmp_path: Path, file: str, read: Callable[[Path], object]
) -> None:
    (tmp_path / file).write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    with pytest.raises(BadInput, match="damaged"):
        read(tmp_path)
    assert not (tmp_path / "sprung").exists()
    pickle.loads((tmp_path / file).read_bytes())
    assert (tmp_path / "sprung").exists()  # the trap is one


def test_a_pickle_in_the_place_of_a_preview_is_not_run(tmp_path: Path) -> None:
    (tmp_path / PREVIEW).write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    assert read_preview(tmp_path) is None
    assert not (tmp_path / "sprung").exists()

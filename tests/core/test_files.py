import errno
import json
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

import core.files
from core.errors import LightboxError
from core.files import (
    finite,
    full_disk_as_sentence,
    is_disk_full,
    private_folder,
    read_json,
    remove_folder,
    size_of,
    write_array,
    write_atomically,
    write_json,
)


def test_a_write_that_fails_leaves_the_old_content_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    write_json(path, {"old": True})

    def fail(file: BinaryIO) -> None:
        file.write(b'{"new')
        raise OSError(errno.ENOSPC, "no space")

    with pytest.raises(OSError, match="no space"):
        write_atomically(path, fail)
    assert read_json(path) == {"old": True}
    assert [found.name for found in tmp_path.iterdir()] == ["record.json"]


def test_json_is_strict(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"a": float("nan"), "b": [np.float32("inf"), np.int64(3)], "c": np.arange(2)})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": None, "b": [None, 3], "c": [0, 1]}
    assert finite({1: (True, None, "x")}) == {"1": [True, None, "x"]}


def test_arrays_come_back(tmp_path: Path) -> None:
    write_array(tmp_path / "a.npy", np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), np.arange(6.0).reshape(2, 3))


@pytest.mark.parametrize("values", [np.float32(3), np.asfortranarray(np.ones((3, 4, 5)))[::2], np.eye(3, dtype=bool)])
def test_any_array_comes_back(tmp_path: Path, values: np.ndarray) -> None:
    write_array(tmp_path / "a.npy", np.asarray(values))
    back = np.load(tmp_path / "a.npy", allow_pickle=False)
    np.testing.assert_array_equal(back, values)
    assert back.dtype == values.dtype


def test_an_array_that_finds_the_disk_full_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(core.files, "temporary_beside", lambda path: Path("/dev/full"))
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
    with pytest.raises(OSError, match="No space left") as caught:
        write_array(tmp_path / "a.npy", np.ones(10**6))
    assert is_disk_full(caught.value)
    with pytest.raises(LightboxError, match="free some space"), full_disk_as_sentence():
        write_array(tmp_path / "a.npy", np.ones(10**6))


def test_a_full_disk_is_recognised_behind_another_error() -> None:
    try:
        try:
            with Path("/dev/full").open("wb", buffering=0) as file:
                file.write(b"0")
        except OSError as full:
            raise RuntimeError("could not save") from full
    except RuntimeError as error:
        assert is_disk_full(error)
    assert not is_disk_full(OSError(errno.EACCES, "not allowed"))


def test_a_folder_goes_with_everything_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "file").write_bytes(b"0" * 10_000)
    assert size_of(folder) >= 10_000
    remove_folder(folder)
    remove_folder(folder)
    assert list(tmp_path.iterdir()) == []


def test_a_new_folder_is_its_makers_alone(tmp_path):
    private_folder(tmp_path / "above" / "store")
    assert (tmp_path / "above" / "store").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("before", "after"),
    [(0o755, 0o700), (0o750, 0o700), (0o700, 0o700), (0o770, 0o770), (0o1777, 0o1777), (0o500, 0o500)],
)
def test_a_folder_that_others_may_read_is_closed_and_one_that_is_shared_stays(tmp_path, before, after):
    folder = tmp_path / "store"
    folder.mkdir()
    folder.chmod(before)
    private_folder(folder)
    assert folder.stat().st_mode & 0o7777 == after

"""One budget for all that is given together, whatever its format."""

import gzip
import threading
import time
import zipfile

import numpy as np
import pytest

from core.errors import BadInput
from core.scans import budget, list_series, load_scan
from core.scans.budget import Budget, current_budget, spend, within_budget
from core.scans.sources import Source, count_unpacked
from tests.core.scans.making import asymmetric, dicom_bytes, nifti, png, save, slice_at, zip_bytes

MEGABYTE = 2**20


@pytest.fixture
def hurried(monkeypatch):
    """A tenth of a millisecond for anything."""
    monkeypatch.setattr(budget, "SECONDS", 1e-4)
    monkeypatch.setattr(budget, "SECONDS_PER_MEGABYTE", 0.0)


def many_formats(folder):
    stack = {f"{n}.dcm": dicom_bytes(slice_at((0, 0, n), asymmetric((4, 5)))) for n in range(40)}
    (folder / "stack.zip").write_bytes(zip_bytes(stack))
    (folder / "packed.zip").write_bytes(zip_bytes({f"{n}.gz": gzip.compress(body) for n, body in stack.items()}))
    (folder / "stack").mkdir()
    for name, body in stack.items():
        (folder / "stack" / name).write_bytes(body)
    nifti(folder / "v.nii", asymmetric((40, 50, 60)))
    nifti(folder / "v.nii.gz", asymmetric((40, 50, 60)))
    (folder / "pictures.zip").write_bytes(zip_bytes({f"{n}.png": png(asymmetric((9, 8), np.uint8)) for n in range(40)}))
    save(slice_at((0, 0, 0), asymmetric((4, 5))), folder / "one.dcm")
    return ["stack.zip", "packed.zip", "stack", "v.nii", "v.nii.gz", "pictures.zip"]


def test_every_format_keeps_to_the_time_and_the_sentence_names_it(tmp_path, hurried):
    for name in many_formats(tmp_path):
        with pytest.raises(BadInput, match="more than 0 seconds of computing, the limit for less than 1 MB: give"):
            load_scan(tmp_path / name)


def test_part_of_what_was_given_never_passes_for_all(tmp_path, monkeypatch):
    """Time runs out at the thirtieth slice: the twenty-nine before are no volume."""
    many_formats(tmp_path)
    opened = 0

    class Slow(Budget):
        def check_time(self):
            nonlocal opened
            opened += 1
            if opened == 200:
                self.seconds = -1.0
            super().check_time()

    monkeypatch.setattr(budget, "Budget", Slow)
    with pytest.raises(BadInput, match="seconds of computing"):
        load_scan(tmp_path / "stack.zip")
    assert opened >= 200


def test_time_and_memory_grow_with_what_was_given_up_to_a_limit():
    small, large, huge = Budget(0), Budget(100 * MEGABYTE), Budget(100_000 * MEGABYTE)
    assert (small.seconds, large.seconds, huge.seconds) == (10, 110, 300)
    assert small.memory <= large.memory <= huge.memory <= budget.machine_memory()
    assert large.memory == min(2**30 + 1600 * MEGABYTE, budget.machine_memory() // 2)


def test_waiting_on_the_clock_counts_too(monkeypatch):
    monkeypatch.setattr(budget, "SECONDS", 0.05)
    monkeypatch.setattr(budget, "PATIENCE", 2.0)
    with pytest.raises(BadInput, match="seconds"), within_budget(0):
        spend()
        time.sleep(0.15)
        spend()


def test_computing_of_others_does_not_count(monkeypatch):
    monkeypatch.setattr(budget, "SECONDS", 0.3)
    done = threading.Event()

    def busy():
        while not done.is_set():
            sum(range(1000))

    other = threading.Thread(target=busy)
    other.start()
    try:
        with within_budget(0):
            time.sleep(0.6)
            spend()
    finally:
        done.set()
        other.join()


def test_a_budget_inside_another_is_that_one():
    with within_budget(5) as outer:
        with within_budget(7) as inner:
            assert inner is outer is current_budget()
        assert current_budget() is outer
    assert current_budget() is None
    spend()


def test_reading_one_of_the_images_that_were_listed_has_a_budget_of_its_own(tmp_path, monkeypatch):
    choice = list_series(nifti(tmp_path / "v.nii", asymmetric((4, 5, 6))))[0]
    asked = []
    monkeypatch.setattr(budget, "Budget", lambda given: asked.append(given) or Budget(given))
    choice.read()
    assert asked == [2 * 4 * 5 * 6]


def test_memory_is_refused_before_it_is_taken(monkeypatch):
    monkeypatch.setattr(budget, "MEMORY_BYTES", 1000)
    with (
        within_budget(100),
        pytest.raises(BadInput, match=r"takes 2\.6e-06 GB .*limit for less than 1 MB is 2\.6e-06"),
    ):
        budget.check_memory(2601)
    with within_budget(100):
        budget.check_memory(2600)
    budget.check_memory(10**15)


def test_files_that_are_no_bombs_are_one_together_and_unpacking_twice_counts_once():
    files = [Source.of_bytes(str(n), b"x" * 1000) for n in range(4)]
    with within_budget(4000):
        for _ in range(5):
            count_unpacked(files[0], 100 * MEGABYTE)
        with pytest.raises(BadInput, match="decompression bomb"):
            count_unpacked(files[1], 100 * MEGABYTE)
        current_budget().refusal = None
    with within_budget(10 * MEGABYTE):
        for file in files:
            count_unpacked(file, 100 * MEGABYTE)
    count_unpacked(files[0], 10**12)


def test_what_shrank_as_scans_do_is_read_from_gzip_in_a_zip(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 4000, (64, 64)).astype(np.int16)
    stack = {f"{n}.dcm.gz": gzip.compress(dicom_bytes(slice_at((0, 0, n), pixels))) for n in range(5)}
    (tmp_path / "z.zip").write_bytes(zip_bytes(stack, zipfile.ZIP_STORED))
    np.testing.assert_array_equal(load_scan(tmp_path / "z.zip").array[0, ::-1, ::-1, 0].T, pixels)

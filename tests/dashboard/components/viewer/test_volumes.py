import errno
import hashlib
import hmac
import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from core.errors import BadInput, LightboxError
from core.scans import Scan
from core.settings import settings
from dashboard.components.viewer import volumes
from dashboard.components.viewer.volumes import KEEP_SECONDS, open_token, pack, publish, publish_scan, sign

AFFINE = np.diag([2.0, 3.0, 4.0, 1.0])


def unpacked(reference):
    stored = np.fromfile(open_token(reference.token, reference.owner), dtype=reference.dtype)
    return stored.reshape(reference.shape, order="F").astype(np.float64) * reference.scale + reference.offset


def test_real_values_come_back_within_half_a_level(store):
    values = np.random.default_rng(0).normal(40, 300, (7, 8, 9)).astype(np.float32)
    reference = publish(values, AFFINE)
    assert reference.dtype == "uint16"
    assert np.abs(unpacked(reference) - values).max() <= reference.scale * 0.501
    assert reference.range == (pytest.approx(values.min()), pytest.approx(values.max()))


def test_whole_numbers_and_masks_come_back_exactly(store):
    labels = np.arange(-1000, -1000 + 6 * 7 * 8, dtype=np.int16).reshape(6, 7, 8)
    np.testing.assert_array_equal(unpacked(publish(labels, AFFINE)), labels)
    mask = labels > -900
    reference = publish(mask, AFFINE)
    assert reference.dtype == "uint8"
    np.testing.assert_array_equal(unpacked(reference), mask)


def test_one_bright_outlier_does_not_cost_the_window_its_levels():
    values = np.random.default_rng(0).uniform(0, 1, (20, 20, 20)).astype(np.float32)
    values[3, 4, 5] = 1e6
    packed, facts = pack(values)
    low, high = facts["window"]
    assert high < 2
    window = packed[(values > low) & (values < high)].astype(np.float64)
    assert np.unique(window).size > 4096
    np.testing.assert_array_equal(packed, values)


def test_a_constant_volume_has_a_window_of_some_width():
    packed, facts = pack(np.full((4, 4, 4), 3.5, dtype=np.float32))
    assert facts["window"][1] > facts["window"][0]
    np.testing.assert_allclose(packed * facts["scale"] + facts["offset"], 3.5)


@pytest.mark.parametrize(
    "values",
    [
        np.array([[1.0, np.nan]]),
        np.array([[np.inf, 0.0]]),
        np.zeros((2, 2), dtype=np.complex64),
        np.zeros((2, 2, 2, 2)),
        np.zeros((0, 3)),
        np.array([["a"]]),
    ],
)
def test_what_cannot_be_shown_is_refused(values):
    with pytest.raises(BadInput):
        pack(values)


def test_a_named_volume_is_read_once(store):
    calls = []

    def values():
        calls.append(1)
        return np.eye(4, dtype=np.float32)

    first = publish(values, AFFINE, name="run:map")
    assert publish(values, AFFINE, name="run:map") == first
    assert len(calls) == 1


def test_a_function_without_a_name_is_a_mistake(store):
    with pytest.raises(ValueError, match="name"):
        publish(lambda: np.eye(3), AFFINE)


def test_equal_content_shares_one_file_among_owners_and_other_content_does_not(store):
    values = np.eye(5, dtype=np.float32)
    one, other = publish(values, AFFINE, owner="ann"), publish(values.copy(), AFFINE, owner="bob")
    assert one.digest == other.digest
    assert one.token != other.token
    assert publish(values + 1, AFFINE).digest != one.digest
    assert publish(values, 2 * AFFINE).digest != one.digest
    assert len(list((store / "viewer").glob("*.bin"))) == 3


def test_a_scan_is_published_under_its_own_hash_channel_by_channel(store):
    scan = Scan(np.stack([np.eye(6), np.ones((6, 6))]).astype(np.float32), AFFINE)
    first, second = publish_scan(scan), publish_scan(scan, channel=1)
    assert first.digest != second.digest
    assert publish_scan(Scan(scan.array.copy(), AFFINE)).digest == first.digest
    np.testing.assert_allclose(unpacked(first), np.eye(6), atol=1e-4)


def test_a_token_opens_the_volume_for_its_owner_only(store):
    reference = publish(np.eye(3), AFFINE, owner="ann@example.org")
    assert open_token(reference.token, "ann@example.org") is not None
    assert open_token(reference.token, "bob") is None
    assert open_token(reference.token, "") is None
    assert open_token(reference.token, None) is None


def test_a_forged_token_opens_nothing(store):
    reference = publish(np.eye(3), AFFINE, owner="ann")
    digest, _, signature = reference.token.split(".")
    bob = sign(digest, "bob").split(".")[1]
    flipped = signature[:-1] + ("0" if signature[-1] != "0" else "1")
    for token in (f"{digest}.{bob}.{signature}", f"{digest}.{bob}.{flipped}", f"{'0' * 64}.{bob}.{signature}"):
        assert open_token(token, "bob") is None


@pytest.mark.parametrize(
    "token",
    ["", "..", "../key", "key", "a" * 64, f"{'a' * 64}..{'b' * 64}", f"{'a' * 64}.A.{'b' * 64}", "\x00", "..%2Fkey"],
)
def test_a_malformed_token_opens_nothing(store, token):
    publish(np.eye(3), AFFINE)
    assert open_token(token, "local") is None


def test_the_signing_key_stays_with_the_store_and_is_private(store):
    token = publish(np.eye(3), AFFINE).token
    volumes._key.cache_clear()
    assert open_token(token, "local") is not None
    assert (store / "viewer" / "key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("left", [b"", b"short", bytes(32), b"x" * 33])
def test_what_a_full_disk_left_of_a_key_signs_nothing(store, left):
    folder = store / "viewer"
    folder.mkdir(parents=True)
    (folder / "key").write_bytes(left)
    volumes._key.cache_clear()
    reference = publish(np.eye(3), AFFINE)
    forged = hmac.new(left, f"{volumes.FORMAT}\n{reference.digest}\nlocal".encode(), hashlib.sha256).hexdigest()
    assert open_token(f"{reference.token.rpartition('.')[0]}.{forged}", "local") is None
    assert open_token(reference.token, "local") is not None
    key = (folder / "key").read_bytes()
    assert len(key) == 32
    assert key != left


def test_a_disk_that_takes_no_key_is_said_and_nothing_is_signed(store, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    volumes._key.cache_clear()
    monkeypatch.setattr(volumes.os, "fsync", full)
    with pytest.raises(LightboxError, match="No space left"):
        sign("0" * 64, "local")
    assert list((store / "viewer").iterdir()) == []


def test_visitors_at_once_make_one_key(tmp_path):
    with ThreadPoolExecutor(8) as visitors:
        for number in range(30):
            folder = tmp_path / str(number)
            seen = set(visitors.map(lambda _, folder=folder: volumes._key.__wrapped__(folder), range(8)))
            assert seen == {(folder / "key").read_bytes()}
            assert [path.name for path in folder.iterdir()] == ["key"]


def test_a_half_written_volume_counts_as_missing(store):
    reference = publish(np.eye(3), AFFINE)
    (store / "viewer" / f"{reference.digest}.json").write_text("{")
    assert publish(np.eye(3), AFFINE) == reference
    np.testing.assert_allclose(unpacked(reference), np.eye(3), atol=1e-4)


def test_the_janitor_removes_what_was_not_asked_for_the_longest(store, monkeypatch):
    old = [publish(np.full((40, 40), n), AFFINE) for n in range(3)]
    for age, reference in zip((3, 1, 2), old, strict=True):
        then = time.time() - KEEP_SECONDS * age - 60
        os.utime(store / "viewer" / f"{reference.digest}.bin", (then, then))
    monkeypatch.setattr(settings(), "store_limit_gb", 5 * 1600 / 1e9 / volumes.STORE_SHARE / 2)
    publish(np.full((40, 40), 9), AFFINE)
    assert [open_token(reference.token, "local") is not None for reference in old] == [False, True, False]


def test_the_janitor_leaves_what_somebody_may_be_looking_at(store, monkeypatch):
    fresh = publish(np.full((40, 40), 1), AFFINE)
    monkeypatch.setattr(settings(), "store_limit_gb", 1e-9)
    publish(np.full((40, 40), 2), AFFINE)
    assert open_token(fresh.token, "local") is not None


def test_importing_the_viewer_does_not_import_the_heavy_libraries():
    import subprocess
    import sys

    modules = "dashboard.components.viewer, dashboard.frame.server"
    code = f"import sys, {modules}; print({{'torch', 'scipy', 'nibabel'}} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"

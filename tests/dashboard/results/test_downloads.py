"""A picture that is kept has the colours that the viewer paints."""

import gzip
import io
import re
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

import dashboard.components.viewer
from core.acceptance.verdict import Acceptance
from core.explainers.extras import Verdict
from core.reports.explanation import StoredArray, caution_of
from core.scans import Scan
from dashboard.results import downloads
from dashboard.results.layers import map_layer

#: Where a picture lies whose file says nothing of its pixels.
FLAT = Scan(np.zeros((1, 4, 5), np.float32), np.eye(4))
SCRIPT = Path(dashboard.components.viewer.__file__).parent / "static" / "drawing" / "colormaps.js"


def viewer_colour(table, share):
    """What `color` of colormaps.js makes of a value at `share` of a map's range."""
    stops = np.array(
        [
            [int(stop[at : at + 2], 16) for at in (0, 2, 4)]
            for stop in re.findall(".{6}", re.search(rf'{table}: "([0-9a-f]+)"', SCRIPT.read_text())[1])
        ]
    )
    place = np.clip(np.asarray(share), 0, 1) * (len(stops) - 1)
    return np.stack([np.interp(place, np.arange(len(stops)), stops[:, channel]) for channel in range(3)], axis=-1)


def array_of(tmp_path, values, **more):
    np.save(tmp_path / "map.npy", values.astype(np.float32))
    fields = {"title": "Map", "kind": "attribution", "unit": "", "neutral": 0.0, "diverging": False, "side": "input"}
    return StoredArray(path=tmp_path / "map.npy", **(fields | more))


@pytest.mark.parametrize(
    ("more", "signed", "heat"),
    [
        ({}, True, False),
        ({"kind": "mask"}, True, False),
        ({"diverging": True}, True, False),
        ({"diverging": True}, False, True),
    ],
    ids=["attribution", "mask", "signed", "heat"],
)
def test_a_kept_picture_has_the_colours_and_the_range_of_the_screen(more, signed, heat, tmp_path, monkeypatch):
    monkeypatch.setenv("LIGHTBOX_STORE_PATH", str(tmp_path / "store"))
    random = np.random.default_rng(3)
    values = random.random((20, 30)) * 0.7 if not more.get("diverging") else random.normal(size=(20, 30))
    array = array_of(tmp_path, values, **more)
    layer = map_layer(Scan(np.zeros((1, 20, 30), np.float32), np.eye(4)), tmp_path.name, "map", array, signed)
    low, high = layer.range or layer.volume.range
    if layer.centre_zero:
        low, high = -max(abs(low), abs(high)), max(abs(low), abs(high))
    shown = np.abs(values) if heat else values
    with Image.open(io.BytesIO(downloads._png(array, FLAT, heat=heat))) as picture:
        kept = np.asarray(picture).astype(float)
        ends = float(picture.text["low"]), float(picture.text["high"])
    assert ends == pytest.approx((low, high), rel=1e-5)
    expected = viewer_colour(layer.colormap, (shown - low) / (high - low))
    assert np.abs(kept - expected).max() <= 5  # 33 stops on screen, 256 in the file


def test_every_file_of_a_map_that_is_not_to_be_believed_says_so(tmp_path):
    caution = "Do not believe: the model was not made for this scan."
    array = array_of(tmp_path, np.random.default_rng(0).random((4, 5, 6)))
    scan = Scan(np.zeros((1, 4, 5, 6), np.float32), np.eye(4))
    for said in (caution, ""):
        image = nibabel.Nifti1Image.from_bytes(gzip.decompress(downloads._nifti(array, scan, said)))
        assert bytes(image.header["descrip"]).rstrip(b"\0").decode() == said
    flat = array_of(tmp_path, np.random.default_rng(0).random((4, 5)))
    for heat in (False, True):
        with Image.open(io.BytesIO(downloads._png(flat, FLAT, caution, heat=heat))) as picture:
            assert picture.text["caution"] == caution
    with Image.open(io.BytesIO(downloads._png(flat, FLAT))) as picture:
        assert "caution" not in picture.text
    with zipfile.ZipFile(io.BytesIO(downloads._zip({"map": array}, scan, caution))) as archive:
        assert caution.encode() in gzip.decompress(archive.read("map.nii.gz"))


@pytest.mark.parametrize(
    ("state", "verdict", "begins"),
    [
        ("refused", "holds", "Do not believe: the model was not made"),
        ("refused", "fails", "Do not believe: the model was not made"),
        ("accepted", "fails", "Do not believe: this explanation"),
        ("accepted", "holds", ""),
        ("unknown", "untested", ""),
        (None, "nothing", ""),
    ],
)
def test_what_is_said_in_a_file_follows_the_gate_and_then_the_verdict(state, verdict, begins):
    acceptance = None if state is None else Acceptance(state)
    found = caution_of(acceptance, Verdict(verdict, "By its checks."))
    assert found.startswith(begins)
    assert bool(found) == bool(begins)
    assert len(found) < 80


def test_a_picture_of_oblong_pixels_is_kept_as_it_looks_on_screen(tmp_path):
    values = np.random.default_rng(0).random((6, 9))
    oblong = Scan(np.zeros((1, 6, 9), np.float32), np.diag([1.5, 0.5, 1.0, 1.0]))
    with Image.open(io.BytesIO(downloads._png(array_of(tmp_path, values), oblong))) as picture:
        assert picture.size == (9, 18)

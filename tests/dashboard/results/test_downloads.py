"""A picture that is kept has the colours that the viewer paints."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import dashboard.components.viewer
from core.reports.explanation import StoredArray
from core.scans import Scan
from dashboard.results import downloads
from dashboard.results.layers import map_layer

SCRIPT = Path(dashboard.components.viewer.__file__).parent / "static" / "colormaps.js"


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
    with Image.open(io.BytesIO(downloads._png(array, heat))) as picture:
        kept = np.asarray(picture).astype(float)
        ends = float(picture.text["low"]), float(picture.text["high"])
    assert ends == pytest.approx((low, high), rel=1e-5)
    expected = viewer_colour(layer.colormap, (shown - low) / (high - low))
    assert np.abs(kept - expected).max() <= 5  # 33 stops on screen, 256 in the file

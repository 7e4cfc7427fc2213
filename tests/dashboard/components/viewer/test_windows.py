"""Windows of grey values: what is offered of a scan, and what the scripts of the viewer make of a slice."""

import numpy as np
import pytest

from core.scans import Scan
from dashboard.components.viewer import Layer, Panel, publish, publish_scan
from dashboard.components.viewer.viewer import _panel_data


def presets(layer):
    return [name for name, *_ in _panel_data(Panel("a", "A", [layer]))["layers"][0]["presets"]]


def test_only_an_image_in_hounsfield_units_is_offered_their_windows(store):
    volume = publish(np.arange(60, dtype=np.float32).reshape(3, 4, 5), np.eye(4))
    assert presets(Layer(volume, unit="HU"))[:2] == ["Brain", "Subdural"]
    assert presets(Layer(volume, unit="")) == presets(Layer(volume, unit="T1")) == []
    assert presets(Layer(volume, "map", unit="HU")) == []


@pytest.mark.parametrize(("units", "window"), [("HU", (-150.0, 250.0)), (None, None)])
def test_a_ct_opens_in_a_window_of_tissue_and_anything_else_in_its_own_percentiles(store, units, window):
    values = np.full((1, 20, 20, 20), -1000.0, np.float32)
    values[0, 4:16, 4:16, 4:16] = 60.0
    values[0, 0, 0, 0] = 2000.0
    found = publish_scan(Scan(values, np.eye(4), units=units)).window
    assert found == (window or (-1000.0, 60.0))


SLICE = """
  const { Volume } = await load("space/volumes.js"), { sliceWindow } = await load("state/windows.js");
  const affine = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]];
  const facts = { shape: given.shape, affine, dtype: "float32", scale: 2, offset: 10 };
  const volume = new Volume(facts, Float32Array.from(given.values).buffer);
  return sliceWindow(volume, volume.grid.plane("axial", true), given.position);
"""


@pytest.mark.browser
def test_a_slice_asks_for_the_percentiles_of_what_is_in_it(script):
    values = np.zeros((10, 10, 3), np.float32)
    values[:5, :, 1] = np.arange(100, 150).reshape(5, 10)
    told = {"shape": values.shape, "values": values.ravel(order="F").tolist()}
    stored = np.arange(100, 150)
    low, high = stored[round(0.01 * 49)], stored[round(0.99 * 49)]
    assert script(SLICE, {**told, "position": 1}) == [low * 2 + 10, high * 2 + 10]
    assert script(SLICE, {**told, "position": 0}) is None

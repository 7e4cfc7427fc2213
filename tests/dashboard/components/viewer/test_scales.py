"""Scales and their ends, in the scripts of the viewer themselves: own or locked, and what lies beyond them."""

import numpy as np
import pytest

pytestmark = pytest.mark.browser

LOOKS = """
  const { Looks, relate } = await load("state/looks.js");
  const facts = { role: "map", opacity: 1, visible: true };
  const layers = given.maps.map((map, at) => ({ slot: String(at), facts: { ...facts, ...map } }));
  relate(layers);
  const view = { oneScale: given.locked, looks: new Map(), windows: new Map() }, looks = new Looks(view, () => layers);
  for (const [at, change] of given.changes ?? []) looks.set(layers[at], change);
  view.oneScale = given.then ?? given.locked;
  return layers.map((layer) => ({ ...looks.of(layer), alone: layer.alone }));
"""


def of(scale, unit="share", colormap="magma", threshold=None):
    low, high = scale
    return {"range": [low, high], "unit": unit, "colormap": colormap, "centreZero": low < 0, "threshold": threshold}


def test_locked_maps_of_one_unit_and_colours_have_the_widest_scale_and_others_their_own(script):
    maps = [of((0, 2), threshold=0.5), of((0, 8), threshold=1), of((0, 3), unit="HU"), of((-1, 1), colormap="berlin")]
    own = script(LOOKS, {"maps": maps, "locked": False})
    assert [look["range"] for look in own] == [[0, 2], [0, 8], [0, 3], [-1, 1]]
    assert [look["alone"] for look in own] == [False, False, True, True]
    locked = script(LOOKS, {"maps": maps, "locked": True})
    assert [look["range"] for look in locked] == [[0, 8], [0, 8], [0, 3], [-1, 1]]
    # a threshold stays the share of its scale
    assert [look["threshold"] for look in locked] == [2, 1, None, None]


def test_a_threshold_set_on_a_locked_scale_is_the_same_share_of_the_own_one(script):
    maps = [of((-2, 2)), of((-8, 8))]
    told = {"maps": maps, "locked": True, "changes": [[0, {"threshold": -4}]]}
    assert script(LOOKS, told)[0]["threshold"] == 4
    assert script(LOOKS, {**told, "then": False})[0]["threshold"] == 1


STACKED = """
  const { Looks } = await load("state/looks.js");
  const role = (slot) => (slot === "scan" ? "image" : "map");
  const layer = (slot) => ({ slot, facts: { role: role(slot), opacity: 1, visible: slot !== "hidden" } });
  const panel = { key: "p", layers: ["scan", "one", "two", "hidden"].map(layer) };
  const view = { looks: new Map(), orders: new Map(), windows: new Map() }, looks = new Looks(view, () => panel.layers);
  const names = (found) => found.map(({ slot }) => slot).join(" "), seen = [names(looks.stack(panel))];
  for (const [at, way] of given) {
    looks.move(panel, panel.layers[at], way);
    seen.push(names(looks.order(panel)));
  }
  looks.set(panel.layers[1], { visible: false });
  looks.set(panel.layers[3], { visible: true });
  panel.layers = [...panel.layers, layer("new")];
  return [...seen, names(looks.stack(panel))];
"""


def test_layers_are_ordered_and_hidden_and_the_first_stays_below(script):
    seen = script(STACKED, [[1, 1], [1, -1], [1, -1], [3, 1], [0, 1], [2, 1]])
    assert seen == [
        "scan one two",  # one that Python hides is not drawn
        "scan two one hidden",
        "scan one two hidden",
        "scan one two hidden",
        "scan one two hidden",
        "scan one two hidden",
        "scan one hidden two",
        "scan hidden two new",
    ]


BEYOND = """
  const { Volume } = await load("space/volumes.js"), { beyond } = await load("controls/legend.js");
  const affine = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]];
  const { dtype, values, scale, offset, ends, extent } = given;
  const arrays = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array };
  const facts = { shape: [values.length, 1], affine, dtype, scale, offset };
  const volume = new Volume(facts, arrays[dtype].from(values).buffer);
  const found = beyond(ends, extent, volume);
  return { ...found, middle: volume.percentile(0.5) };
"""


@pytest.mark.parametrize(("dtype", "scale", "offset"), [("uint8", 1, 0), ("uint16", 0.5, -20), ("float32", 1, 0)])
def test_a_legend_says_which_share_lies_beyond_its_ends(script, dtype, scale, offset):
    true = np.arange(200, dtype=float)
    stored = (true - offset) / scale
    told = {"dtype": dtype, "values": stored.tolist(), "scale": scale, "offset": offset, "extent": [0, 199]}
    found = script(BEYOND, {**told, "ends": [20, 190]})
    slack = 0 if dtype == "float32" else scale
    assert found["below"]["share"] == pytest.approx((true < 20 - slack).mean())
    assert found["above"]["share"] == pytest.approx((true > 190 + slack).mean())
    assert found["above"]["to"] == 199
    assert found["middle"] == 100
    inside = script(BEYOND, {**told, "ends": [0, 199]})
    assert (inside["below"], inside["above"]) == (None, None)


def test_a_share_that_is_there_is_never_called_nothing(script):
    words = "const { share } = await load('controls/legend.js'); return given.map(share);"
    assert script(words, [0.00001, 0.004, 0.0441, 0.25]) == ["<0.1%", "0.4%", "4.4%", "25%"]

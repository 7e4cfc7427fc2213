import numpy as np
import pytest

from core.scans.windows import CT_WINDOWS, ct_window


def head(**more):
    """A ball of brain in a shell of bone, a little fat around it; HU."""
    parts = {"air": -1000.0, "fat": -90.0, "bone": 900.0, "inside": 35.0} | more
    x, y, z = np.mgrid[-1:1:60j, -1:1:60j, -1:1:60j]
    radius = np.sqrt(x**2 + y**2 + z**2)
    values = np.full(radius.shape, parts["air"], np.float32)
    for edge, part in ((0.92, "fat"), (0.9, "bone"), (0.8, "inside")):
        values[radius < edge] = parts[part]
    return values


def trunk():
    """Muscle in fat, a spine."""
    values = np.full((60, 60, 10), -1000.0, np.float32)
    values[5:55, 10:50] = -100.0
    values[10:50, 15:45] = 55.0
    values[28:32, 18:22] = 700.0
    return values


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (head(), "Brain"),
        (head(air=-3024.0), "Brain"),
        (head()[..., 30], "Brain"),
        (head(inside=60.0), "Soft tissue"),
        (head(bone=-90.0), "Soft tissue"),
        (trunk(), "Soft tissue"),
    ],
    ids=["head", "padded", "one slice", "a limb", "no bone", "trunk"],
)
def test_a_ct_is_opened_in_the_window_that_shows_what_it_is_of(values, name):
    assert ct_window(values).name == name


def test_air_has_no_window():
    assert ct_window(np.full((4, 5), -1000.0)) is None


def test_the_known_windows_have_the_published_levels_and_widths():
    levels = {window.name: ((window.low + window.high) / 2, window.high - window.low) for window in CT_WINDOWS}
    assert len(CT_WINDOWS) == 9
    assert levels["Brain"] == (40, 80)
    assert levels["Stroke"] == (40, 40)
    assert levels["Lung"] == (-600, 1500)
    assert levels["Soft tissue"] == (50, 400)

import numpy as np
import pytest

from core.models.card import Intensity
from core.models.intensities import meet_intensity
from core.scans.scan import Scan


def scan(values, units=None):
    return Scan(np.asarray(values, np.float32).reshape(1, 1, -1), np.eye(4), units=units)


@pytest.mark.parametrize(("units", "full"), [("8-bit", 255), ("16-bit", 65535)])
def test_a_pictures_full_scale_becomes_the_range_whatever_its_values_are(units, full):
    found = meet_intensity(scan([0, 3, 7], units), Intensity(low=-1, high=1))
    assert found.offset == -1
    assert full * found.gain + found.offset == pytest.approx(1)
    assert found.notes == (f"{units} picture: 0…{full} read as -1…1",)


def test_percentiles_of_the_scan_become_the_range_where_the_card_asks_for_it():
    values = np.linspace(100, 300, 1001)
    found = meet_intensity(scan(values), Intensity(low=0, high=1, rescale="minmax"))
    low, high = np.percentile(values, (0.5, 99.5))
    assert low * found.gain + found.offset == pytest.approx(0, abs=1e-6)
    assert high * found.gain + found.offset == pytest.approx(1)


def test_other_values_are_taken_as_they_are():
    found = meet_intensity(scan([0.0, 0.4, 1.0]), Intensity(low=0, high=1))
    assert (found.gain, found.offset, found.notes, found.warnings) == (1, 0, (), ())


@pytest.mark.parametrize(
    ("values", "rescale", "words"),
    [
        ([5, 5, 5], "minmax", "one value everywhere"),
        ([-900, 0, 900], "none", "lie outside what the model was trained on"),
        ([0.50, 0.51, 0.52], "none", "fill little of the trained range"),
    ],
)
def test_what_does_not_look_like_the_trained_values_is_warned_about(values, rescale, words):
    (warning,) = meet_intensity(scan(values), Intensity(low=0, high=1, rescale=rescale)).warnings
    assert words in warning

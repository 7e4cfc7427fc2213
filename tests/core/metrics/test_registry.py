import subprocess
import sys

import numpy as np
import pytest

from core.explainers import explain
from core.metrics.registry import METRICS, Metric, measured, metric
from core.models import load_model
from core.scans import load_scan
from core.settings import ASSETS, ROOT


@pytest.fixture
def own():
    """Metrics of a test, gone after it."""
    before = list(METRICS._offers)
    yield metric
    METRICS._offers[:] = before


def test_a_decorated_function_stays_a_function_and_is_known_by_its_name(own):
    @own("top_inside", "Peak inside", "map and region", better="higher")
    def top_inside(values, region):
        """Whether the map's peak lies in the region."""
        return float(region.flat[values.argmax()])

    values, region = np.arange(6.0).reshape(2, 3), np.zeros((2, 3), bool)
    assert top_inside(values, region) == 0.0
    assert METRICS.get("top_inside") == Metric("top_inside", "Peak inside", "map and region", top_inside, "higher")
    row = {row["name"]: row for row in METRICS.rows()}["top_inside"]
    assert (row["summary"], row["compares"]) == ("Whether the map's peak lies in the region", "map and region")
    region[1, 2] = True
    assert measured("map and region", values, region)[0] == {
        "region_area": pytest.approx(1 / 6),
        "region_share": pytest.approx(5 / 15),
        "top_inside": 1.0,
    }


def test_what_has_no_number_is_left_out_and_what_stumbles_is_told(own):
    @own("broken", "Broken", "two maps")
    def broken(one, other):
        return 1 / 0

    numbers, problems = measured("two maps", np.arange(4.0), np.arange(4.0))
    assert numbers == {"likeness": pytest.approx(1.0)}
    assert problems == ("The metric broken could not be computed (ZeroDivisionError: division by zero).",)
    assert measured("map and region", np.zeros(3), np.ones(3, bool)) == ({}, ())


def test_two_images_are_compared_in_their_units():
    numbers, _ = measured("two images", np.array([1.0, 2.0]), np.array([2.0, 4.0]))
    assert numbers == {"mean_absolute_error": 1.5, "mean_squared_error": 2.5}


def test_a_thing_that_compares_something_else_is_left_out(own):
    own("odd", "Odd", "two scans")(lambda one, other: 0.0)
    assert "odd" not in METRICS.all()
    assert any("it compares 'two scans'" in left.reason for left in METRICS.left_out())


def test_metrics_of_a_landmark_stand_in_the_record_and_one_that_fails_costs_only_a_warning(own):
    @own("corner", "Corner", "map and region")
    def corner(values, region):
        return values.shape[0] + region.sum()

    @own("broken", "Broken", "map and region")
    def broken(values, region):
        raise ValueError("no idea")

    scan, model = load_scan(ASSETS / "scans" / "ad-slice.png"), load_model("alzheimer-phantom-slice")
    region = np.zeros(scan.shape, bool)
    region[20:30, 20:30] = True
    found = explain(scan, model, "saliency", region=region)
    assert found.numbers["corner"] == scan.shape[0] + 100
    assert 0 < found.numbers["region_share"] < 1
    assert found.numbers["region_area"] == pytest.approx(100 / region.size)
    assert "The metric broken could not be computed (ValueError: no idea)." in found.warnings
    assert "corner" not in explain(scan, model, "saliency").numbers


def test_the_names_of_metrics_and_formats_cost_no_torch():
    code = (
        "import sys; from core.metrics.registry import METRICS; from core.models.formats.base import FORMATS; "
        "METRICS.all(), FORMATS.all(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0

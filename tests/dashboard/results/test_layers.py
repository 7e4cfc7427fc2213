from types import SimpleNamespace

import numpy as np
import pytest

from core.runs import Preview
from dashboard.compare.film.findings import _correlation
from dashboard.components.viewer import Layer, Panel
from dashboard.results import layers

GRID = SimpleNamespace(shape=(2, 2), affine=np.eye(4))


@pytest.fixture
def published(monkeypatch):
    """What was handed to the viewer."""
    found = []

    def publish(values, affine, **_):
        found.append(values)
        return SimpleNamespace(range=(float(values.min()), float(values.max())))

    monkeypatch.setattr(layers, "publish", publish)
    monkeypatch.setattr(layers, "owner", lambda: "somebody")
    return found


def test_a_signed_map_forms_by_its_size_so_that_zero_has_no_colour(published):
    values = np.array([[-4.0, 0.0], [1.0, 2.0]], dtype=np.float32)
    (layer,) = layers.forming_layers("run", Preview(values, GRID, "1"))
    assert published[0].tolist() == [[4.0, 0.0], [1.0, 2.0]]
    assert 0 < layer.threshold < 1


def test_a_map_without_signs_forms_as_it_is(published):
    values = np.array([[0.0, 0.5], [1.0, 0.25]], dtype=np.float32)
    (layer,) = layers.forming_layers("run", Preview(values, GRID, "1"))
    assert published[0] is values
    assert layer.threshold is None


def test_before_the_first_preview_nothing_forms(published):
    assert layers.forming_layers("run", None) == []
    assert published == []


@pytest.mark.parametrize(("value", "words"), [(-0.001, "0.00"), (-0.04, "−0.04"), (0.316, "0.32"), (1.0, "1.00")])
def test_a_correlation_has_a_true_minus_and_no_minus_zero(value, words):
    assert _correlation(value) == words


def a_map(low: float, high: float, **more) -> Layer:
    return Layer(SimpleNamespace(range=(low, high)), "map", unit=more.pop("unit", "share"), **more)


def test_on_one_scale_the_same_colour_is_the_same_value_and_thresholds_keep_their_share():
    image = Layer(SimpleNamespace(range=(0, 9)))
    given = [
        Panel("a", "A", [image, a_map(0, 2, threshold=0.5)]),
        Panel("b", "B", [image, a_map(0, 8, range=(0.0, 4.0), threshold=1.0)]),
        Panel("c", "C", [image, a_map(0, 50, unit="other")]),
    ]
    one, other, apart = layers.on_one_scale(given)
    assert [panel.layers[1].range for panel in (one, other, apart)] == [(0.0, 4.0), (0.0, 4.0), (0, 50)]
    assert [panel.layers[1].threshold for panel in (one, other)] == [1.0, 1.0]
    assert one.layers[0] is image


def test_signed_maps_on_one_scale_stay_centred_on_zero():
    given = [
        Panel(name, name, [a_map(low, high, centre_zero=True)]) for name, low, high in (("a", -1, 3), ("b", -7, 2))
    ]
    assert {panel.layers[0].range for panel in layers.on_one_scale(given)} == {(-7, 7)}

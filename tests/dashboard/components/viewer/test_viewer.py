import numpy as np
import pytest

from dashboard.components import registering as components
from dashboard.components.viewer import Layer, Panel, publish, viewer
from dashboard.components.viewer.viewer import _panel_data, _region_data, check_panels, read_event


@pytest.fixture
def volume(store):
    return publish(np.linspace(-2, 5, 60, dtype=np.float32).reshape(3, 4, 5), np.eye(4))


def test_a_region_and_a_crosshair_of_the_right_shape_arrive():
    event = read_event({"shape": [3, 4, 5], "runs": [59, 1]}, [2, 3, 4], (3, 4, 5))
    assert np.argwhere(event.region).tolist() == [[2, 3, 4]]
    assert event.crosshair == (2, 3, 4)
    assert event.problem is None


def test_a_refused_region_is_explained_and_not_used():
    event = read_event({"shape": [3, 4, 5], "runs": [59, 2]}, None, (3, 4, 5))
    assert event.region is None
    assert "outside the image" in event.problem


def test_a_region_of_the_scan_that_was_shown_before_is_dropped_without_fuss():
    event = read_event({"shape": [3, 4, 6], "runs": [0, 1]}, None, (3, 4, 5))
    assert event.region is None
    assert event.problem is None


@pytest.mark.parametrize("place", ["1", [1, 2], [1, 2, 5], [-1, 0, 0], [1.0, 2, 3], [True, 0, 0], {"0": 1}, None])
def test_a_crosshair_outside_the_image_is_dropped(place):
    assert read_event(None, place, (3, 4, 5)).crosshair is None


def test_a_signed_map_gets_a_legend_symmetric_about_zero(volume):
    (layer,) = _panel_data(Panel("a", "A", [Layer(volume, "map", centre_zero=True, colormap="diverging")]))["layers"]
    assert layer["range"] == [-5, 5]


def test_a_map_that_is_the_same_everywhere_has_a_legend_all_the_same(store):
    flat = publish(np.zeros((3, 4, 5), dtype=np.float32), np.eye(4))
    (layer,) = _panel_data(Panel("a", "A", [Layer(flat, "map")]))["layers"]
    assert layer["range"][1] > layer["range"][0]


def test_the_owner_is_not_told_to_the_browser_in_plain(store):
    reference = publish(np.eye(4), np.eye(4), owner="ann@example.org")
    assert "ann@example.org" not in str(_panel_data(Panel("a", "A", [Layer(reference)])))


def test_mistakes_of_a_page_are_told(volume, store):
    flat = publish(np.eye(4), np.eye(4))
    one = Panel("a", "A", [Layer(volume)])
    tinted = Panel("b", "B", [Layer(volume, "mask")])
    elsewhere = publish(np.ones((3, 4, 5)), 2 * np.eye(4))
    astray = Panel("c", "C", [Layer(volume), Layer(elsewhere, "outline")])
    for panels in ([], [tinted], [astray], [Panel("a", "A", [])], [one, one], [one, Panel("b", "B", [Layer(flat)])]):
        with pytest.raises(ValueError, match="panel"):
            check_panels(panels, ("navigate",))
    with pytest.raises(ValueError, match="jet"):
        check_panels([Panel("a", "A", [Layer(volume, "map", colormap="jet")])], ("navigate",))
    with pytest.raises(ValueError, match="hammer"):
        check_panels([one], ("hammer",))


def test_twelve_panels_stand_in_rows_and_a_thirteenth_is_a_mistake(volume):
    panels = [Panel(str(number), "A", [Layer(volume)]) for number in range(13)]
    check_panels(panels[:12], ("navigate",))
    with pytest.raises(ValueError, match="12 panels"):
        check_panels(panels, ("navigate",))


def test_the_browser_is_told_what_is_dimmed_and_which_maps_are_locked(volume):
    told = _panel_data(Panel("a", "A", [Layer(volume), Layer(volume, "map", lock="percent")], dimmed=True))
    assert told["dimmed"]
    assert [layer["lock"] for layer in told["layers"]] == [None, "percent"]
    assert not _panel_data(Panel("a", "A", [Layer(volume)]))["dimmed"]


def test_a_page_with_the_viewer_runs_and_reports_nothing_before_anything_is_done(store):
    from streamlit.testing.v1 import AppTest

    def script():
        import numpy as np
        import streamlit as st

        from dashboard.components.viewer import Layer, Panel, publish, viewer

        event = viewer([Panel("a", "A", [Layer(publish(np.eye(4), np.eye(4)))])], key="v", tools=("navigate", "brush"))
        st.write(f"{event.region} {event.crosshair} {event.problem}")

    app = AppTest.from_function(script).run()
    assert not app.exception
    assert app.markdown[0].value == "None None None"


def test_a_region_tells_the_surface_it_lies_on_and_one_of_an_unknown_surface_is_dropped():
    sent = {"shape": [3, 4, 5], "runs": [59, 1], "surface": "output"}
    assert read_event(sent, None, (3, 4, 5), {"input", "output"}).surface == "output"
    for surface in ("elsewhere", 3, None, ["output"]):
        event = read_event({**sent, "surface": surface}, None, (3, 4, 5), {"input", "output"})
        assert (event.region, event.surface, event.problem) == (None, None, None)
    assert read_event({**sent, "runs": []}, None, (3, 4, 5), {"output"}).surface is None


def test_handing_in_a_region_again_takes_another_number():
    region = np.zeros((3, 4), dtype=bool)
    region[1, 2] = True
    one, same, again, elsewhere = (
        _region_data(region, (3, 4), *told) for told in (("a", 0), ("a", 0), ("a", 1), ("b", 0))
    )
    assert one == same
    assert len({one["id"], again["id"], elsewhere["id"]}) == 3


@pytest.mark.parametrize(
    ("shape", "step", "length"), [((4, 5, 6), 1.0, "mm"), ((4, 5), 0.8, "mm"), ((4, 5), 1.0, "px")]
)
def test_a_brush_is_as_long_as_the_images_file_says_or_in_pixels(store, monkeypatch, shape, step, length):
    sent = {}

    def component(**given):
        sent.update(given["data"])
        return {}

    monkeypatch.setattr(components, "register", lambda *names: component)
    image = publish(np.zeros(shape, np.float32), np.diag([step, step, step, 1.0]))
    viewer([Panel("image", "Image", [Layer(image)])], key="any")
    assert sent["length"] == length

"""The viewer on small volumes with one bright voxel in a known, asymmetric place (``?case=...``)."""

import numpy as np
import streamlit as st

from dashboard.components.viewer import Layer, Panel, ViewerEvent, publish, viewer

ALL = ("navigate", "pixel", "brush", "lasso", "erase")
SHAPE, SPOT = (31, 26, 20), (5, 19, 12)
RAS = np.array([[2.0, 0, 0, -30], [0, 2, 0, -20], [0, 0, 3, -10], [0, 0, 0, 1]])
LAS = RAS @ np.array(
    [[-1.0, 0, 0, SHAPE[0] - 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
)  # first axis runs to the left
COARSE = RAS @ np.diag([2.0, 2, 2, 1])
COARSE[:3, 3] += RAS[:3, :3] @ (0.5, 0.5, 0.5)


def spotted() -> np.ndarray:
    """Dim everywhere, one bright voxel."""
    values = np.full(SHAPE, 10.0, dtype=np.float32)
    values[SPOT] = 250.0
    return values


def volumes(affine: np.ndarray, name: str) -> None:
    """Scan, and scan with a map on a coarser grid."""
    level = st.session_state.setdefault("level", 1)
    if st.button("New map"):
        st.session_state.level = level = level + 1
    st.button("Rerun")
    scan = publish(spotted, affine, name=f"{name}:scan")
    ramp = np.broadcast_to(np.linspace(0, 1, 13, dtype=np.float32)[None, :, None], (16, 13, 10))
    mapped = publish(ramp / level, COARSE, name=f"{name}:map {level}")
    panels = [
        Panel("scan", "Scan", [Layer(scan, name="scan", unit="HU")]),
        Panel(
            "map",
            "Map",
            [Layer(scan, name="scan", unit="HU"), Layer(mapped, "map", name="map", unit="share", range=(0, 1))],
        ),
        Panel("third", "Third", [Layer(scan, name="scan", unit="HU")], empty="Nothing had to be hidden."),
    ]
    report(viewer(panels, key="v", tools=ALL, crosshair=SPOT, report_crosshair=True))


def image() -> None:
    """Image with pixels twice as high as wide."""
    values = np.full((12, 30), 100, dtype=np.uint8)
    values[0, 0] = 0
    values[8, 23] = 255
    affine = np.diag([1.0, 0.5, 1, 1])
    reference = publish(values, affine, name="image")
    report(viewer([Panel("image", "Image", [Layer(reference, name="gray")])], key="flat", tools=ALL))


def given() -> None:
    """A volume that needs float32 (one outlier), and a region that Python hands in."""
    values = np.linspace(0, 1, int(np.prod(SHAPE)), dtype=np.float32).reshape(SHAPE)
    values[SPOT] = 0.123456
    values[0, 0, 0] = 1e6
    region = np.zeros(SHAPE, dtype=bool)
    region[3:6, 7, 11] = region[SPOT] = True
    scan = publish(values, RAS, name="outlier")
    st.button("Rerun")
    panel = Panel("scan", "Scan", [Layer(scan, name="scan")])
    report(viewer([panel], key="given", tools=ALL, region=region, crosshair=SPOT))


def narrow() -> None:
    """Two panels in half the width."""
    scan = publish(spotted, RAS, name="narrow")
    left, _ = st.columns(2)
    with left:
        viewer([Panel(k, f"Panel {k}", [Layer(scan, name="scan")]) for k in "ab"], key="n", tools=ALL)


def surfaces() -> None:
    """Two linked panels that are painted separately; a third like the second, a fourth that takes no paint."""
    values = np.full((40, 50), 60, dtype=np.uint8)
    values[20:, 25:] = 90
    picture = publish(values, np.eye(4), name="surfaces")
    ramp = np.broadcast_to(np.linspace(0, 1, 50, dtype=np.float32), (40, 50))
    mapped = publish(ramp.copy(), np.eye(4), name="surfaces map")
    early, late = (np.zeros((40, 50), dtype=bool) for _ in range(2))
    early[4, 5] = late[30, 40] = True
    step = st.session_state.setdefault("step", 0)
    if st.button("Back"):
        st.session_state.step = step = step + 1
    layers = [Layer(picture, name="picture", window=(0, 255))]
    panels = [
        Panel("in", "In", layers, surface="input"),
        Panel("out", "Out", [*layers, Layer(mapped, "map", range=(0, 1))], surface="output", insets=True),
        Panel("truth", "Truth", layers, surface="output"),
        Panel("other", "Other", layers, surface=None),
    ]
    given = (early if step % 2 else late) if step else None
    event = viewer(panels, key="s", tools=ALL, region=given, surface="input" if step % 2 else "output", revision=step)
    report(event)
    st.code(f"surface {event.surface}")


def report(event: ViewerEvent) -> None:
    """What arrived in Python, for the test to read."""
    marked = [] if event.region is None else np.argwhere(event.region).tolist()
    st.code(f"marked {marked[:4]} count {len(marked)} crosshair {event.crosshair} problem {event.problem}")


st.set_page_config(layout="wide")
case = st.query_params.get("case", "ras")
if case == "image":
    image()
elif case == "given":
    given()
elif case == "surfaces":
    surfaces()
elif case == "narrow":
    narrow()
else:
    volumes({"ras": RAS, "las": LAS}[case], case)

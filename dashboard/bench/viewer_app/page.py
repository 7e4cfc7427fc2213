"""Three linked viewers (``?way=viewer``), or the same three slices as plain images (``?way=images``)."""

import numpy as np
import streamlit as st

from dashboard.bench.viewer_app import volumes
from dashboard.components.viewer import Layer, Panel, publish, viewer


def with_viewer() -> None:
    """The component: volumes are published once and never held by a session."""
    scan = publish(volumes.scan, volumes.AFFINE, name="bench:scan")
    overlay = publish(volumes.overlay, volumes.AFFINE, name="bench:overlay")
    masked = publish(lambda: volumes.scan() * (1 - volumes.overlay()), volumes.AFFINE, name="bench:masked")
    volumes.release()
    both = [Layer(scan), Layer(overlay, "map", unit="opacity", range=(0, 1), threshold=0.05)]
    panels = [
        Panel("scan", "Scan", [Layer(scan)]),
        Panel("overlay", "Overlay", both),
        Panel("masked", "Masked", [Layer(masked)]),
    ]
    viewer(panels, key="bench-viewer")


def with_images() -> None:
    """What one writes without the component: a slider, three images, the volumes in the session."""
    if "scan" not in st.session_state:
        st.session_state.scan, st.session_state.overlay = volumes.scan().copy(), volumes.overlay().copy()
        volumes.release()
    position = st.slider("slice", 0, volumes.SHAPE[2] - 1, volumes.SHAPE[2] // 2)
    scan = st.session_state.scan[..., position]
    overlay = st.session_state.overlay[..., position]
    gray = np.repeat((255 * np.clip(scan, 0, 1))[..., None], 3, axis=2)
    red = gray.copy()
    red[..., 0] += 150 * overlay
    masked = gray * (1 - overlay[..., None])
    for column, image in zip(st.columns(3), (gray, red, masked), strict=True):
        column.image(np.rot90(np.clip(image, 0, 255).astype(np.uint8)), width="stretch")


st.set_page_config(layout="wide")
if st.query_params.get("way") == "images":
    with_images()
else:
    with_viewer()

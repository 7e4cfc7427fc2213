"""The slice viewer: a Streamlit component that slices, windows, blends and paints in the browser.

``docs/reference/viewer.md`` shows how to use it. The app must serve `dashboard.frame.server.volume_routes`.
"""

from dashboard.components.viewer.viewer import Hung, Layer, Panel, ViewerEvent, hung, painted, viewer
from dashboard.components.viewer.volumes import VolumeRef, packed_values, publish, publish_scan

__all__ = [
    "Hung",
    "Layer",
    "Panel",
    "ViewerEvent",
    "VolumeRef",
    "hung",
    "packed_values",
    "painted",
    "publish",
    "publish_scan",
    "viewer",
]

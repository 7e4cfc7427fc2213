"""The slice viewer: a Streamlit component that slices, windows, blends and paints in the browser.

``docs/reference/viewer.md`` shows how to use it. The app must serve `dashboard.frame.server.volume_routes`.
"""

from dashboard.components.viewer.viewer import Layer, Panel, ViewerEvent, painted, viewer
from dashboard.components.viewer.volumes import VolumeRef, publish, publish_scan

__all__ = ["Layer", "Panel", "ViewerEvent", "VolumeRef", "painted", "publish", "publish_scan", "viewer"]

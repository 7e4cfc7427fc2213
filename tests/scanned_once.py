"""What the environment holds, looked through once a session."""

from functools import cache

import pytest


@pytest.fixture(scope="session", autouse=True)
def components_scanned_once():
    """Every `AppTest` reads the metadata of all packages for components, 0.2 s each time: nothing is installed here."""
    from streamlit.components.v2 import manifest_scanner

    found = manifest_scanner.scan_component_manifests
    manifest_scanner.scan_component_manifests = cache(found)
    yield
    manifest_scanner.scan_component_manifests = found

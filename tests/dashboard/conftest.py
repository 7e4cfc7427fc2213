import pytest

from core.settings import settings
from dashboard.components.viewer import volumes
from tests.scanned_once import components_scanned_once  # noqa: F401 - a fixture


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store of its own for the test."""
    monkeypatch.setenv("LIGHTBOX_STORE_PATH", str(tmp_path / "store"))
    settings.cache_clear()
    volumes._key.cache_clear()
    yield tmp_path / "store"
    settings.cache_clear()
    volumes._key.cache_clear()

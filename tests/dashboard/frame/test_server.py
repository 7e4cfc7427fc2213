import numpy as np
import pytest

from dashboard.components.registering import COMPONENTS, scripts, scripts_version
from dashboard.components.viewer import publish, volumes
from dashboard.frame.server import volume_routes
from tests.dashboard.frame import asking


def get(path, owner="local"):
    return asking.get(path, volume_routes(lambda request: owner))


def test_the_owner_gets_the_packed_bytes_and_leaves_them_on_no_disk(store):
    reference = publish(np.arange(24, dtype=np.uint8).reshape(2, 3, 4), np.eye(4))
    status, headers, body = get(f"/lightbox/volume/{reference.token}")
    assert status == 200
    assert body == np.arange(24, dtype=np.uint8).reshape(2, 3, 4).tobytes(order="F")
    assert headers["cache-control"] == "private, no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-encoding"] == "identity"


@pytest.mark.parametrize("owner", ["somebody else", None, ""])
def test_anybody_else_gets_the_same_answer_as_for_a_volume_that_does_not_exist(store, owner):
    reference = publish(np.eye(3), np.eye(4))
    missing = get(f"/lightbox/volume/{volumes.sign('0' * 64, 'local')}")
    foreign = get(f"/lightbox/volume/{reference.token}", owner)
    assert foreign == missing
    assert foreign[0] == 404
    assert foreign[1]["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    "name", ["key", "../key", "..%2fkey", "%2e%2e/key", "/etc/passwd", "viewer.css", "../viewer.py"]
)
def test_no_path_leads_out_of_the_two_folders(store, name):
    publish(np.eye(3), np.eye(4))
    assert get(f"/lightbox/volume/{name}")[0] == 404
    assert get(f"/lightbox/viewer/{scripts_version('viewer')}/{name}")[0] == 404


@pytest.mark.parametrize("component", ["trace", "static", "..", "..%2fviewer", "volume"])
def test_only_components_have_scripts(store, component):
    assert get(f"/lightbox/{component}/0123456789abcdef/main.js")[0] == 404


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_script_is_served_as_javascript(store, component):
    assert "main.js" in scripts(component)
    for name, path in scripts(component).items():
        status, headers, body = get(f"/lightbox/{component}/{scripts_version(component)}/{name}")
        assert status == 200
        assert headers["content-type"].startswith("text/javascript")
        assert body == path.read_bytes()
        assert "immutable" in headers["cache-control"]


def test_a_script_of_another_version_is_not_kept(store):
    assert get("/lightbox/viewer/0123456789abcdef/main.js")[1]["cache-control"] == "no-store"

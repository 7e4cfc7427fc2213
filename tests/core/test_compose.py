"""The container as compose starts it."""

import pytest
import yaml

from core.settings import ROOT


@pytest.mark.parametrize("service", ["lightbox", "lightbox-gpu"])
def test_the_container_keeps_nothing_elsewhere_and_has_limits(service):
    described = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"][service]
    assert described["init"] is True
    assert described["read_only"] is True
    assert described["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in described["security_opt"]
    assert described["mem_limit"]
    assert described["pids_limit"]
    assert [mount.split(":")[0] for mount in described["tmpfs"]] == ["/tmp"]
    assert described["volumes"] == ["store:/data"]
    assert all(port.startswith("127.0.0.1:") for port in described["ports"])
    assert "LIGHTBOX_ALLOWED_HOSTS" in described["environment"]

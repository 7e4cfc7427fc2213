import socket

import pytest

from core.settings import settings
from dashboard.frame import hosts


@pytest.fixture
def allowed(monkeypatch):
    def allow(names):
        monkeypatch.setenv("LIGHTBOX_ALLOWED_HOSTS", names)
        settings.cache_clear()

    allow("")
    yield allow
    monkeypatch.undo()
    settings.cache_clear()


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "localhost:8501", "LOCALHOST:8501", "127.0.0.1:8501", "[::1]:8501", "127.8.9.1", "10.0.0.7:80"),
        *("a.localhost", "localhost.", socket.gethostname()),
    ],
)
def test_this_machine_is_asked_by_its_names_and_addresses(allowed, host):
    assert hosts.is_our_host(host)


@pytest.mark.parametrize(
    "host",
    [
        *(None, "", "evil.example", "evil.example:8501", "127.0.0.1.evil.example", "localhost.evil.example", " "),
        *("user@localhost", "localhost/x", "localhost?x", "localhost:no", "localhost:99999", "[::1", "0x7f.1.evil"),
        "evillocalhost",
    ],
)
def test_a_name_that_somebody_else_may_own_is_not_ours(allowed, host):
    assert not hosts.is_our_host(host)


def test_names_of_a_deployment_are_added(allowed):
    allowed("App.Example.org, *.lab.example.org,")
    assert hosts.is_our_host("app.example.org:443")
    assert hosts.is_our_host("one.lab.example.org")
    assert hosts.is_our_host("localhost:8501")
    assert not hosts.is_our_host("lab.example.org.evil.example")
    assert not hosts.is_our_host("evillab.example.org")
    allowed("*")
    assert hosts.is_our_host("anything.example")


@pytest.mark.parametrize(
    ("origin", "host", "ours"),
    [
        (None, "localhost:8501", True),
        ("http://localhost:8501", "localhost:8501", True),
        ("http://localhost:3000", "localhost:8501", False),
        ("http://127.0.0.1:8501", "localhost:8501", False),
        ("http://evil.example", "localhost:8501", False),
        ("null", "localhost:8501", False),
        ("http://[", "localhost:8501", False),
        ("https://app.example.org", "inside:8501", True),
    ],
)
def test_a_websocket_is_opened_by_our_own_pages_only(allowed, origin, host, ours):
    allowed("app.example.org")
    assert hosts.is_our_origin(origin, host) is ours


def test_streamlit_is_told_the_names_where_they_are_all_known(allowed):
    assert hosts.named_hosts("127.0.0.1") == hosts.LOOPBACK
    assert hosts.named_hosts("0.0.0.0") == ()
    allowed("app.example.org")
    assert hosts.named_hosts("localhost") == (*hosts.LOOPBACK, "app.example.org")

"""What can be listed, and what is said of what cannot."""

import pytest

from core import plugins
from core.command_line import listings
from core.command_line.listings import everything_left_out, kinds, rows
from core.errors import BadInput, LightboxError
from core.registry import Registry


def test_every_kind_gives_rows_with_names_in_alphabetical_order_of_kinds():
    assert kinds() == sorted(kinds())
    for kind in kinds():
        found, _ = rows(kind)
        assert found
        assert all(row["name"] for row in found)


def test_a_kind_that_is_none_names_those_there_are():
    with pytest.raises(BadInput, match=r"^There is no kind 'dreams'; there is architectures, benches, cohorts"):
        rows("dreams")


@pytest.fixture
def added(monkeypatch):
    """Let a plug-in declare a kind ``dreams``."""

    def add(brought):
        monkeypatch.setattr(listings, "_added", lambda: {"dreams": "the plug-in"})
        monkeypatch.setattr(plugins, "load", lambda _: brought)

    return add


def test_a_plug_in_may_bring_a_kind_of_its_own(added):
    added(Registry("dreams", "dream", []))
    assert "dreams" in kinds()
    assert rows("dreams") == ([], [])


def test_a_kind_without_a_registry_is_said_and_hides_no_other(added):
    added("no registry")
    with pytest.raises(LightboxError, match=r"^The kind dreams cannot be listed: what brings it has no"):
        rows("dreams")
    found = {left.what: left for left in everything_left_out()}
    left = found["The kind dreams"]
    assert "has no core.registry.Registry" in left.reason


def test_warnings_are_heard_again_after_a_listing():
    import logging

    rows("explainers")
    assert logging.getLogger("anything").isEnabledFor(logging.WARNING)

import pytest

from dashboard.components import display


@pytest.mark.parametrize(("name", "value"), [("a", "b; path=/x"), ("A", "b"), ("a", "b=c"), ("a\n", "b"), ("", "b")])
def test_only_small_letters_become_a_cookie(name, value):
    with pytest.raises(ValueError, match="no cookie of ours"):
        display.remember(name, value)


def test_the_browser_is_told_name_value_and_path(monkeypatch):
    told = {}
    monkeypatch.setattr(display.registering, "register", lambda *names: lambda **given: told.update(given))
    display.remember("lightbox_display", "light+presenter")
    assert told["data"]["cookie"] == "lightbox_display=light+presenter"
    assert told["data"]["path"].endswith("/")

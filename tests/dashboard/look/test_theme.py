import re

from core.explainers import explainers
from core.explainers.extras import Color
from core.settings import ROOT
from dashboard.look import theme


def test_every_colour_that_an_explainer_may_have_is_one_of_its_own():
    assert set(theme.PALETTE) == set(Color.__args__)
    assert len({*theme.PALETTE.values(), *theme.EXPLAINER_FALLBACK}) == len(theme.PALETTE) + len(
        theme.EXPLAINER_FALLBACK
    )


def test_an_explainer_has_the_colour_that_it_names(monkeypatch):
    for name, cls in explainers().items():
        assert theme.explainer_color(name) == theme.PALETTE[cls.color]
    for odd in (None, "url(x)"):
        monkeypatch.setattr(explainers()["saliency"], "color", odd)
        assert theme.explainer_color("saliency") in theme.EXPLAINER_FALLBACK


def test_one_that_is_gone_has_the_same_colour_every_time():
    assert theme.explainer_color("gone") == theme.explainer_color("gone") in theme.EXPLAINER_FALLBACK


def luminance(colour):
    """Relative luminance of ``#rrggbb`` (WCAG 2.2)."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_words_can_be_read_on_what_they_stand_on():
    assert contrast("#ffffff", "#000000") == 21
    words = [theme.TEXT, theme.TEXT_MUTED, theme.WARNING, theme.GOOD, theme.CHART, theme.BEFORE, theme.AFTER]
    words += [theme.ACCENT, *theme.PALETTE.values(), *theme.EXPLAINER_FALLBACK]
    for ground in (theme.BACKGROUND, theme.SURFACE, theme.SURFACE_RAISED):
        assert min(contrast(word, ground) for word in words) >= 4.5
    assert contrast(theme.ON_ACCENT, theme.ACCENT) >= 4.5


def test_every_colour_of_words_in_the_style_sheet_can_be_read():
    sheet = (ROOT / "dashboard" / "static" / "style.css").read_text(encoding="utf-8")
    words = set(re.findall(r"[{;\s]color: (#[0-9a-f]{6})", sheet)) - {theme.ON_ACCENT, "#2a0f08"}
    assert len(words) > 8
    assert min(contrast(word, theme.SURFACE_RAISED) for word in words) >= 4.5

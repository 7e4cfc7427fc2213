from core.explainers import explainers
from core.explainers.extras import Color
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

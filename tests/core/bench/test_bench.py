import pytest

from core.bench import BENCHES, SCREEN_BENCHES, run_bench
from core.errors import BadInput, LightboxError
from dashboard.bench import BENCHES as BESIDE


def test_every_bench_of_the_dashboard_can_be_asked_for_here() -> None:
    assert set(SCREEN_BENCHES) == set(BESIDE)
    assert not set(SCREEN_BENCHES) & set(BENCHES)


def test_an_unknown_bench_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match="deconvnet, ibix, mask, start, trace, viewer"):
        run_bench("nothing")


def test_a_bench_that_cannot_run_here_says_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LIGHTBOX_CHROMIUM", "/nowhere/chromium")
    with pytest.raises(LightboxError, match="start could not run"):
        run_bench("start")
    assert "LIGHTBOX_CHROMIUM" in capfd.readouterr().err

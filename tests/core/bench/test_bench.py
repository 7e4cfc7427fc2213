import subprocess
import sys

import pytest

from core.bench import BENCHES, bench_names, run_bench
from core.errors import BadInput, LightboxError
from core.registry import names_in
from core.settings import ROOT


def test_every_file_with_a_benchmark_is_found_without_a_screen_and_with_one() -> None:
    screens = set(names_in("dashboard.bench", without={"browser", "start_app", "viewer_app"}))
    assert screens >= {"start", "trace", "viewer"}
    assert set(bench_names()) == screens | set(names_in("core.bench"))
    assert not screens & set(names_in("core.bench"))


def test_every_benchmark_can_be_run() -> None:
    assert BENCHES.left_out() == []
    assert BENCHES.usable().keys() == set(bench_names())
    assert all(callable(module.run) for module in BENCHES.usable().values())


def test_their_names_cost_neither_torch_nor_a_screen() -> None:
    code = (
        "import sys; from core.bench import bench_names; bench_names(); "
        "sys.exit(any(m in sys.modules for m in ('torch', 'streamlit', 'dashboard')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_an_unknown_bench_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match="deconvnet, ibix, mask, start, trace, viewer"):
        run_bench("nothing")


def test_a_bench_that_cannot_run_here_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTBOX_CHROMIUM", "/nowhere/chromium")
    with pytest.raises(LightboxError, match="LIGHTBOX_CHROMIUM"):
        run_bench("start")

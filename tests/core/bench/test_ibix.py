import json
import time

import numpy as np
import pytest

from core.bench import ibix
from core.models import load_model


@pytest.fixture
def small(monkeypatch):
    """The demo model and scan, few jitters and superpixels, no second process."""
    monkeypatch.setattr(ibix, "JITTERS", 10)
    monkeypatch.setattr(ibix, "SUPERPIXELS", 60)
    monkeypatch.setattr(ibix, "REPEATS", 2)
    monkeypatch.setattr(ibix, "SAMPLE", 2)
    monkeypatch.setattr(ibix, "VOLUME_SIDE", 16)
    monkeypatch.setattr(ibix, "MANY_SUPERPIXELS", 80)
    monkeypatch.setattr(ibix, "MANY_JITTERS", 10)
    demo = ibix.Subject("demo", load_model(ibix.DEMO_SLICE), ibix._demo_scan(ibix.DEMO_SLICE))
    monkeypatch.setattr(ibix, "_subject", lambda: demo)
    return demo


def test_ibix_bench_compares_with_the_plain_way_of_the_same_run(small, monkeypatch, capsys):
    monkeypatch.setattr(ibix, "_memory_row", lambda subject: ibix._row("memory", 1.0, 2.0, "MB", None))
    result = ibix.run()
    rows = {row["what"]: row for row in result["rows"]}
    assert set(rows) == {
        "forward",
        "forward batched",
        "backward all",
        "backward pruned",
        "backward levels",
        "gradient",
        "unet forward",
        "volume forward",
        "memory",
    }
    for row in rows.values():
        assert {"what", "value", "baseline", "ratio", "unit", "error"} <= set(row)
        assert row["ratio"] == pytest.approx(row["value"] / row["baseline"])
    # exactness does not depend on how busy the machine is
    assert rows["forward"]["error"] <= 1e-5
    assert rows["backward all"]["error"] <= 1e-4
    assert rows["backward pruned"]["error"] <= 1e-4
    assert rows["backward pruned"]["superpixels_evaluated"] < rows["backward all"]["superpixels_evaluated"]
    assert -1 <= rows["gradient"]["correlation"] <= 1


def test_memory_is_that_of_the_work_and_not_of_what_was_there_before():
    before = np.ones(4_000_000)
    with ibix._Peak() as peak:
        during = np.ones(8_000_000)
        time.sleep(0.05)
        del during
    assert 55e6 < peak.grown < 55e6 + before.nbytes


def test_memory_is_measured_over_as_much_work_as_is_asked_for(small, capsys):
    ibix.measure_memory()
    found = json.loads(capsys.readouterr().out)
    assert found["jitters"] == ibix.MANY_JITTERS
    assert found["superpixels_asked"] == ibix.MANY_SUPERPIXELS
    assert 0 <= found["grown_mb"] < ibix.LIMIT_MB

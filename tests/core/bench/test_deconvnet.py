import pytest

from core.bench import deconvnet


def test_deconvnet_bench_compares_with_captum_filter_by_filter_in_the_same_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deconvnet, "SIDE", 64)
    monkeypatch.setattr(deconvnet, "FILTERS", 4)
    monkeypatch.setattr(deconvnet, "REPEATS", 1)
    monkeypatch.setattr(deconvnet, "CHUNKS", (1, 2, 4))
    rows = {row["what"]: row for row in deconvnet.run()["rows"]}
    assert set(rows) == {"top-25", "top-25 shallow", "top-25 deeper", "combined", "chunks"}
    for row in rows.values():
        assert row["value"] > 0
        assert row["ratio"] == pytest.approx(row["value"] / row["baseline"])
        assert row["times_faster"] == pytest.approx(1 / row["ratio"])
        # exactness does not depend on how busy the machine is; two float32 programs round differently
        assert row["error"] <= 2e-6
    assert rows["top-25"]["layer"] == "features.block4.conv3"
    assert rows["top-25 shallow"]["layer"] == "features.block1.conv2"
    assert rows["top-25"]["filters"] == 4
    assert set(rows["chunks"]["seconds"]) == {1, 2, 4}
    # the error is one of maps and not of nothing: another filter's map is far away
    subject = deconvnet.Subject("shallow", deconvnet.choose_device("cpu"))
    maps = subject.ours()
    one, other = list(maps)[:2]
    assert deconvnet._error(maps[one], subject.captum([other])) > 0.1

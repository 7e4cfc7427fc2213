import pytest

from core.bench import mask


def test_mask_bench_measures_its_rows_against_baselines_of_the_same_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mask, "ITERATIONS", 6)
    monkeypatch.setattr(mask, "SUBJECTS", 1)
    result = mask.run()
    rows = {row["what"]: row for row in result["rows"]}
    assert set(rows) == {"mask iteration", "mask iteration float32", "session mask", "mask inside"}
    for row in rows.values():
        assert {"what", "value", "baseline", "ratio", "unit", "error"} <= set(row)
        assert row["value"] > 0
        assert row["ratio"] == pytest.approx(row["value"] / row["baseline"])
    # one iteration cannot cost less than the network alone (in processor time: neighbours may be busy)
    assert rows["mask iteration float32"]["cpu_ratio"] > 0.7
    assert rows["session mask"]["before"] >= 0.9 > 0.05 >= rows["session mask"]["after"]
    assert rows["mask inside"]["value"] > 5 * rows["mask inside"]["baseline"]

import numpy as np
import pytest

from core.errors import BadInput
from core.explainers import explain
from core.explainers.many import explain_group
from core.progress import Progress
from core.scans import Scan
from tests.core.explainers.toys import Toy


def _readers(toy: Toy, count: int = 3):
    scans = [toy.scan(seed) for seed in range(count)]
    return scans, [(f"scan {number}", lambda scan=scan: scan) for number, scan in enumerate(scans)]


def test_a_groups_map_is_the_mean_and_its_spread_the_deviation(trained: Toy):
    scans, readers = _readers(trained)
    group = explain_group(readers, trained.model, "saliency", target="AD")
    maps = np.stack([explain(scan, trained.model, "saliency", target="AD").arrays["map"].values for scan in scans])
    np.testing.assert_allclose(group.explanation.arrays["map"].values, maps.mean(axis=0), rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(group.explanation.arrays["spread"].values, maps.std(axis=0), rtol=1e-3, atol=1e-6)
    expected = maps.std(axis=0).sum() / np.abs(maps.mean(axis=0)).sum()
    assert group.explanation.numbers["relative_spread"] == pytest.approx(expected, rel=1e-3)
    assert group.explanation.numbers["scans"] == 3
    assert [row["scan"] for row in group.rows] == ["scan 0", "scan 1", "scan 2"]
    assert "3 scans" in group.explanation.sentence


def test_equal_scans_have_no_spread(trained: Toy):
    scans, _ = _readers(trained, 1)
    group = explain_group([("a", lambda: scans[0]), ("b", lambda: scans[0])], trained.model, "saliency", target="AD")
    assert group.explanation.numbers["relative_spread"] == 0
    assert "0%" in group.explanation.sentence


def test_progress_of_a_group_goes_once_from_start_to_end_and_names_the_scan(trained: Toy):
    told: list[Progress] = []
    _, readers = _readers(trained)
    explain_group(readers, trained.model, "saliency", target="AD", report=told.append)
    fractions = [progress.fraction for progress in told]
    assert fractions == sorted(fractions)
    assert fractions[0] < 0.34
    assert told[0].message.startswith("scan 1 of 3: ")
    assert told[-1].message.startswith("scan 3 of 3: ")


def test_a_scan_of_another_shape_is_named(trained: Toy):
    scans, readers = _readers(trained, 2)
    larger = np.pad(scans[0].array, [(0, 0), *[(0, 1)] * scans[0].dimensions])
    readers.append(("odd one", lambda: Scan(larger, scans[0].affine)))
    with pytest.raises(BadInput, match="odd one"):
        explain_group(readers, trained.model, "saliency", target="AD")


def test_an_empty_group_is_refused(trained: Toy):
    with pytest.raises(BadInput, match="no scan"):
        explain_group([], trained.model, "saliency")

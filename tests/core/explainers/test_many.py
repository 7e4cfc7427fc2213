import copy
import dataclasses

import numpy as np
import pytest

from core.errors import BadInput, Cancelled
from core.explainers import explain
from core.explainers.many import explain_group, over_many
from core.explainers.run import Asker
from core.metrics.atlas import Atlas
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


def test_the_progress_of_each_is_a_part_of_the_whole():
    told: list[Progress] = []
    items = [(str(n), lambda n=n: n) for n in range(4)]
    list(over_many(items, lambda item, told: told(Progress(0.5, "at work")), report=told.append))
    assert [progress.fraction for progress in told] == pytest.approx([0.125, 0.375, 0.625, 0.875])


def test_a_group_whose_maps_are_zero_everywhere_says_so(trained: Toy):
    network = copy.deepcopy(trained.model.network)
    for weights in network.parameters():
        weights.zero_()
    nothing = dataclasses.replace(trained.model, network=network)
    _, readers = _readers(trained, 2)
    found = explain_group(readers, nothing, "saliency", target="AD").explanation
    assert found.sentence == "The map is zero everywhere, on all of 2 scans."
    assert found.numbers["relative_spread"] == 0


def test_a_scan_of_another_shape_is_named(trained: Toy):
    scans, readers = _readers(trained, 2)
    larger = np.pad(scans[0].array, [(0, 0), *[(0, 1)] * scans[0].dimensions])
    readers.append(("odd one", lambda: Scan(larger, scans[0].affine)))
    with pytest.raises(BadInput, match="odd one"):
        explain_group(readers, trained.model, "saliency", target="AD")


def test_an_empty_group_is_refused(trained: Toy):
    with pytest.raises(BadInput, match="no scan"):
        explain_group([], trained.model, "saliency")


def _broken():
    raise BadInput("The file is not there: choose another.")


def test_one_that_cannot_be_read_stops_all_and_is_named(trained: Toy):
    _, readers = _readers(trained, 2)
    readers.insert(1, ("lost.nii", _broken))
    with pytest.raises(BadInput, match=r"^lost\.nii: The file is not there"):
        explain_group(readers, trained.model, "saliency", target="AD")


def test_one_that_cannot_be_read_may_be_left_out_and_is_said(trained: Toy):
    _, readers = _readers(trained, 2)
    whole = explain_group(readers, trained.model, "saliency", target="AD")
    readers.insert(0, ("lost.nii", _broken))
    group = explain_group(readers, trained.model, "saliency", target="AD", failures="skip")
    np.testing.assert_array_equal(group.explanation.arrays["map"].values, whole.explanation.arrays["map"].values)
    assert group.left_out == (("lost.nii", "The file is not there: choose another."),)
    assert "the scan lost.nii was left out: The file is not there: choose another." in group.explanation.warnings
    assert [row["scan"] for row in group.rows] == ["scan 0", "scan 1"]
    with pytest.raises(BadInput, match=r"^None of the scans could be explained\. lost\.nii: The file"):
        explain_group([("lost.nii", _broken)], trained.model, "saliency", failures="skip")


def test_cancelling_ends_everything_also_where_failures_are_skipped():
    asked = []

    def report(progress: Progress) -> None:
        if progress.message == "film 2 of 3: at work":
            raise Cancelled

    def ask(item: int, told) -> int:
        told(Progress(0.5, "at work"))
        asked.append(item)
        return item

    with pytest.raises(Cancelled):
        list(over_many([(str(n), lambda n=n: n) for n in range(3)], ask, report=report, failures="skip", word="film"))
    assert asked == [0]


def test_memory_does_not_grow_with_the_number_of_scans():
    """Of everything that was read or found, what is used now and what was found last are all there is."""

    class Large:
        alive = most = 0

        def __init__(self) -> None:
            Large.alive += 1
            Large.most = max(Large.most, Large.alive)

        def __del__(self) -> None:
            Large.alive -= 1

    answers = over_many([(str(n), Large) for n in range(20)], lambda item, told: Large())
    for asked in answers:
        assert asked.answer is not None
    assert Large.most <= 3


def test_regions_are_ranked_for_the_first_scan_only(trained: Toy, monkeypatch):
    ranked = []
    atlas = Atlas("toy atlas", np.ones(trained.scan(0).shape, np.int32), {1: "head"})
    monkeypatch.setattr("core.explainers.run._atlas", lambda *_: atlas)
    monkeypatch.setattr("core.explainers.run.rank_regions", lambda *given: ranked.append(given) or ())
    _, readers = _readers(trained, 3)
    group = explain_group(readers, trained.model, "saliency", target="AD")
    assert len(ranked) == 1
    assert group.explanation.atlas == "toy atlas"


def test_the_map_alone_is_that_of_the_explanation_before_it_is_laid_over_the_scan(trained: Toy):
    scan = trained.scan(3)
    asker = Asker(trained.model, "saliency", parameters={"signed": True})
    prepared = trained.model.prepare(scan)
    values = asker.map(prepared, "AD").values
    found = explain(scan, trained.model, "saliency", target="AD", parameters={"signed": True})
    np.testing.assert_array_equal(prepared.to_scan(values), found.arrays["map"].values)
    assert found.parameters["signed"]


def test_scans_of_a_group_that_the_model_cannot_read_are_counted_and_named(trained: Toy):
    scans, readers = _readers(trained)
    far = dataclasses.replace(scans[1], array=scans[1].array * 1000)
    readers[1] = ("a foreign one", lambda: far)
    group = explain_group(readers, trained.model, "saliency", target="AD")
    assert [row["acceptance"] for row in group.rows] == ["unknown", "refused", "unknown"]
    found = group.explanation
    title = trained.model.card.title
    assert f"1 of 3 scans is not what {title} was made for" in found.sentence
    assert any("a foreign one (" in warning for warning in found.warnings)
    assert not found.acceptance.refused  # of most of them
    assert "acceptance" not in found.numbers
    mostly = explain_group([*readers, ("another", lambda: far), ("a third", lambda: far)], trained.model, "saliency")
    assert mostly.explanation.acceptance.refused
    assert mostly.explanation.sentence.startswith("3 of 5 scans are not what")

"""What the recipe hands to the training, to the judgement and to the card."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from core.cohorts.cohort import Cohort, split_by_subject
from core.cohorts.reading import read_cohort
from core.phantoms.radiographs.films import RadiographParameters
from core.progress import Progress
from core.training import get_recipe
from core.training.fitting.data import Images
from core.training.fitting.loop import Change, Schedule
from core.training.recipes.anatomy import training as anatomy
from tests.core.training.part_films import PARTS, TINY, films

ANATOMY = get_recipe("anatomy")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return films(tmp_path_factory.mktemp("films") / "cohort")


class AskedError(Exception):
    """Raised in place of the training."""


def asked(
    monkeypatch: pytest.MonkeyPatch, cohort: Path, values: Mapping[str, object]
) -> tuple[nn.Module, Images, Schedule, Change, np.random.Generator]:
    """What the recipe hands to the training, which is not done."""
    found: list[tuple[nn.Module, Images, Schedule, Change, np.random.Generator]] = []

    def watch(*given: Any) -> None:
        found.append(given[:5])
        raise AskedError

    with monkeypatch.context() as patch, pytest.raises(AskedError):
        patch.setattr(anatomy, "optimise", watch)
        ANATOMY.train(ANATOMY.parameters(values={**TINY, **values}), cohort, cohort.parent / "never")
    return found[0]


def test_settings_reach_the_training(cohort: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"learning_rate": 0.003, "gradient_clip": 0.5, "balanced": False, "precision": "bfloat16", "epochs": 3}
    schedule = asked(monkeypatch, cohort, values)[2]
    assert (schedule.learning_rate, schedule.gradient_clip, schedule.batch) == (0.003, 0.5, 6)
    assert (schedule.balanced, schedule.bfloat16, schedule.plain_steps) == (False, True, 0)
    assert schedule.steps == 3 * 54 / 6
    usual = asked(monkeypatch, cohort, {"batch": 4, "epochs": 3})[2]
    assert (usual.balanced, usual.bfloat16) == (True, False)
    # two of each of three classes, as four is not enough for as many of each
    assert usual.steps == 3 * 54 / 6


@pytest.mark.parametrize(("size", "rate"), [(16, 1.0), (128, 0.25)])
def test_the_first_dense_layer_learns_slower_the_more_places_it_sums_over(
    cohort: Path, monkeypatch: pytest.MonkeyPatch, size: int, rate: float
) -> None:
    network, _, schedule, _, _ = asked(monkeypatch, cohort, {"size": size})
    assert dict(schedule.slower) == {"dense.linear1.weight": rate}
    assert "dense.linear1.weight" in dict(network.named_parameters())


def test_the_seed_draws_split_weights_batches_and_augmentation(cohort: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"augment": True, "validation": 0.2}
    one, other = (asked(monkeypatch, cohort, values | {"seed": seed}) for seed in (1, 2))
    parts = split_by_subject(read_cohort(cohort), 0.2, 0.25, 1, one_session=False)
    assert one[1].entries == parts.part("train") != other[1].entries
    assert not torch.equal(next(one[0].parameters()), next(other[0].parameters()))
    assert one[4].random() != other[4].random()
    images = torch.rand(4, 1, 16, 16)
    assert not torch.equal(one[3](images), other[3](images))


def test_labels_follow_the_classes_of_the_card_whatever_the_order_of_the_table(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = films(tmp_path / "cohort", patients=12)
    head, *rows = (folder / "participants.tsv").read_text(encoding="utf-8").splitlines()
    (folder / "participants.tsv").write_text("\n".join([head, *reversed(rows)]) + "\n", encoding="utf-8")
    images = asked(monkeypatch, folder, {})[1]
    assert [PARTS[label] for label in images.labels] == [entry.label for entry in images.entries]
    assert ANATOMY.train(ANATOMY.parameters(values=TINY), folder, tmp_path / "model").classes == PARTS


def test_batch_norm_settles_after_the_training_on_the_same_films(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, tuple[Any, ...]]] = []
    monkeypatch.setattr(anatomy, "optimise", lambda *given: calls.append(("trained", given[:5])))
    monkeypatch.setattr(anatomy, "settle_batch_norm", lambda *given: calls.append(("settled", given)))
    ANATOMY.train(ANATOMY.parameters(values=TINY), cohort, tmp_path / "model")
    (first, trained), (second, settled) = calls
    assert (first, second) == ("trained", "settled")
    assert all(one is other for one, other in zip(trained, settled, strict=True))


@pytest.mark.parametrize(("half", "stored"), [(True, torch.float16), (False, torch.float32)])
def test_the_weights_that_are_judged_are_those_that_are_stored(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, half: bool, stored: torch.dtype
) -> None:
    judged: list[dict[str, torch.Tensor]] = []

    def watch(network: nn.Module, *given: Any) -> dict[str, Any]:
        judged.append({name: value.clone() for name, value in network.state_dict().items()})
        return {}

    monkeypatch.setattr(anatomy, "judge", watch)
    monkeypatch.setattr(anatomy, "optimise", lambda *given: None)
    reports: list[Progress] = []
    ANATOMY.train(ANATOMY.parameters(values=TINY | {"half": half}), cohort, tmp_path / "model", reports.append)
    kept = load_file(tmp_path / "model" / "weights.safetensors")
    assert {value.dtype for value in kept.values()} == {stored}
    assert judged[0].keys() == kept.keys()
    assert all(torch.equal(kept[name].float(), value) for name, value in judged[0].items())
    size = sum(value.numel() * value.element_size() for value in kept.values())
    assert any(report.message.endswith(f"{size / 1e6:,.1f} MB on disk") for report in reports)


def test_what_a_cohort_leaves_out_is_told_and_described(tmp_path: Path) -> None:
    folder = films(tmp_path / "cohort", patients=12)
    with (folder / "participants.tsv").open("a", encoding="utf-8") as table:
        table.write("sub-99\t\t0-0.png\n")
    reports: list[Progress] = []
    card = ANATOMY.train(ANATOMY.parameters(values=TINY), folder, tmp_path / "model", reports.append)
    assert "1 row without a class left out." in [report.message for report in reports]
    assert "1 row without a class left out." in card.training.data


@pytest.mark.parametrize("size", [16, 256])
def test_films_are_drawn_no_smaller_than_usual_and_no_smaller_than_the_network_reads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, size: int
) -> None:
    def watch(parameters: RadiographParameters) -> Cohort:
        raise AskedError(parameters.size)

    monkeypatch.setattr(anatomy, "radiograph_cohort", watch)
    usual = RadiographParameters().size
    assert 16 < usual < 256
    with pytest.raises(AskedError, match=rf"^{max(size, usual)}$"):
        ANATOMY.train(ANATOMY.parameters(values=TINY | {"size": size}), None, tmp_path / "model")

"""The recipe end to end, on films small enough to train in seconds."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from core.cohorts.cohort import Cohort, split_by_subject
from core.cohorts.reading import read_cohort
from core.errors import BadInput, Cancelled
from core.models.card import Architecture
from core.models.library import load_model
from core.phantoms.radiographs.films import ANATOMIES, RadiographParameters, radiograph_cohort
from core.progress import Progress
from core.scans import load_scan
from core.training import get_recipe
from core.training.base import SAID_BY_THE_CARD
from core.training.recipes.anatomy import training as anatomy
from core.training.recipes.anatomy.parameters import AnatomyParameters
from core.training.recipes.anatomy.training import count_weights
from tests.core.training.part_films import PARTS, TINY, films
from tests.shared import SHARED_DATA

SHARED = SHARED_DATA
ANATOMY = get_recipe("anatomy")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return films(tmp_path_factory.mktemp("films") / "cohort")


@pytest.fixture(scope="module")
def trained(cohort: Path) -> tuple[Path, list[Progress]]:
    """A shallow network trained on the films, what was reported."""
    out = cohort.parent / "Small Shallow"
    reports: list[Progress] = []
    ANATOMY.train(ANATOMY.parameters(values=TINY | {"epochs": 12, "learning_rate": 0.003}), cohort, out, reports.append)
    return out, reports


def test_parts_are_learnt_and_films_of_other_patients_are_put_right(
    cohort: Path, trained: tuple[Path, list[Progress]]
) -> None:
    model = load_model(trained[0])
    test = model.card.metrics["test"]
    assert test["films"] == 18 and test["patients"] == 9
    assert test["balanced_accuracy"] >= 0.8
    assert [sum(row) for row in test["confusion"]] == [6, 6, 6]
    assert test["recall"]["box"] == round(test["confusion"][1][1] / 6, 4)
    low, high = test["balanced_accuracy_95"]
    assert low < test["balanced_accuracy"] <= high
    assert max(model.predict(load_scan(cohort / "1-0.png")).items(), key=lambda item: item[1])[0] == "box"


def test_the_card_describes_the_model_and_repeats_it(trained: tuple[Path, list[Progress]]) -> None:
    card = load_model(trained[0]).card
    assert card.name == "small-shallow" and card.classes == PARTS
    assert (card.input.shape, card.input.modality, card.input.intensity.rescale) == ((16, 16), "X-ray film", "minmax")
    assert card.feature_layers == ("features.block1.conv1", "features.block1.conv2")
    assert card.attribution_layer == card.feature_layers[-1]
    assert not card.synthetic and card.license == "" and card.healthy is None
    assert "on the films as they are" in card.description
    command = card.training.command
    assert command.startswith("python -m core train anatomy --cohort DIR --out small-shallow --param ")
    typed = dict(part.split("=") for part in command.split(" --param ")[1:])
    repeated = ANATOMY.parameters(values=typed).model_dump(mode="json", exclude=SAID_BY_THE_CARD)
    assert repeated | {"weights": card.training.details["weights"]} == card.training.details


def test_the_size_of_the_weights_is_told_before_training(trained: tuple[Path, list[Progress]]) -> None:
    out, reports = trained
    weights = sum(value.numel() for value in load_file(out / "weights.safetensors").values())
    assert any(report.message.startswith(f"{weights:,} weights") for report in reports)
    assert load_model(out).card.training.details["weights"] == weights
    assert {value.dtype for value in load_file(out / "weights.safetensors").values()} == {torch.float16}


def test_progress_has_the_curve_of_the_loss(trained: tuple[Path, list[Progress]]) -> None:
    rows = [report.history for report in trained[1] if report.history]
    assert rows[-1]["loss"] < rows[0]["loss"] and rows[-1]["step"] == 54 * 12 // 6
    fractions = [report.fraction for report in trained[1]]
    assert fractions == sorted(fractions) and fractions[-1] == 1


def test_no_patient_is_on_both_sides_and_every_film_of_those_held_out_is_kept(cohort: Path) -> None:
    parts = split_by_subject(read_cohort(cohort), 0.0, 0.1, 0, one_session=False)
    sides = [{entry.participant_id for entry in parts.part(split)} for split in ("train", "test")]
    assert not sides[0] & sides[1] and len(sides[0] | sides[1]) == 36
    assert len(parts.part("test")) == 2 * len(sides[1])
    per_class = [sum(entry.label == part for entry in parts.part("test")) for part in PARTS]
    assert per_class == [2, 2, 2]


@pytest.mark.parametrize("network", ["shallow", "regularised"])
def test_the_same_seed_makes_the_same_model_and_another_does_not(cohort: Path, tmp_path: Path, network: str) -> None:
    made = []
    for number, seed in enumerate((1, 1, 2)):
        parameters = ANATOMY.parameters(values=TINY | {"network": network, "seed": seed, "test": 0.5})
        ANATOMY.train(parameters, cohort, tmp_path / str(number))
        made.append((tmp_path / str(number) / "weights.safetensors").read_bytes())
    assert made[0] == made[1] != made[2]


def test_the_published_network_with_batch_norm_is_the_one_that_augments() -> None:
    default = [AnatomyParameters(network=name).augmented for name in ("shallow", "deeper", "regularised")]
    assert default == [False, False, True]
    assert AnatomyParameters(network="deeper", augment=True).augmented
    assert not AnatomyParameters(network="regularised", augment=False).augmented


def test_films_are_changed_while_training_and_only_when_asked(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed: list[float] = []

    class Counting(anatomy.Augmentation):
        def __call__(self, images: torch.Tensor) -> torch.Tensor:
            changed.append(self._ranges.rotation)
            return super().__call__(images)

    monkeypatch.setattr(anatomy, "Augmentation", Counting)
    ANATOMY.train(ANATOMY.parameters(values=TINY), cohort, tmp_path / "plain")
    assert changed == []
    card = ANATOMY.train(
        ANATOMY.parameters(values=TINY | {"augment": True, "rotation": 5}), cohort, tmp_path / "changed"
    )
    assert len(changed) >= 9 and set(changed) == {5}
    assert "changed at random" in card.description


def test_an_uneven_cohort_is_trained_balanced_or_as_it_is(tmp_path: Path) -> None:
    folder = films(tmp_path / "cohort", uneven=True)
    for balanced in (True, False):
        parameters = ANATOMY.parameters(values=TINY | {"balanced": balanced})
        card = ANATOMY.train(parameters, folder, tmp_path / f"{balanced}")
        assert [sum(row) for row in card.metrics["test"]["confusion"]] == [6, 6, 2]


def test_bfloat16_learns_as_well(cohort: Path, tmp_path: Path) -> None:
    parameters = ANATOMY.parameters(values=TINY | {"epochs": 12, "learning_rate": 0.003, "precision": "bfloat16"})
    card = ANATOMY.train(parameters, cohort, tmp_path / "model")
    assert card.metrics["test"]["balanced_accuracy"] >= 0.8


def test_a_class_that_no_held_out_film_shows_is_told(tmp_path: Path) -> None:
    folder = films(tmp_path / "cohort", patients=6)
    head, *rows = (folder / "participants.tsv").read_text(encoding="utf-8").splitlines()
    split = [f"{row}\t{'test' if row.startswith(('sub-00', 'sub-01')) else 'train'}" for row in rows]
    (folder / "participants.tsv").write_text("\n".join([f"{head}\tsplit", *split]) + "\n", encoding="utf-8")
    reports: list[Progress] = []
    card = ANATOMY.train(ANATOMY.parameters(values=TINY), folder, tmp_path / "model", reports.append)
    assert any(report.message == "no film of ring is held out: their recall stays unknown" for report in reports)
    assert set(card.metrics["test"]["recall"]) == {"bar", "box"}
    assert len(card.metrics["test"]["confusion"]) == 3


def test_without_held_out_films_nothing_is_claimed(cohort: Path, tmp_path: Path) -> None:
    reports: list[Progress] = []
    card = ANATOMY.train(ANATOMY.parameters(values=TINY | {"test": 0}), cohort, tmp_path / "model", reports.append)
    assert card.metrics == {}
    assert not [report for report in reports if "held out" in report.message]


def test_a_class_without_training_films_is_refused(tmp_path: Path) -> None:
    folder = films(tmp_path / "cohort", patients=6)
    table = (folder / "participants.tsv").read_text(encoding="utf-8").splitlines()
    split = [f"{row}\t{'test' if 'ring' in row else 'train'}" for row in table[1:]]
    (folder / "participants.tsv").write_text("\n".join([table[0] + "\tsplit", *split]), encoding="utf-8")
    with pytest.raises(BadInput, match="no film for training of ring: hold out fewer patients"):
        ANATOMY.train(ANATOMY.parameters(values=TINY), folder, tmp_path / "model")


def test_without_a_cohort_films_are_drawn_and_others_judge_the_shift(tmp_path: Path) -> None:
    parameters = ANATOMY.parameters(values=TINY | {"films": 10, "shifted_films": 2, "marker": "class"})
    card = ANATOMY.train(parameters, None, tmp_path / "model")
    assert card.synthetic and card.license == "Apache-2.0"
    assert card.classes == tuple(sorted(ANATOMIES)) and "no person was filmed" in card.training.data
    assert (card.metrics["test"]["films"], card.metrics["shifted"]["films"]) == (8, 16)
    assert [sum(row) for row in card.metrics["shifted"]["confusion"]] == [2] * 8
    assert card.training.command.startswith("python -m core train anatomy --out model --param")


def test_the_shifted_films_are_of_other_people_and_their_markers_follow_no_class(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[RadiographParameters] = []

    def watch(parameters: RadiographParameters) -> Cohort:
        asked.append(parameters)
        return radiograph_cohort(parameters)

    monkeypatch.setattr(anatomy, "radiograph_cohort", watch)
    for seed in (0, anatomy.SHIFTED_SEED):
        values = TINY | {"films": 2, "shifted_films": 1, "marker": "class", "seed": seed, "test": 0}
        ANATOMY.train(ANATOMY.parameters(values=values), None, tmp_path / str(seed))
    half = len(asked) // 2
    for drawn in (asked[:half], asked[half:]):
        # films for training, shifted ones, and those that only limits are told from
        assert len({p.seed for p in drawn}) == len(drawn) == 3
        assert [p.marker for p in drawn if p.shifted] == ["random"]
        assert [p.marker for p in drawn if not p.shifted] == ["class", "class"]


def test_columns_without_a_cohort_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No cohort is given and films are drawn: name a folder with --cohort"):
        ANATOMY.train(ANATOMY.parameters(values=TINY | {"label_column": "part"}), None, tmp_path / "model")


def test_volumes_are_refused(tmp_path: Path) -> None:
    import nibabel as nib

    folder = tmp_path / "cohort"
    for number in range(6):
        place = folder / ("one" if number % 2 else "two")
        place.mkdir(parents=True, exist_ok=True)
        nib.save(nib.Nifti1Image(np.ones((8, 8, 8), np.float32), np.eye(4)), place / f"{number}.nii.gz")
    with pytest.raises(BadInput, match="learns from films, and these are volumes: use the recipe classifier"):
        ANATOMY.train(ANATOMY.parameters(values=TINY | {"test": 0}), folder, tmp_path / "model")


def test_a_network_too_large_for_the_memory_is_refused_before_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    class Memory:
        available = 10**9

    monkeypatch.setattr("core.training.recipes.anatomy.training.psutil.virtual_memory", Memory)
    arguments = {"shape": [224, 224], "classes": 24, "channels": 1, "variant": "shallow"}
    with pytest.raises(BadInput, match=r"At 224 pixels the network has 102,782,\d{3} weights .* smaller size"):
        count_weights(Architecture(name="anatomy-cnn", arguments=arguments), 224)
    deeper = Architecture(name="anatomy-cnn", arguments=arguments | {"variant": "deeper"})
    assert count_weights(deeper, 224) < 10_000_000


def test_cancelling_writes_nothing(cohort: Path, tmp_path: Path) -> None:
    def cancel(progress: Progress) -> None:
        if progress.history:
            raise Cancelled

    with pytest.raises(Cancelled):
        ANATOMY.train(ANATOMY.parameters(values=TINY), cohort, tmp_path / "model", cancel)
    assert not (tmp_path / "model").exists()


def test_a_parameter_that_does_not_exist_is_named() -> None:
    with pytest.raises(BadInput, match=r"no parameter 'rotate'; there are .*rotation"):
        ANATOMY.parameters(values={"rotate": 10})


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "xray_bodypart").is_dir(), reason=f"the shared X-rays are not at {SHARED}")
def test_real_films_are_split_by_patient_and_part() -> None:
    chosen = ANATOMY.parameters(
        values={
            "table": "labels.csv",
            "images": "images",
            "label_column": "target_names",
            "subject_column": "patient_id",
            "separator": "|",
            "minimum": "25",
            "exclude": "Others",
        }
    )
    parts = split_by_subject(read_cohort(SHARED / "xray_bodypart", chosen.selection), 0.0, 0.25, 0, one_session=False)
    sides = [{entry.participant_id for entry in parts.part(split)} for split in ("train", "test")]
    assert not sides[0] & sides[1]
    assert len(parts.part("train")) + len(parts.part("test")) == 543
    for part in parts.classes:
        counts = [sum(entry.label == part for entry in parts.part(split)) for split in ("train", "test")]
        assert 0.1 < counts[1] / sum(counts) < 0.45

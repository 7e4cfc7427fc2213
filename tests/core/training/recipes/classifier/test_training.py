"""The recipe end to end, on cohorts small enough to train in seconds."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from core.errors import BadInput, Cancelled
from core.models.library import load_model
from core.progress import Progress
from core.scans import load_scan
from core.training import get_recipe
from core.training.base import SAID_BY_THE_CARD, model_name

CLASSIFIER = get_recipe("classifier")
TINY = {"spacing_mm": 8, "phantom_twins": 2, "phantom_singles": 2, "steps": 3}


def pictures(folder: Path, subjects: int = 24) -> Path:
    """A cohort of 8-bit pictures: nothing, a bright square on the left, one on the right."""
    random = np.random.default_rng(0)
    folder.mkdir()
    rows = ["participant_id\tfinding\tfile"]
    for number in range(subjects):
        label = ("nothing", "left", "right")[number % 3]
        image = random.normal(90, 10, (20, 24))
        if label != "nothing":
            image[6:14, (2 if label == "left" else 14) :][:, :8] += 80
        Image.fromarray(np.clip(image, 0, 255).astype(np.uint8)).save(folder / f"{number}.png")
        rows.append(f"sub-{number:02d}\t{label}\t{number}.png")
    (folder / "participants.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[Progress]]:
    """Folder of pictures, the model trained on it, what was reported."""
    base = tmp_path_factory.mktemp("pictures")
    folder, out = pictures(base / "cohort"), base / "three-ways"
    values = {"label_column": "finding", "healthy": "nothing", "target": "right", "steps": 60, "batch": 6}
    parameters = CLASSIFIER.parameters(
        values={**values, "test": 0.25, "validation": 0, "support": "mean", "learning_rate": 0.003}
    )
    reports: list[Progress] = []
    CLASSIFIER.train(parameters, folder, out, reports.append)
    return folder, out, reports


def test_any_classes_of_any_pictures_can_be_learnt(trained: tuple[Path, Path, list[Progress]]) -> None:
    folder, out, _ = trained
    model = load_model(out)
    assert model.card.classes == ("nothing", "left", "right")
    assert (model.card.healthy, model.card.target, model.card.synthetic) == ("nothing", "right", False)
    assert model.card.metrics["test"]["subjects"] == 6
    assert model.card.metrics["test"]["balanced_accuracy"] >= 0.8
    assert "swap_test" not in model.card.metrics
    assert model.predict(load_scan(folder / "2.png"))["right"] > 0.5


def test_the_card_names_layers_that_are_there_and_a_command_that_repeats_it(
    trained: tuple[Path, Path, list[Progress]],
) -> None:
    model = load_model(trained[1])
    for name in (*model.card.feature_layers, model.card.attribution_layer):
        assert model.layer(name) is not None
    command = model.card.training.command
    assert command.startswith("python -m core train classifier --cohort DIR --out three-ways --param ")
    repeated = dict(part.split("=") for part in command.split(" --param ")[1:])
    made = CLASSIFIER.parameters(values=repeated).model_dump(exclude=SAID_BY_THE_CARD)
    assert made == model.card.training.details


def test_references_fit_the_models_input(trained: tuple[Path, Path, list[Progress]]) -> None:
    model = load_model(trained[1])
    for values in model.references.values():
        assert values.shape == model.card.input.shape
    assert set(np.unique(model.references["support"])) <= {0, 1}
    # pictures arrive as 0..1 and healthy ones lie around 90 of 255
    assert model.references["healthy_mean"].mean() == pytest.approx(90 / 255, abs=0.01)


def test_progress_runs_from_start_to_end_with_the_loss_on_the_way(
    trained: tuple[Path, Path, list[Progress]],
) -> None:
    fractions = [report.fraction for report in trained[2]]
    assert fractions == sorted(fractions) and fractions[0] >= 0 and fractions[-1] == 1
    steps = [report.history["step"] for report in trained[2] if report.history]
    assert steps == [10, 20, 30, 40, 50, 60]


def test_without_a_cohort_it_makes_phantoms_and_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    cards = [CLASSIFIER.train(CLASSIFIER.parameters(values=TINY), None, tmp_path / name) for name in ("one", "two")]
    weights = [load_file(tmp_path / name / "weights.safetensors") for name in ("one", "two")]
    assert all(np.array_equal(weights[0][key], weights[1][key]) for key in weights[0])
    assert cards[0].synthetic and (cards[0].classes, cards[0].target, cards[0].healthy) == (("CN", "AD"), "AD", "CN")
    assert cards[0].metrics == cards[1].metrics
    assert {"test", "validation", "swap_test"} <= set(cards[0].metrics)
    other = CLASSIFIER.parameters(values={**TINY, "seed": 1})
    CLASSIFIER.train(other, None, tmp_path / "three")
    assert not np.array_equal(
        load_file(tmp_path / "three" / "weights.safetensors")["classifier.weight"], weights[0]["classifier.weight"]
    )


@pytest.mark.parametrize(
    ("folder", "name"), [("My_model v2", "my-model-v2"), ("--x--", "x"), ("ü", "model"), ("a" * 80, "a" * 64)]
)
def test_any_folder_name_makes_a_library_name(tmp_path: Path, folder: str, name: str) -> None:
    assert model_name(tmp_path / folder) == name


def test_a_cancelled_training_leaves_nothing_behind(tmp_path: Path) -> None:
    def cancel(progress: Progress) -> None:
        if progress.history:
            raise Cancelled

    with pytest.raises(Cancelled):
        CLASSIFIER.train(CLASSIFIER.parameters(values=TINY), None, tmp_path / "out", cancel)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [({"healthy": "well"}, "healthy class 'well' is not"), ({"target": "MCI"}, "target class 'MCI' is not")],
)
def test_a_class_the_cohort_lacks_is_refused_before_any_training(
    tmp_path: Path, values: dict[str, str], sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence):
        CLASSIFIER.train(CLASSIFIER.parameters(values={**TINY, **values}), None, tmp_path / "out")


def test_phantoms_that_cannot_be_drawn_are_refused_in_one_sentence(tmp_path: Path) -> None:
    parameters = CLASSIFIER.parameters(values={**TINY, "spacing_mm": 0.5})
    with pytest.raises(BadInput, match=r"^Parameter spacing_mm: .*greater than or equal to 1 \(given: 0\.5\)\.$"):
        CLASSIFIER.train(parameters, None, tmp_path / "out")

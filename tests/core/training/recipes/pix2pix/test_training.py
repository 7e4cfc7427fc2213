"""The recipe end to end, on images small enough to train in seconds."""

import dataclasses
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import BadInput, Cancelled
from core.models.library import load_model
from core.progress import Progress
from core.scans import load_scan
from core.training import get_recipe
from core.training.base import SAID_BY_THE_CARD

PIX2PIX = get_recipe("pix2pix")
TINY = {"width": 4, "levels": 4, "patch_width": 4, "patch_halvings": 1, "crop": 32, "jitter_pixels": 2, "batch": 4}


def folder_of_pairs(root: Path, ending: str, cases: int = 10) -> Path:
    """Blobs, and what should become of them: the negative, as 8-bit grey or as HU in a TIFF."""
    random = np.random.default_rng(0)
    (root / "MRI").mkdir(parents=True)
    (root / "CT").mkdir()
    for number in range(2 * cases):
        coarse = Image.fromarray(random.integers(0, 256, (4, 4), dtype=np.uint8))
        image = np.asarray(coarse.resize((32, 32), Image.Resampling.BILINEAR))
        Image.fromarray(image).save(root / "MRI" / f"{number // 2:02d}{number}.png")
        negative = (255 - image) if ending == "png" else ((255 - image) / 255 * 2000 - 900).astype(np.float32)
        Image.fromarray(negative).save(root / "CT" / f"{number // 2:02d}{number}.{ending}")
    return root


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[Progress]]:
    """Folder of pairs in HU, the model trained on it, what was reported."""
    base = tmp_path_factory.mktemp("hu")
    folder, out = folder_of_pairs(base / "pairs", "tiff"), base / "negative"
    reports: list[Progress] = []
    values = {**TINY, "steps": 150, "learning_rate": 3e-3, "case_pattern": r"\d\d"}
    PIX2PIX.train(PIX2PIX.parameters(values=values), folder, out, reports.append)
    return folder, out, reports


def test_a_folder_of_pairs_makes_a_model_that_answers_in_hu(trained: tuple[Path, Path, list[Progress]]) -> None:
    folder, out, _ = trained
    model = load_model(out, "cpu")
    output = model.card.output
    assert output is not None
    assert (output.low, output.high, output.units) == (-1024, 1250, "HU")
    assert (output.network_low, output.network_high) == (-1, 1)
    shown, true = load_scan(folder / "MRI" / "000.png"), load_scan(folder / "CT" / "000.tiff")
    made = model.generate(model.prepare(shown))
    assert made.shape == (1, 32, 32)
    # −900..1100 HU came of it: most of the way is found
    assert np.abs(made - true.array).mean() < 150
    assert np.corrcoef(made.ravel(), true.array.ravel())[0, 1] > 0.9


def test_held_out_cases_are_judged_beside_two_plainer_guesses(trained: tuple[Path, Path, list[Progress]]) -> None:
    metrics = load_model(trained[1], "cpu").card.metrics["test"]
    assert (metrics["pairs"], metrics["cases"]) == (4, 2)
    for figure in ("mae", "mae_air", "mae_soft", "mae_bone", "ssim", "mae_95", "ssim_95"):
        assert figure in metrics
    assert metrics["mae_95"][0] <= metrics["mae"] <= metrics["mae_95"][1]
    # the negative is a function of the intensity: that guess must be nearly right, the mean image far off
    assert metrics["mae_of_intensity_regression"] < 10
    assert metrics["ssim_of_intensity_regression"] > 0.99
    assert metrics["mae"] < 0.5 * metrics["mae_of_mean_target"]


def test_losses_of_both_players_are_told(trained: tuple[Path, Path, list[Progress]]) -> None:
    rows = [report.history for report in trained[2] if report.history]
    assert [row["step"] for row in rows] == list(range(10, 151, 10))
    assert set(rows[0]) == {"step", "l1", "adversarial", "discriminator"}
    fractions = [report.fraction for report in trained[2]]
    assert fractions == sorted(fractions)


def test_the_card_names_layers_that_are_there_and_a_command_that_repeats_it(
    trained: tuple[Path, Path, list[Progress]],
) -> None:
    model = load_model(trained[1], "cpu")
    assert len([model.layer(name) for name in model.card.feature_layers]) == 8
    assert not model.card.synthetic
    command = model.card.training.command
    assert command.startswith("python -m core train pix2pix --cohort DIR --out negative --param ")
    repeated = dict(word.split("=", 1) for word in shlex.split(command) if "=" in word)
    made = PIX2PIX.parameters(values=repeated).model_dump(exclude=SAID_BY_THE_CARD)
    assert made == model.card.training.details


def test_a_target_that_is_a_picture_holds_grey_levels_and_no_hu(tmp_path: Path) -> None:
    folder = folder_of_pairs(tmp_path / "pairs", "png", cases=6)
    card = PIX2PIX.train(
        PIX2PIX.parameters(values={**TINY, "steps": 2, "case_pattern": r"\d\d"}), folder, tmp_path / "grey"
    )
    assert card.output is not None
    assert (card.output.low, card.output.high, card.output.units) == (0, 255, "grey level")
    assert "mae_bone" not in card.metrics["test"]
    asked = {"target_low": -200, "target_high": 200, "target_units": "HU", "steps": 2, "case_pattern": r"\d\d"}
    card = PIX2PIX.train(PIX2PIX.parameters(values={**TINY, **asked}), folder, tmp_path / "window")
    assert card.output is not None
    assert (card.output.low, card.output.high, card.output.units) == (-200, 200, "HU")


def test_three_images_coded_as_colours_are_three_channels_and_a_grey_picture_serves_too(tmp_path: Path) -> None:
    folder = folder_of_pairs(tmp_path / "pairs", "tiff", cases=4)
    random = np.random.default_rng(0)
    for path in (folder / "MRI").iterdir():
        Image.fromarray(random.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(path)
    card = PIX2PIX.train(
        PIX2PIX.parameters(values={**TINY, "steps": 2, "case_pattern": r"\d\d"}), folder, tmp_path / "colour"
    )
    assert card.input.channels == 3
    model = load_model(tmp_path / "colour", "cpu")
    scan = load_scan(folder / "MRI" / "000.png")
    made = model.generate(model.prepare(scan))
    assert made.shape == (1, 32, 32)
    # colours count, not only their luminance
    other = dataclasses.replace(scan, colours=scan.colours[::-1])
    assert not np.allclose(model.generate(model.prepare(other)), made)
    assert model.generate(model.prepare(dataclasses.replace(scan, colours=None))).shape == (1, 32, 32)
    card = PIX2PIX.train(
        PIX2PIX.parameters(values={**TINY, "steps": 2, "case_pattern": r"\d\d", "channels": "1"}),
        folder,
        tmp_path / "grey",
    )
    assert card.input.channels == 1


def test_without_a_cohort_it_makes_phantoms_and_says_so(tmp_path: Path) -> None:
    values = {**TINY, "steps": 2, "phantom_train": 3, "phantom_test": 1, "phantom_size": 64}
    card = PIX2PIX.train(PIX2PIX.parameters(values=values), None, tmp_path / "phantom")
    assert card.synthetic and "synthetic pairs" in card.training.data
    assert card.output is not None and card.output.units == "HU"
    assert card.metrics["test"]["pairs"] == 1


def test_a_cancelled_training_writes_nothing(tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.history:
            raise Cancelled

    values = {**TINY, "steps": 20, "phantom_train": 2, "phantom_test": 1, "phantom_size": 64}
    with pytest.raises(Cancelled):
        PIX2PIX.train(PIX2PIX.parameters(values=values), None, tmp_path / "none", stop)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "values, sentence",
    [
        ({"crop": 40}, "multiple of 16"),
        ({"target_low": 2000}, "target_low 2000 is not below target_high 1250"),
    ],
)
def test_settings_that_do_not_fit_are_refused(values: dict, sentence: str, tmp_path: Path) -> None:
    small = {**TINY, "phantom_train": 1, "phantom_test": 1, "phantom_size": 64}
    with pytest.raises(BadInput, match=sentence):
        PIX2PIX.train(PIX2PIX.parameters(values={**small, **values}), None, tmp_path / "none")

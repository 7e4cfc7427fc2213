"""The recipe "autoencoder": it learns, keeps the best weights, judges fairly, and takes the authors' weights."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from core.cohorts.pairs import Pair, read_pairs
from core.errors import BadInput, Cancelled
from core.models.card import OutputContract
from core.models.library import load_model
from core.models.zoo import build
from core.progress import Progress, silent
from core.scans import Scan, load_scan
from core.training import get_recipe
from core.training.fitting.pairs import PairTensors, answers, input_contract, load_pairs, target_contract
from core.training.recipes.autoencoder.parameters import AutoencoderParameters
from core.training.recipes.autoencoder.training import fit, judge, load_starting_weights
from tests.shared import SHARED_DATA

SHARED = SHARED_DATA / "ibix_t1_t2"
TINY = {
    "epochs": 6,
    "batch": 4,
    "learning_rate": 0.01,
    "widths": (8, 4),
    "phantom_train": 12,
    "phantom_held_out": 4,
    "phantom_rows": 48,
    "phantom_columns": 40,
}


def tensors(count: int, seed: int = 0) -> PairTensors:
    """Squares whose target is dark where they are bright, inside a frame that stays: learnable in seconds."""
    random = np.random.default_rng(seed)
    x = np.zeros((count, 1, 16, 16), np.float32)
    for image in x:
        row, column = random.integers(2, 9, 2)
        image[0, row : row + 5, column : column + 5] = random.uniform(0.6, 1)
    y = np.where(x > 0, 0.2, 0.8).astype(np.float32)
    pairs = tuple(Pair(f"p{n}", f"c{n}") for n in range(count))
    return PairTensors(torch.from_numpy(x), torch.from_numpy(y), pairs)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Progress]]:
    out = tmp_path_factory.mktemp("models") / "T1 to T2"
    said: list[Progress] = []
    recipe = get_recipe("autoencoder")
    recipe.train(recipe.parameters(values=TINY), None, out, said.append)
    return out, said


def test_a_model_folder_comes_out_that_answers_in_the_scans_own_shape(trained: tuple[Path, list[Progress]]) -> None:
    model = load_model(trained[0], "cpu")
    assert model.card.name == "t1-to-t2"
    assert (model.card.task, model.card.synthetic, model.card.input.multiple_of) == ("regression", True, 4)
    picture = Scan(np.random.default_rng(0).uniform(0, 255, (1, 37, 30)).astype(np.float32), np.eye(4), units="8-bit")
    prepared = model.prepare(picture)
    assert prepared.spacing_mm == (1.0, 1.0)
    made = model.generate(prepared)
    assert made.shape == (1, 37, 30)
    assert 0 <= made.min() < made.max() <= 1
    assert "no person was scanned" in model.card.training.data
    assert model.card.training.command.startswith("python -m core train autoencoder --out t1-to-t2 --param widths=")


def test_progress_has_a_row_an_epoch_and_ends(trained: tuple[Path, list[Progress]]) -> None:
    rows = [progress.history for progress in trained[1] if progress.history]
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[-1]["loss"] < rows[0]["loss"]
    fractions = [progress.fraction for progress in trained[1]]
    assert fractions == sorted(fractions)
    assert fractions[-1] > 0.95


def test_the_card_has_held_out_errors_with_intervals_beside_the_guesses_to_beat(
    trained: tuple[Path, list[Progress]],
) -> None:
    metrics = load_model(trained[0], "cpu").card.metrics
    for split in ("validation", "test"):
        assert metrics[split]["pairs"] == metrics[split]["cases"] == 4
        for name in ("mse", "mse_of_mean_target", "mse_of_intensity_regression"):
            low, high = metrics[split][f"{name}_95"]
            assert 0 < low <= metrics[split][name] <= high
    assert metrics["train"]["pairs"] == 12
    assert 1 <= metrics["best_epoch"] <= 6


def test_the_same_seed_gives_the_same_weights(trained: tuple[Path, list[Progress]], tmp_path: Path) -> None:
    recipe = get_recipe("autoencoder")
    recipe.train(recipe.parameters(values=TINY), None, tmp_path / "again")
    first, second = (load_model(folder, "cpu").network.state_dict() for folder in (trained[0], tmp_path / "again"))
    for name, value in first.items():
        torch.testing.assert_close(value, second[name])


def test_it_learns_what_neither_guess_can() -> None:
    """A square's neighbourhood decides: the per-intensity guess is right here, the mean image is not."""
    torch.manual_seed(1)
    network = build("autoencoder", {"widths": [8, 8]})
    parts = {"train": tensors(64), "test": tensors(16, seed=1)}
    parameters = AutoencoderParameters(epochs=60, batch=8, learning_rate=0.01, widths=(8, 8))
    assert fit(network, parts["train"], None, parameters, silent) is None
    metrics = judge(network, parts, OutputContract(), seed=0)["test"]
    assert metrics["mse"] < 0.5 * metrics["mse_of_mean_target"]
    assert metrics["mse_of_intensity_regression"] < 1e-6


def test_the_guesses_are_learnt_from_the_training_pairs_alone() -> None:
    train, test = tensors(8), tensors(4, seed=1)
    metrics = judge(build("autoencoder", {"widths": [2]}), {"train": train, "test": test}, OutputContract(), 0)
    expected = float(((train.targets.mean(0) - test.targets) ** 2).mean())
    assert metrics["test"]["mse_of_mean_target"] == pytest.approx(expected, abs=1e-6)


def test_errors_are_in_the_cards_units() -> None:
    train, test = tensors(8), tensors(4, seed=1)
    network = build("autoencoder", {"widths": [2]})
    plain = judge(network, {"train": train, "test": test}, OutputContract(), 0)["test"]
    scaled = judge(network, {"train": train, "test": test}, OutputContract(low=0, high=100), 0)["test"]
    for name in ("mse", "mse_of_mean_target"):
        assert scaled[name] == pytest.approx(1e4 * plain[name], rel=1e-3)


def test_the_weights_of_the_best_validation_are_kept() -> None:
    torch.manual_seed(0)
    network = build("autoencoder", {"widths": [4, 4]})
    validation = tensors(4, seed=1)
    # what is validated is the opposite of what is trained: the longer, the worse
    opposite = PairTensors(validation.inputs, 1 - validation.targets, validation.pairs)
    errors: list[float] = []
    best = fit(
        network,
        tensors(16),
        opposite,
        AutoencoderParameters(epochs=8, batch=4, learning_rate=0.02, widths=(4, 4)),
        lambda progress: errors.append(progress.history["validation"]),
    )
    assert best is not None
    assert best.error == min(errors) < errors[-1]
    assert best.epoch == errors.index(min(errors)) + 1
    with torch.no_grad():
        error = float(((network(opposite.inputs) - opposite.targets) ** 2).mean())
    assert error == pytest.approx(best.error, rel=1e-4)


def test_patience_ends_a_training_that_no_longer_gets_better() -> None:
    torch.manual_seed(0)
    validation = tensors(4, seed=1)
    opposite = PairTensors(validation.inputs, 1 - validation.targets, validation.pairs)
    rows: list[Progress] = []
    parameters = AutoencoderParameters(epochs=50, batch=4, learning_rate=0.02, widths=(4, 4), patience=3)
    best = fit(build("autoencoder", {"widths": [4, 4]}), tensors(16), opposite, parameters, rows.append)
    assert best is not None
    assert len(rows) == best.epoch + 3 < 50


def test_a_gradient_gathered_in_chunks_is_that_of_the_whole_batch() -> None:
    """Batches of 20 go through the network in parts of 8; one Nadam step by hand on the whole must agree."""
    torch.manual_seed(0)
    network = build("autoencoder", {"widths": [4]})
    other = build("autoencoder", {"widths": [4]})
    other.load_state_dict(network.state_dict())
    data = tensors(20)
    parameters = AutoencoderParameters(epochs=1, batch=20, learning_rate=0.01, schedule="constant", widths=(4,))
    fit(network, data, None, parameters, silent)
    mean = data.targets.mean()
    dict(other.named_parameters())["conv2.bias"].data.fill_(float(torch.log(mean / (1 - mean))))
    optimiser = torch.optim.NAdam(other.parameters(), lr=0.01)
    ((other(data.inputs) - data.targets) ** 2).mean().backward()
    optimiser.step()
    for name, value in other.state_dict().items():
        torch.testing.assert_close(network.state_dict()[name], value, atol=1e-5, rtol=1e-4)


def test_a_diverging_training_and_a_cancelled_one_end_without_a_model(tmp_path: Path) -> None:
    bad = tensors(4)
    bad.inputs[0, 0, 0, 0] = float("nan")
    with pytest.raises(BadInput, match="diverged in epoch 1"):
        fit(build("autoencoder", {"widths": [2]}), bad, None, AutoencoderParameters(epochs=1), silent)

    def cancel(progress: Progress) -> None:
        if progress.history:
            raise Cancelled

    recipe = get_recipe("autoencoder")
    with pytest.raises(Cancelled):
        recipe.train(recipe.parameters(values={**TINY, "phantom_train": 2}), None, tmp_path / "model", cancel)
    assert not (tmp_path / "model").exists()


def test_a_folder_of_pictures_trains_and_its_card_names_no_path(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for name in (f"{n:02d}_1" for n in range(8)):
        for side in ("T1", "T2"):
            path = tmp_path / "my-pairs" / side / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 255, (20, 18), dtype=np.uint8)).save(path)
    start = tmp_path / "start.safetensors"
    save_file(build("autoencoder", {"widths": [2]}).state_dict(), start)
    recipe = get_recipe("autoencoder")
    parameters = recipe.parameters(values={"epochs": "1", "widths": [2], "weights": str(start)})
    card = recipe.train(parameters, tmp_path / "my-pairs", tmp_path / "model")
    assert not card.synthetic
    assert card.training.data == "5 pairs of T1 and T2 of the cohort my-pairs; started from start.safetensors"
    assert str(tmp_path) not in (tmp_path / "model" / "card.yaml").read_text()
    scan = load_scan(tmp_path / "my-pairs" / "T1" / "00_1.png")
    model = load_model(tmp_path / "model", "cpu")
    assert model.generate(model.prepare(scan)).shape == (1, 20, 18)


def test_volumes_train_a_network_of_three_dimensions(tmp_path: Path) -> None:
    import nibabel

    random = np.random.default_rng(0)
    for name in "abcd":
        for side in ("T1", "T2"):
            path = tmp_path / "volumes" / side / f"{name}.nii.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            nibabel.save(nibabel.Nifti1Image(random.normal(500, 90, (10, 9, 8)).astype(np.float32), np.eye(4)), path)
    recipe = get_recipe("autoencoder")
    card = recipe.train(
        recipe.parameters(values={"epochs": 1, "widths": [2, 2]}), tmp_path / "volumes", tmp_path / "model"
    )
    assert (card.input.dimensions, card.input.modality, card.input.intensity.rescale) == (3, "T1 volume", "minmax")
    model = load_model(tmp_path / "model", "cpu")
    scan = load_scan(tmp_path / "volumes" / "T1" / "a.nii.gz")
    assert model.prepare(scan).tensor.shape == (1, 1, 12, 12, 8)
    assert model.generate(model.prepare(scan)).shape == (1, 10, 9, 8)


def test_zero_epochs_judge_the_weights_as_they_are(tmp_path: Path) -> None:
    start = tmp_path / "start.safetensors"
    torch.manual_seed(5)
    network = build("autoencoder", {"widths": [8, 4]})
    save_file(network.state_dict(), start)
    recipe = get_recipe("autoencoder")
    card = recipe.train(recipe.parameters(values={**TINY, "epochs": 0, "weights": start}), None, tmp_path / "model")
    assert card.training.data == "weights of start.safetensors, trained elsewhere"
    assert "best_epoch" not in card.metrics
    assert not card.synthetic
    for name, value in load_model(tmp_path / "model", "cpu").network.state_dict().items():
        torch.testing.assert_close(value, network.state_dict()[name])


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    network = build("autoencoder", {})
    with pytest.raises(BadInput, match="is not there"):
        load_starting_weights(network, tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("hello")
    with pytest.raises(BadInput, match="not a safetensors file"):
        load_starting_weights(network, tmp_path / "text.safetensors")
    save_file(build("autoencoder", {"widths": [4]}).state_dict(), tmp_path / "small.safetensors")
    with pytest.raises(BadInput, match="do not fit this network"):
        load_starting_weights(network, tmp_path / "small.safetensors")


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the IBIX authors' weights and slices are not at {SHARED}")
def test_the_authors_weights_reach_their_error_on_the_test_pairs() -> None:
    cohort = read_pairs(SHARED)
    pairs = cohort.part("test")
    assert len(pairs) == 30
    output = OutputContract(units="signal")
    sees = input_contract(cohort.load(pairs[0])[0], multiple_of=8)
    test = load_pairs(cohort, pairs, sees, target_contract(cohort.load(pairs[0])[1], sees, output), output, silent)
    assert test.inputs.shape == (30, 1, 232, 200)
    network = build("autoencoder", {})
    load_starting_weights(network, SHARED / "autoencoder_t1_to_t2.safetensors")
    error = float(((answers(network, test.inputs) - test.targets) ** 2).mean())
    assert error == pytest.approx(0.0085, abs=0.0003)


def test_widths_may_be_given_on_a_command_line():
    # no string was ever taken for them
    recipe = get_recipe("autoencoder")
    assert recipe.parameters(values={"widths": "4,8"}).widths == (4, 8)
    with pytest.raises(BadInput, match="widths"):
        recipe.parameters(values={"widths": "four"})

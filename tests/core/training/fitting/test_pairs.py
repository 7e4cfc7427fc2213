"""From pairs of scans to tensors in the network's units, and figures with intervals."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.cohorts.pairs import Pair, PairCohort
from core.errors import BadInput
from core.models.card import OutputContract
from core.progress import Progress, silent
from core.scans.scan import Scan
from core.training.fitting.pairs import (
    PairTensors,
    answers,
    epoch_batches,
    find_pairs,
    first_look,
    input_contract,
    load_pairs,
    load_parts,
    mean_with_interval,
    plain_guesses,
    target_contract,
    to_network,
    to_physical,
)
from core.training.fitting.parameters import PairParameters

SIGNAL = OutputContract(units="signal")
HU = OutputContract(network_low=-1, network_high=1, low=-1024, high=1250, units="HU")


def scan(values: np.ndarray, units: str | None = "8-bit", affine: np.ndarray | None = None) -> Scan:
    return Scan(np.asarray(values, np.float32)[None], np.eye(4) if affine is None else affine, units=units)


def cohort_of(*pairs: tuple[Scan, Scan], split: str = "train") -> PairCohort:
    named = {Pair(f"p{number}", f"c{number}", split): both for number, both in enumerate(pairs)}
    return PairCohort("made", tuple(named), named.__getitem__, {}, "T1", "T2")


def test_pictures_are_read_by_their_full_scale_and_padded_with_the_lowest_value() -> None:
    ramp = np.arange(60).reshape(6, 10)
    pair = scan(ramp), scan(255 - ramp)
    sees = input_contract(pair[0], multiple_of=8)
    loaded = load_pairs(
        cohort_of(pair), cohort_of(pair).pairs, sees, target_contract(pair[1], sees, SIGNAL), SIGNAL, silent
    )
    assert loaded.inputs.shape == loaded.targets.shape == (1, 1, 8, 16)
    np.testing.assert_allclose(loaded.inputs[0, 0, :6, :10], ramp / 255, atol=1e-6)
    np.testing.assert_allclose(loaded.targets[0, 0, :6, :10], 1 - ramp / 255, atol=1e-6)
    assert loaded.inputs[0, 0, 6:].max() == loaded.targets[0, 0, :, 10:].max() == 0


def test_hounsfield_units_are_clipped_to_the_range_and_mapped_to_the_networks() -> None:
    values = np.full((8, 8), 113.0)
    values[0, :3] = (-3000, -1024, 3000)
    pair = scan(np.arange(64).reshape(8, 8)), scan(values, units="HU")
    sees = input_contract(pair[0], multiple_of=8, low=-1)
    target = target_contract(pair[1], sees, HU, physical=True)
    loaded = load_pairs(cohort_of(pair), cohort_of(pair).pairs, sees, target, HU, silent)
    np.testing.assert_allclose(loaded.targets[0, 0, 0, :3], [-1, -1, 1], atol=1e-6)
    assert float(loaded.targets[0, 0, 4, 4]) == pytest.approx(0, abs=1e-6)  # the middle of −1024..1250 is 113
    assert float(loaded.inputs[0, 0, 0, 0]) == pytest.approx(-1)
    np.testing.assert_allclose(to_physical(loaded.targets, HU)[0, 0, 0, :3], [-1024, -1024, 1250], atol=1e-2)


def test_the_networks_units_and_the_cards_are_each_others_inverse() -> None:
    values = torch.linspace(-1024, 1250, 7)
    np.testing.assert_allclose(to_physical(to_network(values, HU), HU), values, atol=1e-2)


def test_values_without_a_full_scale_are_stretched_scan_by_scan() -> None:
    values = np.linspace(300, 900, 64).reshape(8, 8)
    sees = input_contract(scan(values, units=None), multiple_of=8)
    assert sees.intensity.rescale == "minmax"
    target = target_contract(scan(values, units=None), sees, SIGNAL)
    pair = scan(values, None), scan(values, None)
    loaded = load_pairs(cohort_of(pair), cohort_of(pair).pairs, sees, target, SIGNAL, silent)
    assert (float(loaded.targets.min()), float(loaded.targets.max())) == (0, 1)
    assert float(loaded.targets.mean()) == pytest.approx(0.5, abs=0.01)


def test_images_that_do_not_lie_on_each_other_and_sizes_that_differ_are_refused_by_name() -> None:
    small, large = (scan(np.arange(n * n).reshape(n, n)) for n in (8, 24))
    moved = np.eye(4)
    moved[0, 3] = 3
    sees = input_contract(small, multiple_of=8)
    target = target_contract(small, sees, SIGNAL)
    for pair in ((small, large), (small, scan(small.array[0], affine=moved))):
        with pytest.raises(BadInput, match="The pair p0: its two images differ in size or place"):
            load_pairs(cohort_of(pair), cohort_of(pair).pairs, sees, target, SIGNAL, silent)
    both = cohort_of((small, small), (large, large))
    with pytest.raises(BadInput, match="The pair p1 differs in size from p0"):
        load_pairs(both, both.pairs, sees, target, SIGNAL, silent)


def test_a_cohort_without_training_pairs_is_refused() -> None:
    image = scan(np.arange(64).reshape(8, 8))
    sees = input_contract(image, multiple_of=8)
    with pytest.raises(BadInput, match="no pair for training"):
        load_parts(cohort_of((image, image), split="test"), sees, target_contract(image, sees, SIGNAL), SIGNAL, silent)


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    for name in ("T1/1", "T1/2", "T1/3", "T1/4", "T2/1", "T2/2", "T2/3"):
        path = tmp_path / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(path)
    said: list[Progress] = []
    cohort = find_pairs(tmp_path, PairParameters(), said.append)
    assert "1 images are left out (4: without its partner)" in said[0].message
    assert {pair.split for pair in cohort.pairs} == {"train", "validation", "test"}


def test_an_epoch_shows_every_pair_once() -> None:
    batches = list(epoch_batches(10, 4, np.random.default_rng(0)))
    assert [len(batch) for batch in batches] == [4, 4, 2]
    assert sorted(torch.cat(batches).tolist()) == list(range(10))


def test_answers_do_not_depend_on_the_chunk() -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.Dropout(0.5))
    x = torch.rand(5, 1, 8, 8)
    torch.testing.assert_close(answers(network, x, chunk=2), answers(network, x, chunk=5))


def test_plain_guesses_are_means_of_the_training_targets_in_the_cards_units() -> None:
    inputs = torch.tensor([0.0, 1.0, 0.0, 1.0]).reshape(2, 1, 1, 2)
    targets = torch.tensor([0.0, 0.5, 0.5, 1.0]).reshape(2, 1, 1, 2)
    guesses = plain_guesses(PairTensors(inputs, targets, ()), OutputContract(units="HU", low=0, high=100))
    asked = PairTensors(torch.tensor([[[[1.0, 0.0]]]]), torch.zeros(1, 1, 1, 2), ())
    np.testing.assert_allclose(guesses["mean_target"](asked), [[[[25, 75]]]], atol=1e-4)
    np.testing.assert_allclose(guesses["intensity_regression"](asked), [[[[75, 25]]]], atol=1)


def test_inputs_of_several_channels_have_no_guess_by_intensity() -> None:
    part = PairTensors(torch.zeros(1, 3, 2, 2), torch.zeros(1, 1, 2, 2), ())
    assert list(plain_guesses(part, SIGNAL)) == ["mean_target"]


def test_the_interval_draws_cases_and_holds_the_mean() -> None:
    random = np.random.default_rng(0)
    of_case = random.normal(1, 0.2, 20)
    values = np.repeat(of_case, 10)
    cases = [f"c{n}" for n in range(20) for _ in range(10)]
    mean, (low, high) = mean_with_interval(values.tolist(), cases, seed=0)
    assert mean == pytest.approx(values.mean())
    # ten copies of every case tell no more than one: the width is that of twenty figures, not of two hundred
    assert high - low == pytest.approx(2 * 1.96 * of_case.std() / np.sqrt(20), rel=0.15)
    assert low < mean < high


def test_the_first_look_tells_the_mean_image_and_the_mean_answer_of_each_channel() -> None:
    inputs, targets = torch.rand(3, 1, 4, 5), torch.rand(3, 2, 4, 5)
    look = first_look(PairTensors(inputs, targets, tuple(Pair(f"p{n}", "c") for n in range(3))), (-1.0, 2.0))
    torch.testing.assert_close(look.mean, (inputs[0] + inputs[1] + inputs[2]) / 3)
    assert (look.low, look.high) == (-1.0, 2.0) and look.mean_answer is not None
    torch.testing.assert_close(look.mean_answer, torch.stack([targets[:, 0].mean(), targets[:, 1].mean()]))

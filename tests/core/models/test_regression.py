import numpy as np
import pytest
import torch
from torch import nn

from core.errors import BadInput
from core.explainers import explain
from core.models import Card
from core.scans import Scan
from tests.core.regressors import regressor, regressor_card


def picture(rows=10, columns=12, channels=1, seed=0):
    values = np.random.default_rng(seed).random((channels, rows, columns), dtype=np.float32)
    return Scan(values, np.eye(4))


def test_the_image_a_regressor_makes_has_the_scans_shape_and_the_cards_units():
    model = regressor(nn.Identity(), output={"network_low": 0.0, "network_high": 1.0, "low": -1000.0, "high": 1000.0})
    scan = picture()
    made = model.generate(model.prepare(scan))
    assert made.shape == (1, 10, 12)
    np.testing.assert_allclose(made, scan.array * 2000 - 1000, rtol=1e-6, atol=1e-3)


def test_a_scan_that_had_to_be_padded_gets_its_answer_cropped_back():
    model = regressor(nn.Identity(), multiple_of=8)
    scan = picture(10, 12)
    prepared = model.prepare(scan)
    assert tuple(prepared.tensor.shape) == (1, 1, 16, 16)
    np.testing.assert_allclose(model.generate(prepared), scan.array, atol=1e-6)


@pytest.mark.parametrize("scale", [2, 0.5])
def test_an_answer_of_another_resolution_covers_the_same_field_of_view(scale):
    model = regressor(nn.Upsample(scale_factor=scale, mode="bilinear"))
    ramp = np.broadcast_to(np.linspace(0, 1, 32, dtype=np.float32), (1, 24, 32))
    scan = Scan(np.ascontiguousarray(ramp), np.eye(4))
    prepared = model.prepare(scan)
    side = prepared.on_output((int(24 * scale), int(32 * scale)))
    # the outer edges agree: half a sample before the first centre
    np.testing.assert_allclose(
        side.grid.affine @ [-0.5, -0.5, 0, 1], prepared.grid.affine @ [-0.5, -0.5, 0, 1], atol=1e-9
    )
    made = model.generate(prepared)
    np.testing.assert_allclose(made[:, 4:-4, 4:-4], scan.array[:, 4:-4, 4:-4], atol=0.02)


def test_a_slice_model_answers_inside_the_volume():
    model = regressor(nn.Upsample(scale_factor=2), plane="axial", position_mm=3.0)
    values = np.random.default_rng(1).random((1, 8, 10, 6), dtype=np.float32)
    scan = Scan(values, np.eye(4))
    made = model.generate(model.prepare(scan))
    assert made.shape == (1, 8, 10, 6)
    np.testing.assert_allclose(made[0, :, :, 3], values[0, :, :, 3], atol=0.5)
    assert np.corrcoef(made[0, :, :, 3].ravel(), values[0, :, :, 3].ravel())[0, 1] > 0.5
    assert not made[0, :, :, 5].any()


class Broken(nn.Module):
    def forward(self, x):
        return x / 0.0 * 0.0


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (Broken(), "no finite answer"),
        (nn.Conv2d(1, 3, 1), "3"),
        (nn.Sequential(nn.Flatten(), nn.Linear(120, 2)), "shape"),
    ],
)
def test_an_answer_that_is_no_image_is_refused_in_one_sentence(network, said):
    model = regressor(network)
    with pytest.raises(BadInput, match=said):
        model.generate(model.prepare(picture()))


def test_a_regressor_has_no_probabilities():
    model = regressor()
    with pytest.raises(BadInput, match="regressor"):
        model.predict(picture())


@pytest.mark.parametrize(
    "change",
    [
        {"output": None},
        {"classes": ("a", "b")},
        {"task": "classification"},
        {"output": {"low": 1.0, "high": 0.0}},
    ],
)
def test_a_card_says_what_its_task_needs(change):
    with pytest.raises(ValueError, match=r"output|classes"):
        Card.model_validate({**regressor_card().model_dump(), **change})


def test_gradients_are_not_kept():
    model = regressor()
    assert not model.respond(model.prepare(picture()).tensor).requires_grad
    assert torch.is_inference(model.respond(model.prepare(picture()).tensor))


class InPlace(nn.Module):
    """Works on its input in place, as a first rectifier with inplace=True does."""

    def forward(self, x):
        return x.mul_(2.0)


def test_a_network_that_works_in_place_leaves_the_prepared_scan_as_it_was():
    # each question doubled the scan for the next one
    model, scan = regressor(InPlace()), picture()
    prepared = model.prepare(scan)
    first = model.generate(prepared)
    np.testing.assert_array_equal(model.generate(prepared), first)
    np.testing.assert_array_equal(prepared.tensor[0].numpy(), scan.array)


def test_a_network_that_answers_with_several_things_is_refused_in_a_sentence():
    class Several(nn.Module):
        def forward(self, x):
            return x, x

    model = regressor(Several())
    with pytest.raises(BadInput, match="answers with a tuple"):
        model.respond(model.prepare(picture()).tensor)


@pytest.mark.parametrize(
    ("network", "warned"), [(nn.Conv2d(1, 1, 5), True), (nn.Upsample(scale_factor=2), False), (nn.MaxPool2d(2), False)]
)
def test_an_answer_that_may_have_been_cropped_is_warned_of(network, warned):
    region = np.zeros((12, 12), dtype=bool)
    region[4:8, 4:8] = True
    found = explain(picture(12, 12), regressor(network), "ibix", region=region, direction="forward", jitters=2)
    assert any("crops" in words for words in found.warnings) == warned


@pytest.mark.parametrize(
    ("shape", "step", "contract", "known"),
    [
        ((8, 10), 1.0, {}, False),
        ((8, 10), 0.5, {}, True),
        ((8, 10), 1.0, {"spacing_mm": (1.0, 1.0)}, True),
        ((8, 10), 1.0, {"shape": (4, 5)}, False),
        ((8, 10), 0.5, {"shape": (4, 5)}, True),
        ((8, 10, 6), 1.0, {}, True),
    ],
)
def test_a_picture_without_a_size_in_space_is_measured_in_pixels(shape, step, contract, known):
    scan = Scan(np.ones((1, *shape), np.float32), np.diag([step, step, step, 1.0]), units="8-bit")
    model = regressor(nn.Identity(), dimensions=len(shape), **contract)
    assert model.prepare(scan).in_millimetres is known

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn

from core.cli import main
from core.errors import BadInput, Cancelled
from core.explainers import Question, explain
from core.explainers._ibix_setup import Setup
from core.explainers.ibix import Ibix
from core.models.card import Architecture
from core.models.library import save_model
from core.models.model import Model
from core.models.zoo import build
from core.progress import Progress
from core.scans.loading import load_scan
from core.scans.scan import Scan
from tests.core.explainers import regressors
from tests.core.explainers.regressors import Matrix, Opaque, region, scan, shifting, smooth
from tests.core.explainers.toys import Toy, randomised_drop
from tests.oracles import ibix as oracle

H = 0.392
SHARED = Path(os.environ.get("LIGHTBOX_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data")) / "ibix_t1_t2"
SHAPES = {2: (16, 20), 3: (8, 10, 8)}
BOXES = {2: (slice(6, 9), slice(8, 11)), 3: (slice(3, 5), slice(4, 6), slice(3, 5))}


def trace(network: nn.Module, dimensions: int = 2, channels: int = 1, channels_out: int = 1, **values: object):
    made = regressors.model(network, dimensions, channels, channels_out)
    shape = SHAPES[dimensions]
    return Ibix().run(
        regressors.question(made, scan(shape, channels), region(shape, *BOXES[dimensions])),
        Ibix.parameters_for(made, Ibix.parameters(values=values)),
    )


def input_of(dimensions: int, channels: int = 1) -> np.ndarray:
    return scan(SHAPES[dimensions], channels).array.astype(np.float64)


@pytest.mark.parametrize("engine", ["windows", "batches"])
@pytest.mark.parametrize(("dimensions", "channels", "channels_out"), [(2, 1, 1), (2, 3, 2), (3, 1, 1), (3, 2, 1)])
def test_the_forward_map_is_equation_5(dimensions, channels, channels_out, engine):
    network = smooth(dimensions, channels, channels_out)
    found = trace(network, dimensions, channels, channels_out, jitters=20, engine=engine).arrays["map"]
    mask = region(SHAPES[dimensions], *BOXES[dimensions]).astype(np.float64)
    f = oracle.function(network)
    expected = np.abs(oracle.forward(f, input_of(dimensions, channels), mask, H, 20)).sum(axis=0)
    np.testing.assert_allclose(found.values, expected, atol=2e-6)
    assert found.side == "output"
    assert not found.diverging


def test_signed_sums_keep_the_sign_of_the_forward_map():
    network = smooth(2)
    found = trace(network, jitters=20, sums="signed").arrays["map"]
    mask = region(SHAPES[2], *BOXES[2]).astype(np.float64)
    expected = oracle.forward(oracle.function(network), input_of(2), mask, H, 20)[0]
    np.testing.assert_allclose(found.values, expected, atol=2e-6)
    assert found.diverging
    assert found.values.min() < 0 < found.values.max()


def test_for_a_linear_model_the_forward_map_is_its_matrix_times_the_region():
    network = Matrix(SHAPES[2])
    mask = region(SHAPES[2], *BOXES[2])
    expected = (network.linear.weight @ torch.from_numpy(mask.ravel()).float()).view(SHAPES[2]).detach()
    for values in ({}, {"quadrature": "quick"}, {"jitters": 2, "jitter_range": 0.01}, {"mode": "gradient"}):
        found = trace(network, sums="signed", **values).arrays["map"].values
        np.testing.assert_allclose(found, expected, atol=5e-5)


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("shift", [-2, 1])
def test_a_model_that_moves_the_image_moves_the_map(dimensions, shift):
    found = trace(shifting(dimensions, shift), dimensions).arrays["map"].values
    expected = np.roll(region(SHAPES[dimensions], *BOXES[dimensions]), shift, axis=0)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_sixteen_quick_jitters_are_within_two_and_a_half_percent_of_a_hundred(dimensions):
    network = smooth(dimensions)
    slow, quick = (trace(network, dimensions, quadrature=q).arrays["map"].values for q in ("uniform", "quick"))
    assert np.abs(slow - quick).max() < 0.025 * slow.max()


@pytest.mark.parametrize("sums", ["absolute", "signed", "literal"])
@pytest.mark.parametrize(("dimensions", "channels", "channels_out"), [(2, 1, 1), (2, 2, 2), (3, 1, 1)])
def test_the_backward_map_is_equation_6(dimensions, channels, channels_out, sums):
    network = smooth(dimensions, channels, channels_out)
    found = trace(
        network,
        dimensions,
        channels,
        channels_out,
        direction="backward",
        superpixels=30,
        jitters=6,
        levels=1,
        sums=sums,
    )
    labels = found.arrays["superpixels"].values.astype(int)
    marked = region(SHAPES[dimensions], *BOXES[dimensions])
    f = oracle.function(network)
    shares = oracle.backward(f, input_of(dimensions, channels), labels, marked, H, 6, sums, floor=1e-3)
    values = found.arrays["map"].values
    np.testing.assert_allclose(values, np.concatenate([[0], shares])[labels], atol=1e-4, rtol=1e-3)
    assert found.numbers["superpixels"] == labels.max()
    assert found.numbers["superpixels_evaluated"] + found.numbers["superpixels_skipped"] == labels.max()
    assert found.arrays["map"].side == "input"


def test_superpixels_that_cannot_reach_the_region_are_skipped_and_no_value_changes():
    shape = (40, 40)
    made = regressors.model(smooth(2))
    asked = regressors.question(made, scan(shape), region(shape, slice(20, 22), slice(20, 22)))
    maps, skipped = {}, {}
    for engine in ("windows", "batches"):
        values = {"direction": "backward", "superpixels": 60, "jitters": 6, "levels": 1, "engine": engine}
        found = Ibix().run(asked, Ibix.parameters_for(made, Ibix.parameters(values=values)))
        maps[engine], skipped[engine] = found.arrays["map"].values, found.numbers["superpixels_skipped"]
    assert skipped["batches"] == 0
    assert skipped["windows"] > 10
    np.testing.assert_allclose(maps["windows"], maps["batches"], atol=1e-5)


def test_a_model_that_is_only_callable_is_asked_for_whole_images_and_says_why():
    plain, opaque = (trace(n, jitters=10) for n in (smooth(2), Opaque(smooth(2))))
    np.testing.assert_allclose(opaque.arrays["map"].values, plain.arrays["map"].values, atol=1e-6)
    assert (plain.numbers["windows_used"], opaque.numbers["windows_used"]) == (1, 0)
    assert any("whole images" in warning for warning in opaque.warnings)
    back = trace(Opaque(smooth(2)), jitters=4, direction="backward", superpixels=40, coarse_superpixels=10)
    assert back.numbers["levels"] == 2
    with pytest.raises(BadInput, match="engine"):
        trace(Opaque(smooth(2)), engine="windows")


def test_coarse_to_fine_gives_the_superpixels_it_refines_the_values_of_one_level():
    shape = (48, 48)
    made = regressors.model(smooth(2))
    asked = regressors.question(made, scan(shape), region(shape, slice(22, 25), slice(20, 24)))

    def found(levels: int):
        values = {"direction": "backward", "superpixels": 120, "coarse_superpixels": 16, "levels": levels, "jitters": 4}
        return Ibix().run(asked, Ibix.parameters_for(made, Ibix.parameters(values=values | {"engine": "batches"})))

    one, two, three = found(1), found(2), found(3)
    top = one.arrays["map"].values > 0.05 * one.arrays["map"].values.max()
    for other in (two, three):
        np.testing.assert_allclose(other.arrays["map"].values[top], one.arrays["map"].values[top], atol=1e-5)
        assert other.numbers["evaluations"] < one.numbers["evaluations"]
    assert (two.numbers["levels"], three.numbers["levels"]) == (2, 3)


def test_the_published_program_is_reproduced_in_whole_grey_levels():
    torch.manual_seed(2)
    network = nn.Sequential(nn.Conv2d(1, 4, 5, padding=2), nn.ReLU(), nn.Conv2d(4, 1, 3, padding=1), nn.Sigmoid())
    with torch.no_grad():
        for part in (network[0], network[2]):
            part.weight.mul_(3)
    shape = SHAPES[2]
    grey = np.round(scan(shape).array * 255)
    made = regressors.model(network)
    asked = regressors.question(made, Scan((grey / 255).astype(np.float32), np.eye(4)), region(shape, *BOXES[2]))
    f, marked = oracle.function(network), region(shape, *BOXES[2])
    parameters = Ibix.parameters("published_code", {"jitters": 30, "superpixels": 20})
    found = Ibix().run(asked, Ibix.parameters_for(made, parameters)).arrays["map"]
    expected = oracle.published_forward(f, grey.astype(np.uint8), marked, 30)
    assert expected.max() > 3
    # a value that lies on a whole number may be cut either way in float32
    assert (found.values != expected).mean() < 0.02
    assert np.abs(found.values - expected).max() <= 1
    both = Ibix.parameters("published_code", {"jitters": 30, "superpixels": 20, "direction": "backward"})
    back = Ibix().run(asked, Ibix.parameters_for(made, both)).arrays
    labels = back["superpixels"].values.astype(int)
    influence = oracle.published_backward(f, grey.astype(np.uint8), marked, labels, 30)
    assert influence.max() > 1
    assert np.abs(back["map"].values - influence).max() <= 1
    assert (back["map"].values != influence).mean() < 0.05


def test_the_derivative_is_equation_7_and_says_that_it_is_another_quantity():
    network = smooth(2, seed=4)
    found = trace(network, mode="gradient", direction="backward", sums="signed", coarse_superpixels=20)
    marked, f, x = region(SHAPES[2], *BOXES[2]), oracle.function(network), input_of(2)
    for at in ((7, 9), (5, 10), (9, 8)):
        assert found.arrays["map"].values[at] == pytest.approx(oracle.derivative_sum(f, x, marked, (0, *at)), abs=1e-4)
    assert "derivative" in found.arrays["map"].title
    assert any("another quantity" in warning for warning in found.warnings)
    assert found.checks[0].value == found.numbers["gradient_correlation"] > 0.8


def test_the_forward_derivative_is_equation_4_and_its_likeness_to_real_changes_is_measured():
    network = smooth(2, seed=4)
    found = trace(network, mode="gradient", sums="signed")
    mask = region(SHAPES[2], *BOXES[2]).astype(np.float64)
    expected = oracle.single_perturbation(oracle.function(network), input_of(2), mask, 1e-6)[0]
    np.testing.assert_allclose(found.arrays["map"].values, expected, atol=1e-4)
    close = trace(network, mode="gradient", sums="signed", jitter_percent=1.0)
    assert close.numbers["gradient_correlation"] > 0.999
    assert found.numbers["gradient_correlation"] < close.numbers["gradient_correlation"]
    alone = trace(network, mode="gradient", compare=False)
    assert not alone.checks
    assert any("not compared" in warning for warning in alone.warnings)


@pytest.mark.parametrize("perturbation", ["multiply", "noise", "blur", "mean", "inpaint"])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_every_perturbation_has_a_forward_and_a_backward_map(perturbation, dimensions):
    for direction in ("forward", "backward"):
        values = {"perturbation": perturbation, "direction": direction, "superpixels": 12, "quadrature": "quick"}
        found = trace(smooth(dimensions), dimensions, levels=1, **values)
        assert np.isfinite(found.arrays["map"].values).all()
        assert found.arrays["map"].values.max() > 0


def test_a_classifiers_forward_map_is_one_number_a_class_and_its_backward_map_lies_on_the_scan(trained: Toy):
    made, of = trained.model, trained.scan(400)
    marked = trained.planted
    front = explain(of, made, "ibix", region=marked, direction="forward", quadrature="quick")
    inside = front.arrays["map"].values[marked]
    assert np.ptp(inside) == 0
    assert inside[0] == pytest.approx(front.numbers["slope AD"])
    assert not front.arrays["map"].values[~marked].any()
    assert "AD" in front.sentence
    back = explain(of, made, "ibix", quadrature="quick", superpixels=30, coarse_superpixels=10)
    assert back.parameters["divide_by"] == "pixels"
    labels = back.arrays["superpixels"].values.astype(int)
    brightest = labels == labels.ravel()[back.arrays["map"].values.argmax()]
    x = of.array.astype(np.float64)
    f = oracle.function(made.network)
    nodes, weights = np.polynomial.legendre.leggauss(16)
    slopes = [(f(x + H * t * brightest) - f(x))[1] / (H * t) for t in nodes]
    expected = abs(np.dot(weights / 2, slopes)) / brightest.sum()
    assert back.arrays["map"].values.max() == pytest.approx(expected, rel=1e-3)


def test_a_region_given_for_a_classifiers_backward_map_limits_it_to_that_place(trained: Toy):
    values = {"quadrature": "quick", "superpixels": 30, "levels": 1, "body": False}
    found = explain(trained.scan(400), trained.model, "ibix", region=trained.planted, **values)
    assert found.arrays["map"].values[trained.planted].any()
    assert not found.arrays["map"].values[~trained.planted].any()


def test_probabilities_may_be_traced_in_place_of_logits(trained: Toy):
    made, of = trained.model, trained.scan(400)
    values = {"direction": "forward", "score": "probability", "jitters": 4}
    found = explain(of, made, "ibix", region=trained.planted, **values)
    f = oracle.function(nn.Sequential(made.network, nn.Softmax(dim=1)))
    expected = oracle.forward(f, of.array.astype(np.float64), trained.planted.astype(np.float64), H, 4)
    assert found.numbers["slope AD"] == pytest.approx(expected[1], rel=1e-3, abs=1e-5)
    assert found.numbers["slope AD"] == pytest.approx(-found.numbers["slope CN"], abs=1e-5)


@pytest.mark.parametrize("engine", ["auto", "batches"])
def test_an_answer_of_another_size_is_traced_both_ways(engine):
    network = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Tanh(), nn.Upsample(scale_factor=2, mode="nearest"))
    made, shape = regressors.model(network), SHAPES[2]
    of, f = scan(shape), oracle.function(network)
    marked = region(shape, *BOXES[2])
    parameters = Ibix.parameters_for(made, Ibix.parameters(values={"jitters": 4, "engine": engine}))
    front = Ibix().run(regressors.question(made, of, marked), parameters).arrays["map"]
    expected = np.abs(oracle.forward(f, of.array.astype(np.float64), marked.astype(np.float64), H, 4))[0]
    np.testing.assert_allclose(front.values, expected, atol=1e-5)
    values = {"direction": "backward", "superpixels": 30, "jitters": 4, "levels": 1, "engine": engine}
    there = region((32, 40), slice(12, 18), slice(16, 22))
    back = Ibix().run(regressors.question(made, of, there), Ibix.parameters_for(made, Ibix.parameters(values=values)))
    labels = back.arrays["superpixels"].values.astype(int)
    shares = oracle.backward(f, of.array.astype(np.float64), labels, there, H, 4, floor=1e-3)
    np.testing.assert_allclose(back.arrays["map"].values, np.concatenate([[0], shares])[labels], atol=1e-4)
    # the whole way, drawn on the scan: the region is taken to the answer's grid
    whole = explain(of, made, "ibix", region=marked, **values)
    assert whole.arrays["map"].values.shape == whole.arrays["answer"].values.shape == shape


def test_the_map_of_a_trained_network_changes_when_its_weights_are_random(trained: Toy):
    assert randomised_drop(trained, "ibix", quadrature="quick", superpixels=40, levels=1, body=False) > 0.4


def test_previews_come_early_and_a_report_that_raises_stops_the_work():
    seen: list[Progress] = []
    made = regressors.model(smooth(2))
    shape = (48, 48)
    of, marked = scan(shape), region(shape, slice(20, 24), slice(20, 24))
    explain(of, made, "ibix", region=marked, direction="backward", superpixels=60, report=seen.append)
    pictures = [p for p in seen if p.preview is not None]
    assert pictures[0].message == "a first sketch"
    assert pictures[0].preview.shape == shape

    def stop(progress: Progress) -> None:
        if progress.preview is not None:
            raise Cancelled

    with pytest.raises(Cancelled):
        explain(of, made, "ibix", region=marked, direction="backward", superpixels=60, report=stop)


def test_while_a_derivative_is_compared_the_derivative_is_what_is_shown():
    seen: list[Progress] = []
    made, shape = regressors.model(smooth(2)), (48, 48)
    marked = region(shape, slice(20, 24), slice(20, 24))
    values = {"mode": "gradient", "direction": "backward"}
    found = explain(scan(shape), made, "ibix", region=marked, report=seen.append, **values)
    pictures = [p.preview for p in seen if p.preview is not None]
    assert pictures
    for picture in pictures:
        np.testing.assert_array_equal(picture, found.arrays["map"].values)


def test_no_chunk_is_larger_than_memory_allows():
    shape = (64, 64)
    made = regressors.model(smooth(2))
    asked = regressors.question(made, scan(shape), region(shape, slice(0, 64), slice(0, 64)))
    largest: list[int] = []
    for memory in (16, 64):
        values = {"jitters": 600, "memory_mb": memory, "engine": "batches"}
        setup = Setup(asked, Ibix.parameters_for(made, Ibix.parameters(values=values)))
        mapper, seen = setup.mapper(), []
        changed = mapper.responses.changed

        def watched(window, given, changed=changed, seen=seen):
            seen.append(given.numel() * 4)
            return changed(window, given)

        mapper.responses.changed = watched
        everywhere = (slice(0, 64), slice(0, 64))
        mapper.slopes(everywhere, torch.ones(1, 64, 64))
        assert sum(seen) == 600 * 64 * 64 * 4
        assert max(seen) <= memory * 2**20 / 4
        largest.append(max(seen))
    assert largest[0] < largest[1]


def test_the_answer_comes_in_physical_units_beside_the_map():
    made = regressors.model(smooth(2))
    output = made.card.output.model_copy(update={"network_low": -1.0, "low": -1000.0, "high": 1000.0, "units": "HU"})
    made = Model(made.card.model_copy(update={"output": output}), made.network)
    of, shape = scan(SHAPES[2]), SHAPES[2]
    found = explain(of, made, "ibix", region=region(shape, *BOXES[2]), jitters=4)
    answer = found.arrays["answer"]
    np.testing.assert_allclose(answer.values, made.generate(made.prepare(of))[0], rtol=1e-5)
    assert (answer.kind, answer.side, answer.unit) == ("answer", "output", "HU")


class Shrinking(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :, : 16 if float(x.max()) < 0.7 else 12]


class Fragile(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sqrt(x)


@pytest.mark.parametrize(
    ("network", "values", "words"),
    [
        (smooth(2), {"jitters": 7}, "odd"),
        (smooth(2), {"jitter_percent": 0.0}, "is 0"),
        (smooth(2), {"direction": "backward", "superpixels": 400, "engine": "batches"}, "more than the 320 pixels"),
        (smooth(2), {"perturbation": "multiply", "jitter_range": 3.0}, "jitter_percent"),
        (smooth(2), {"output_channel": 1}, "output_channel=1"),
        (smooth(2), {"input_channel": 1}, "input_channel=1"),
        (Opaque(Shrinking()), {}, "changes its shape"),
        (Opaque(Fragile()), {"jitter_percent": 90.0}, "no finite answer to the changed scan"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(network, values, words):
    with pytest.raises(BadInput, match=words) as refused:
        trace(network, **values)
    assert str(refused.value).endswith(".")


def test_a_missing_or_misplaced_region_is_refused_and_one_outside_the_body_is_warned_of():
    made, shape = regressors.model(smooth(2)), SHAPES[2]
    parameters = Ibix.parameters_for(made, Ibix.parameters(values={"jitters": 4}))
    for marked, words in (
        (None, "Nothing is marked"),
        (np.zeros(shape, bool), "empty"),
        (np.ones((3, 3), bool), "shape"),
    ):
        with pytest.raises(BadInput, match=words):
            Ibix().run(regressors.question(made, scan(shape), marked), parameters)
    corner = regressors.question(made, scan(shape), region(shape, slice(0, 1), slice(0, 1)))
    assert any("outside the body" in warning for warning in Ibix().run(corner, parameters).warnings)


def test_jitters_that_leave_the_range_are_warned_of_unless_clipped():
    loose = trace(smooth(2), jitters=4, jitter_percent=90.0)
    assert any("beyond the range" in warning for warning in loose.warnings)
    assert not trace(smooth(2), jitters=4, jitter_percent=90.0, clip=True).warnings


def test_a_change_that_reaches_everything_is_said_to_be_slow():
    warnings = trace(Matrix(SHAPES[2]), jitters=4).warnings
    assert any("whole" in warning for warning in warnings)


def test_a_hidden_effect_is_told_as_nothing_changed():
    found = explain(
        scan((16, 20)), regressors.model(nn.Conv2d(1, 1, 1).apply(_zero)), "ibix", region=region((16, 20), *BOXES[2])
    )
    assert found.sentence == "Changing the marked pixels changes nothing in the model's answer."


@pytest.mark.parametrize("perturbation", ["blur", "mean", "inpaint"])
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_rounding_of_a_perturbation_that_changes_nothing_is_not_traced(direction, perturbation):
    # on a scan of one value, steps of 1e-8 towards its blur became shares of up to 0.13
    flat = Scan(np.full((1, 16, 20), 0.37, np.float32), np.eye(4))
    given = {"direction": direction, "perturbation": perturbation, "jitters": 4, "superpixels": 20}
    found = explain(flat, regressors.model(smooth(2)), "ibix", region=region((16, 20), *BOXES[2]), **given)
    assert not found.arrays["map"].values.any()
    assert any(f"{perturbation} changes nothing" in warning for warning in found.warnings)


def test_marks_of_any_type_are_a_region_and_what_is_no_number_is_not_marked():
    marks = np.full((16, 20), np.nan)
    marks[BOXES[2]] = 3.0
    given = {"direction": "forward", "jitters": 4}
    made = regressors.model(smooth(2))
    expected = explain(scan((16, 20)), made, "ibix", region=region((16, 20), *BOXES[2]), **given)
    found = explain(scan((16, 20)), made, "ibix", region=marks, **given)
    np.testing.assert_array_equal(found.arrays["map"].values, expected.arrays["map"].values)
    np.testing.assert_array_equal(found.arrays["region"].values, expected.arrays["region"].values)


def test_a_jitter_range_lost_in_rounding_is_warned_of():
    assert any("rounding" in warning for warning in trace(smooth(2), jitters=4, jitter_percent=0.001).warnings)
    assert not any("rounding" in warning for warning in trace(smooth(2), jitters=4, jitter_percent=0.1).warnings)


def test_the_derivative_of_a_tiny_image_is_compared_over_as_many_pieces_as_it_has_pixels():
    tiny = Scan(np.linspace(0.2, 0.8, 9, dtype=np.float32).reshape(1, 3, 3), np.eye(4))
    given = {"region": np.eye(3, dtype=bool), "mode": "gradient", "direction": "backward"}
    found = explain(tiny, regressors.model(nn.Conv2d(1, 1, 3, padding=1)), "ibix", **given)
    assert found.numbers["gradient_correlation"] == pytest.approx(1.0, abs=1e-3)


class Steps(nn.Module):
    """Answers in steps: no derivative, but real changes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x > 0.6).float()


def test_a_derivative_of_zero_is_not_told_as_nothing_changed():
    # "changes nothing in the model's answer" stood under a network that answers in steps
    given = {"region": region((16, 20), *BOXES[2]), "mode": "gradient", "jitters": 4}
    found = explain(scan((16, 20)), regressors.model(Steps()), "ibix", direction="forward", **given)
    assert found.sentence.startswith("The derivative of the model's answer is 0")
    with pytest.raises(BadInput, match="has no derivative"):
        explain(scan((16, 20)), regressors.model(Steps()), "ibix", direction="backward", **given)


@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("mode", ["finite_difference", "gradient"])
def test_a_network_that_works_in_place_is_traced_as_its_twin_that_does_not(direction, mode):
    class InPlace(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.tanh(x.mul_(2.0))

    class Twin(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.tanh(x * 2.0)

    given = {"region": region((16, 20), *BOXES[2]), "direction": direction, "mode": mode, "jitters": 4}
    maps = [
        explain(scan((16, 20)), regressors.model(network), "ibix", superpixels=20, **given).arrays["map"].values
        for network in (InPlace(), Twin())
    ]
    assert maps[0].any()
    np.testing.assert_allclose(*maps, rtol=1e-5, atol=1e-6)


def _zero(module: nn.Module) -> None:
    nn.init.zeros_(module.weight)


def test_the_command_line_traces_and_writes_map_answer_and_numbers(tmp_path):
    made = regressors.model(build("autoencoder", {"widths": (4, 4)}))
    architecture = Architecture(name="autoencoder", arguments={"widths": (4, 4)})
    card = made.card.model_copy(update={"architecture": architecture})
    save_model(tmp_path / "regressor", card, made.network)
    Image.fromarray((scan((24, 28)).array[0] * 255).astype(np.uint8)).save(tmp_path / "scan.png")
    np.save(tmp_path / "marked.npy", region((24, 28), slice(10, 13), slice(12, 15)))
    given = ["explain", tmp_path / "scan.png", "--model", tmp_path / "regressor", "--explainer", "ibix"]
    rest = ["--region", tmp_path / "marked.npy", "--param", "direction=backward", "--param", "jitters=4"]
    assert main([str(a) for a in (*given, *rest, "--out", tmp_path / "out")]) == 0
    record = json.loads((tmp_path / "out" / "explanation.json").read_text())
    assert {"map", "answer", "superpixels"} <= set(record["arrays"])
    assert "scores" not in record
    assert record["parameters"]["direction"] == "backward"
    assert np.load(tmp_path / "out" / record["arrays"]["map"]).shape == (24, 28)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the authors' weights and slices are not beside this checkout")
def test_on_the_authors_network_both_variants_agree_with_their_oracles():
    network = build("autoencoder", {})
    network.load_state_dict(load_file(SHARED / "autoencoder_t1_to_t2.safetensors"))
    made = regressors.model(network)
    contract = made.card.input.model_copy(update={"multiple_of": 8})
    made = Model(made.card.model_copy(update={"input": contract}), made.network)
    of = load_scan(sorted((SHARED / "test" / "T1").iterdir())[0])
    prepared = made.prepare(of)
    x, f = prepared.tensor[0].numpy().astype(np.float64), oracle.function(network)
    marked = region(x.shape[1:], slice(112, 117), slice(72, 77))
    asked = Question(made, prepared, None, marked)
    plain = Ibix().run(asked, Ibix.parameters_for(made, Ibix.parameters(values={"jitters": 20})))
    assert plain.numbers["windows_used"] == 1
    expected = np.abs(oracle.forward(f, x, marked.astype(np.float64), H, 20))[0]
    np.testing.assert_allclose(plain.arrays["map"].values, expected, atol=1e-5)
    parameters = Ibix.parameters_for(made, Ibix.parameters("published_code", {"jitters": 20}))
    influence = Ibix().run(asked, parameters).arrays["map"].values
    grey = np.clip(np.round(x * 255), 0, 255).astype(np.uint8)
    theirs = oracle.published_forward(f, grey, marked, 20)
    assert theirs.max() > 5
    assert np.abs(influence - theirs).max() <= 1
    assert (influence != theirs).mean() < 0.001


@pytest.mark.parametrize("perturbation", ["add", "multiply", "noise", "blur", "mean", "inpaint"])
@pytest.mark.parametrize(("direction", "mode"), [("forward", "finite_difference"), ("forward", "gradient")])
def test_every_change_of_a_classifiers_scan_is_told_in_a_sentence(trained: Toy, perturbation, direction, mode):
    # all but add and noise ended in a KeyError when the sentence was made
    given = {"perturbation": perturbation, "direction": direction, "mode": mode, "jitters": 4}
    found = explain(trained.scan(400), trained.model, "ibix", region=trained.planted > 0, **given)
    assert found.target is not None
    slope = found.numbers[f"slope {found.target}"]
    assert (" raises " if slope > 0 else " lowers ") in found.sentence
    assert f"{abs(slope) * found.numbers['jitter_largest']:.3g}" in found.sentence
    assert ("brighter" in found.sentence) == (perturbation == "add")


def test_a_classifiers_derivative_is_told_in_a_sentence_and_kept_to_the_region(trained: Toy):
    # it ended in a KeyError, and the region was not looked at
    given = {"direction": "backward", "mode": "gradient", "superpixels": 20, "coarse_superpixels": 5}
    everywhere = explain(trained.scan(400), trained.model, "ibix", **given)
    assert everywhere.sentence.startswith("Half of the derivative of the logit")
    share = everywhere.numbers["share_half"]
    size = np.sort(np.abs(everywhere.arrays["map"].values), axis=None)[::-1].astype(np.float64)
    assert size[: round(share * size.size)].sum() >= size.sum() / 2 > size[: round(share * size.size) - 1].sum()
    marked = trained.planted > 0
    kept = explain(trained.scan(400), trained.model, "ibix", region=marked, **given).arrays["map"].values
    np.testing.assert_array_equal(kept, np.where(marked, everywhere.arrays["map"].values, 0))


def test_how_many_superpixels_hold_half_is_counted_over_the_whole_map(trained: Toy):
    # with two levels it was counted over the finer ones alone and set beside the number of both
    given = {"direction": "backward", "superpixels": 40, "coarse_superpixels": 8, "jitters": 4}
    for levels in ("1", "2"):
        found = explain(trained.scan(400), trained.model, "ibix", levels=levels, **given)
        labels = found.arrays["superpixels"].values.astype(int)
        effects = np.sort(np.bincount(labels.ravel(), weights=found.arrays["map"].values.ravel())[1:])[::-1]
        half = found.numbers["superpixels_half"]
        assert effects[: int(half)].sum() >= effects.sum() / 2 > effects[: int(half) - 1].sum()
        assert f"{half:.0f} of {labels.max()} superpixels" in found.sentence


@pytest.mark.parametrize("place", [4, 5])
@pytest.mark.parametrize(("network", "direction"), [("coarser", "forward"), ("finer", "backward")])
def test_one_pixel_that_falls_between_the_samples_of_the_other_side_still_has_distances(network, direction, place):
    # its sentence ended in a KeyError: no sample of the coarser grid was marked
    layers = {"coarser": nn.AvgPool2d(2), "finer": nn.Upsample(scale_factor=2)}
    marked = region((16, 20), slice(place, place + 1), slice(place, place + 1))
    found = explain(
        scan((16, 20)),
        regressors.model(nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), layers[network])),
        "ibix",
        region=marked,
        direction=direction,
        jitters=4,
        superpixels=20,
    )
    assert " within " in found.sentence
    assert "leak_near" in found.numbers

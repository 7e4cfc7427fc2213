import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn

from core.command_line.main import main
from core.errors import BadInput, Cancelled
from core.explainers import Question, explain
from core.explainers.ibix.explainer import Ibix
from core.explainers.ibix.setup import Setup
from core.models.card import Architecture
from core.models.library import save_model
from core.models.model import Model
from core.models.zoo import build
from core.progress import Progress
from core.scans.loading import load_scan
from core.scans.scan import Scan
from tests.core.explainers import regressors
from tests.core.explainers.regressors import (
    BOXES,
    SHAPES,
    H,
    Matrix,
    Opaque,
    input_of,
    region,
    scan,
    shifting,
    smooth,
    trace,
)
from tests.core.explainers.toys import Toy, randomised_drop
from tests.oracles import ibix as oracle
from tests.shared import SHARED_DATA

SHARED = SHARED_DATA / "ibix_t1_t2"


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


def test_a_model_that_is_only_callable_is_asked_for_whole_images_and_says_why():
    plain, opaque = (trace(n, jitters=10) for n in (smooth(2), Opaque(smooth(2))))
    np.testing.assert_allclose(opaque.arrays["map"].values, plain.arrays["map"].values, atol=1e-6)
    assert (plain.numbers["windows_used"], opaque.numbers["windows_used"]) == (1, 0)
    assert any("whole images" in warning for warning in opaque.warnings)
    back = trace(Opaque(smooth(2)), jitters=4, direction="backward", superpixels=40, coarse_superpixels=10)
    assert back.numbers["levels"] == 2
    with pytest.raises(BadInput, match="engine"):
        trace(Opaque(smooth(2)), engine="windows")


@pytest.mark.parametrize("chosen", [{"quadrature": "quick"}, {"clip": True}, {"sums": "signed"}])
def test_what_the_published_program_fixes_cannot_be_chosen_beside_it(chosen):
    with pytest.raises(BadInput, match="published code has its own"):
        trace(smooth(2), jitters=4, variant="published_code", **chosen)


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
    assert "footprint_share" not in back.numbers  # one answer a class has no place to reach
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
    assert found.sentence.endswith(f" speaks {'for' if slope > 0 else 'against'} {found.target}.")
    assert f"{abs(slope) * found.numbers['jitter_largest']:.3g}" in found.technical
    assert ("brighter" in found.sentence) == (perturbation == "add")


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

"""What padding adds to a scan takes no part in a trace: it is not changed, not cut, and not summed over."""

import numpy as np
import pytest
import torch
from skimage.segmentation import slic
from sklearn.metrics import adjusted_rand_score
from torch import nn

from core.explainers import explain
from core.explainers.ibix.answers import covered_by_scan
from core.explainers.ibix.explainer import Ibix
from core.explainers.ibix.setup import Setup
from core.explainers.ibix.superpixels import window_of
from core.models.model import Model
from core.scans import load_scan
from tests.core.explainers import regressors
from tests.core.explainers.ibix.test_explainer import SHARED
from tests.core.explainers.regressors import scan, smooth

#: Not multiples of 8, one larger and one smaller than the next; a volume.
ODD = {2: (19, 29), 3: (10, 12, 6)}


def padded(network: nn.Module, dimensions: int, multiple: int = 8, **changed: object) -> Model:
    """A model whose input is padded to multiples."""
    made = regressors.model(network, dimensions)
    contract = made.card.input.model_copy(update={"shape": None, "multiple_of": multiple, **changed})
    return Model(made.card.model_copy(update={"input": contract}), made.network)


def setup_of(made: Model, of, marked: np.ndarray, **values: object) -> Setup:
    parameters = Ibix.parameters_for(made, Ibix.parameters(values={"direction": "backward", **values}))
    return Setup(regressors.question(made, of, marked), parameters)


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("body", [False, True])
@pytest.mark.parametrize("engine", ["windows", "batches"])
def test_with_the_whole_scan_marked_every_share_is_one(dimensions, body, engine):
    """Shares at the border were as low as 0.12: what reached the padding counted as reaching elsewhere."""
    made, of = padded(smooth(dimensions), dimensions), scan(ODD[dimensions])
    given = {"superpixels": 30, "levels": "1", "jitters": 4, "body": body, "engine": engine, "denominator_floor": 0.0}
    found = explain(of, made, "ibix", region=np.ones(of.shape), direction="backward", **given)
    values = found.arrays["map"].values
    assert values.shape == of.shape
    np.testing.assert_allclose(values[found.arrays["superpixels"].values > 0], 1.0, atol=1e-5)
    assert body or (found.arrays["superpixels"].values > 0).all()


@pytest.mark.parametrize("dimensions", [2, 3])
def test_padding_is_neither_cut_nor_changed(dimensions):
    made, of = padded(smooth(dimensions), dimensions), scan(ODD[dimensions])
    setup = setup_of(made, of, np.ones([-(-n // 8) * 8 for n in ODD[dimensions]], bool), superpixels=30, body=False)
    inside = window_of(setup.covered)
    assert setup.covered[inside].shape == ODD[dimensions]
    assert setup.covered.sum() == np.prod(ODD[dimensions])
    labels = setup.superpixels.labels
    np.testing.assert_array_equal(labels > 0, setup.covered)
    np.testing.assert_array_equal(setup.counted.numpy(), setup.covered)
    alone = setup_of(padded(smooth(dimensions), dimensions, 1), of, np.ones(of.shape, bool), superpixels=30, body=False)
    np.testing.assert_array_equal(labels[inside], alone.superpixels.labels)


def test_of_an_answer_of_another_size_what_lies_over_the_scan_counts():
    network = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Upsample(scale_factor=2, mode="nearest"))
    setup = setup_of(padded(network, 2), scan((19, 29)), np.ones((48, 64), bool))
    counted = setup.counted.numpy()
    assert counted.shape == (48, 64)
    assert counted[:38, :58].all()
    assert counted.sum() == 38 * 58


def test_an_image_scaled_to_a_shape_is_padded_on_both_sides():
    made = padded(smooth(2), 2, shape=(24, 24), multiple_of=1)
    prepared = made.prepare(scan((12, 24)))
    covered = covered_by_scan(prepared)
    assert covered[6:18].all()
    assert covered.sum() == 12 * 24


def test_a_derivative_is_one_of_the_scan_alone():
    """The padding is not moved, and what it becomes does not count."""
    made, of = padded(smooth(2), 2), scan((19, 29))
    found = explain(of, made, "ibix", region=np.ones(of.shape), direction="backward", mode="gradient", sums="signed",
                    compare=False)  # fmt: skip
    x = made.prepare(of).tensor.clone().requires_grad_(True)
    made.network(x)[..., :19, :29].sum().backward()
    np.testing.assert_allclose(found.arrays["map"].values, x.grad[0, 0, :19, :29].numpy(), atol=1e-5)


def test_a_forward_map_has_nothing_in_the_padding():
    made, of = padded(smooth(2), 2), scan((19, 29))
    marked = np.zeros(of.shape)
    marked[15:, 25:] = 1
    question = regressors.question(made, of, made.prepare(of).region_to_model(marked > 0))
    array = Ibix().run(question, Ibix.parameters_for(made, Ibix.parameters())).arrays["map"]
    assert array.values[:19, :29].any()
    assert not array.values[19:].any()
    assert not array.values[:, 29:].any()


def test_a_small_picture_is_cut_into_as_many_superpixels_as_it_can_be():
    made, of = padded(smooth(2), 2, 4), scan((20, 20))
    found = explain(of, made, "ibix", region=np.ones(of.shape), direction="backward", jitters=4)
    assert found.numbers["superpixels_asked"] == 500
    assert 50 < found.numbers["superpixels"] <= 400


def test_a_mean_around_a_superpixel_at_the_border_is_of_the_scan():
    """A ring that reached into the padding took its zeros for surroundings."""
    made = padded(smooth(2), 2)
    of = scan((19, 29))
    of.array[:] = 0.75
    setup = setup_of(made, of, np.ones((24, 32), bool), perturbation="mean")
    window = (slice(15, 19), slice(25, 29))
    assert not setup.perturbation.direction(window, torch.ones(4, 4, dtype=torch.bool)).any()


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared slices are not here")
def test_the_published_program_cuts_the_slice_as_its_authors_do():
    """Their program cuts the slice before it is padded; cut after it, fewer pieces lie on the slice."""
    made = padded(smooth(2), 2)
    for path in sorted((SHARED / "test" / "T1").iterdir())[:3]:
        of = load_scan(path)
        marked = np.ones(made.prepare(of).tensor.shape[2:], bool)
        setup = setup_of(made, of, marked, variant="published_code", levels="1", body=False)
        grey = (of.array[0] * 255).round()
        theirs = slic(grey, n_segments=500, compactness=0.1, channel_axis=None, start_label=1)
        ours = setup.superpixels.labels[window_of(setup.covered)]
        assert adjusted_rand_score(theirs.ravel(), ours.ravel()) > 0.999
        assert 440 < len(setup.superpixels) < 500

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from torch import nn

from core.metrics.similarity import block_labels, prob_cnn, rank_correlations, roi_densities, roi_similarity
from tests.oracles import similarity as oracle


@pytest.mark.parametrize("shape", [(9, 8), (6, 5, 7)])
def test_roi_similarity_is_the_papers_cosine_of_densities(shape):
    random = np.random.default_rng(0)
    labels = random.integers(0, 6, shape)
    labels[labels == 4] = 0  # region 4 has no voxel here
    one, other = random.random(shape), random.random(shape) ** 4
    vectors = [roi_densities(1 - m, labels, [1, 2, 3, 4, 5]) for m in (one, other)]
    expected = [oracle.densities(m, labels, [1, 2, 3, 4, 5]) for m in (one, other)]
    np.testing.assert_allclose(vectors, expected, atol=1e-12)
    assert roi_similarity(*vectors) == pytest.approx(oracle.cosine(*expected))


@given(st.lists(st.floats(0.01, 1), min_size=4, max_size=4), st.floats(0.1, 10))
def test_similarity_ignores_the_amount_and_is_one_for_the_same_mask(values, factor):
    vector = np.array(values)
    assert roi_similarity(vector, vector * factor) == pytest.approx(1)


def test_masks_without_a_common_region_are_not_similar_and_empty_ones_have_no_similarity():
    assert roi_similarity(np.array([1.0, 0, 0]), np.array([0, 0.5, 0.5])) == 0
    assert math.isnan(roi_similarity(np.zeros(3), np.ones(3)))


def test_a_region_beyond_the_last_label_of_the_grid_has_no_density():
    densities = roi_densities(np.array([0.5, 1.0]), np.array([1, 1]), [1, 2, 9])
    np.testing.assert_array_equal(densities, [0.75, 0, 0])


def test_densities_of_a_mask_on_another_grid_are_refused():
    with pytest.raises(ValueError, match="differ in shape"):
        roi_densities(np.zeros((2, 3)), np.zeros((3, 2), dtype=int), [1])


def test_prob_cnn_is_the_mean_probability_over_scans_masked_for_another_network():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 3)).eval()
    scans = [torch.rand(1, 1, 3, 4) for _ in range(4)]
    with torch.no_grad():
        expected = np.mean([torch.exp(z[0, 2]) / torch.exp(z[0]).sum() for z in map(network, scans)])
    assert prob_cnn(network, scans, 2) == pytest.approx(float(expected), rel=1e-5)
    with pytest.raises(ValueError, match="at least one"):
        prob_cnn(network, [], 2)


def test_rank_correlations_are_spearmans_of_every_pair():
    random = np.random.default_rng(3)
    maps = [random.random((6, 7)), random.random((6, 7)) ** 3, np.round(random.random((6, 7)), 1)]
    found = rank_correlations(maps)
    for one in range(3):
        for other in range(3):
            expected = spearmanr(maps[one].ravel(), maps[other].ravel()).statistic
            assert found[one, other] == pytest.approx(expected)
    # only the order counts
    assert rank_correlations([maps[0], np.exp(5 * maps[0])])[0, 1] == pytest.approx(1)
    assert rank_correlations([maps[0], -maps[0]])[0, 1] == pytest.approx(-1)


def test_a_map_that_is_the_same_everywhere_has_no_rank_and_other_shapes_are_refused():
    assert math.isnan(rank_correlations([np.ones((2, 3)), np.arange(6).reshape(2, 3)])[0, 1])
    with pytest.raises(ValueError, match="shapes"):
        rank_correlations([np.ones((2, 3)), np.ones((3, 2))])


@pytest.mark.parametrize(
    ("shape", "parts", "blocks"), [((8, 6), 2, 4), ((3, 10), 4, 12), ((4, 4, 4), 2, 8), ((1, 5), 9, 5)]
)
def test_blocks_cover_the_image_in_equal_parts(shape, parts, blocks):
    labels = block_labels(shape, parts)
    assert labels.shape == shape
    assert sorted(np.unique(labels)) == list(range(blocks))
    sizes = np.bincount(labels.ravel())
    whole = all(length % min(parts, length) == 0 for length in shape)
    assert sizes.max() == sizes.min() if whole else sizes.max() <= 2 ** len(shape) * sizes.min()
    # each block is a box
    for block in range(blocks):
        places = np.argwhere(labels == block)
        assert np.prod(np.ptp(places, axis=0) + 1) == len(places)

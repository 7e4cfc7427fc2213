import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput
from core.explainers.checked_map import top_share
from core.explainers.hiding import fill_image, hide, random_blobs, random_control, support_of


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.floats(0.01, 0.5), st.sampled_from([(12, 14), (7, 8, 6)]))
def test_random_blobs_hold_the_very_values_of_the_mask_inside_the_support(seed, share, shape):
    random = np.random.default_rng(seed)
    support = random.random(shape) < 0.7
    hidden = np.where(support & (random.random(shape) < share), random.random(shape), 0).astype(np.float32)
    blobs = random_blobs(hidden, support, (3.0,) * len(shape), random)
    np.testing.assert_array_equal(np.sort(blobs.ravel()), np.sort(hidden.ravel()))
    assert not blobs[~support].any()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.floats(0.01, 0.9), st.sampled_from(["magnitude", "positive"]))
def test_top_of_a_map_is_the_largest_share_of_the_support(seed, share, by):
    random = np.random.default_rng(seed)
    values = np.where(random.random((9, 11)) < 0.8, random.normal(size=(9, 11)), 0)
    support = random.random((9, 11)) < 0.6
    marked = top_share(values, support, share, by) > 0
    strength = np.abs(values) if by == "magnitude" else values
    assert not marked[~support].any()
    assert (strength[marked] > 0).all()
    assert marked.sum() == min(round(share * support.sum()), (support & (strength > 0)).sum())
    rest = support & ~marked
    if marked.any() and rest.any():
        assert strength[marked].min() >= strength[rest].max()


def test_hiding_replaces_the_share_by_the_fill(trained):
    prepared = trained.model.prepare(trained.scan(1))
    hidden = np.random.default_rng(0).random(prepared.tensor.shape[2:]).astype(np.float32)
    fill = fill_image(trained.model, prepared, "constant", 0.25)
    expected = (1 - hidden) * prepared.tensor[0, 0].numpy() + hidden * 0.25
    np.testing.assert_allclose(hide(prepared.tensor, hidden, fill)[0, 0].numpy(), expected, atol=1e-6)


def test_blur_has_the_width_asked_for_in_millimetres(trained):
    prepared = trained.model.prepare(trained.scan(1))
    spike = prepared.tensor * 0
    centre = tuple(n // 2 for n in spike.shape[2:])
    spike[(0, 0, *centre)] = 1
    blurred = fill_image(trained.model, dataclasses.replace(prepared, tensor=spike), "blur", blur_mm=18.0)[0, 0].numpy()
    profile = blurred[(slice(None), *centre[1:])]
    width = np.interp(profile.max() / 2, profile[centre[0] :][::-1], np.arange(len(profile) - centre[0])[::-1]) * 2
    assert abs(width * 6.0 - 18.0) < 2.0


def test_what_is_hidden_becomes_the_healthy_mean_where_there_is_one_and_else_the_blurred_scan(trained):
    prepared = trained.model.prepare(trained.scan(1))
    mean = trained.model.references["healthy_mean"]
    np.testing.assert_array_equal(fill_image(trained.model, prepared, "auto")[0, 0].numpy(), mean)
    bare = dataclasses.replace(trained.model, references={})
    blurred = fill_image(bare, prepared, "blur")
    assert torch.equal(fill_image(bare, prepared, "auto"), blurred)
    assert not torch.equal(blurred, prepared.tensor)
    with pytest.raises(BadInput, match=r"has no healthy mean image: fill with a constant or with the blurred scan\."):
        fill_image(bare, prepared, "healthy_mean")


def test_something_may_be_hidden_inside_the_cards_support_or_everywhere(trained):
    inside = trained.model.references["support"] > 0.5
    assert 0 < inside.mean() < 1
    np.testing.assert_array_equal(support_of(trained.model, inside.shape), inside)
    assert support_of(trained.model, inside.shape, restrict=False).all()
    assert support_of(dataclasses.replace(trained.model, references={}), (3, 4)).shape == (3, 4)


def test_the_control_is_the_mean_over_other_places_and_the_seed_decides_them(trained):
    prepared = trained.model.prepare(trained.scan(1))
    fill, support = (
        fill_image(trained.model, prepared, "constant", 0.0),
        support_of(trained.model, trained.scan(1).shape),
    )
    hidden = np.where(trained.planted, 0.5, 0).astype(np.float32)
    asked: list[float] = []

    def probability(x: torch.Tensor) -> float:
        asked.append(float(x.sum()))
        return asked[-1]

    first = random_control(hidden, support, prepared, fill, probability, 3, 5)
    assert first == pytest.approx(np.mean(asked))
    assert len(set(asked)) == 3
    assert random_control(hidden, support, prepared, fill, probability, 3, 5) == first
    assert random_control(hidden, support, prepared, fill, probability, 3, 6) != first

"""The phantom cohort: what is planted, where, and what must not differ."""

from itertools import pairwise

import numpy as np
import pytest

from core.phantoms.grey_matter.generator import (
    PLANTED_REGIONS,
    PhantomParameters,
    mni_grid,
    phantom_scan,
    plan,
    planted_labels,
    smooth_field,
    template,
)

SMALL = PhantomParameters(spacing_mm=6.0, twins=3, singles=4, sessions=2)


@pytest.mark.parametrize(
    ("spacing_mm", "shape"), [(1.5, (121, 145, 121)), (3.0, (61, 73, 61)), (4.5, (41, 49, 41)), (6.0, (31, 37, 31))]
)
def test_every_spacing_covers_the_same_mni_box(spacing_mm: float, shape: tuple[int, ...]) -> None:
    grid = mni_grid(spacing_mm)
    assert grid.shape == shape
    np.testing.assert_allclose(grid.affine[:3, 3], [-90, -126, -72])
    np.testing.assert_allclose(grid.affine @ [*(np.array(shape) - 1), 1], [90, 90, 108, 1])


def test_the_same_seed_gives_the_same_voxels_and_another_seed_others() -> None:
    session = plan(SMALL)[0]
    again = phantom_scan(plan(SMALL)[0], SMALL)
    np.testing.assert_array_equal(phantom_scan(session, SMALL).array, again.array)
    other = SMALL.model_copy(update={"seed": 1})
    assert np.abs(phantom_scan(plan(other)[0], other).array - again.array).mean() > 0.01


def test_twins_differ_inside_the_planted_regions_and_nowhere_else() -> None:
    parameters = PhantomParameters(twins=2)
    sessions = plan(parameters)
    grid = mni_grid(3.0)
    labels = planted_labels(grid) > 0
    for healthy, ill in zip(sessions[::2], sessions[1::2], strict=True):
        assert (healthy.diagnosis, ill.diagnosis) == ("CN", "AD") and healthy.pair == ill.pair
        assert healthy.age == ill.age and healthy.participant_id != ill.participant_id
        lost = phantom_scan(healthy, parameters).array[0] - phantom_scan(ill, parameters).array[0]
        assert lost.min() >= 0
        assert lost[labels].mean() > 0.1
        # warp (1.5 mm) and blur carry a little of it over the border
        assert lost[labels].sum() / lost.sum() > 0.8


def test_about_fifteen_cubic_centimetres_are_planted_in_six_named_regions_of_grey_matter() -> None:
    grid = mni_grid(3.0)
    labels = planted_labels(grid)
    assert set(np.unique(labels)) == set(range(len(PLANTED_REGIONS) + 1))
    assert (labels > 0).sum() * 0.027 == pytest.approx(15, abs=1.5)
    assert template(grid)[labels > 0].min() > 0.05
    assert np.mean(template(grid)[labels > 0] > 0.2) > 0.95


def test_planted_regions_named_left_lie_left_of_the_midline() -> None:
    grid = mni_grid(3.0)
    labels = planted_labels(grid)
    for k, region in enumerate(PLANTED_REGIONS, start=1):
        x = (np.argwhere(labels == k) * 3.0 + grid.affine[:3, 3])[:, 0].mean()
        assert (x < 0) == region.name.endswith("_L")


def test_healthy_tissue_reaches_one_and_values_stay_probabilities() -> None:
    parameters = PhantomParameters(twins=3)
    for session in plan(parameters):
        values = phantom_scan(session, parameters).array
        assert values.dtype == np.float32 and values.min() == 0 and values.max() == 1


def test_atrophy_grows_with_the_years_of_disease_and_tissue_goes_with_it() -> None:
    parameters = PhantomParameters(twins=0, singles=1, sessions=4, noise=0)
    ill = [session for session in plan(parameters) if session.diagnosis == "AD"]
    grid = mni_grid(3.0)
    core = planted_labels(grid) > 0
    tissue = [phantom_scan(session, parameters).array[0][core].mean() for session in ill]
    assert all(later.atrophy > earlier.atrophy for earlier, later in pairwise(ill))
    assert all(later.years_of_disease > earlier.years_of_disease for earlier, later in pairwise(ill))
    assert all(later < earlier for earlier, later in pairwise(tissue))


def test_ageing_takes_tissue_everywhere_from_the_healthy_too() -> None:
    parameters = PhantomParameters(spacing_mm=6.0, twins=1, noise=0)
    young = plan(parameters)[0]
    old = type(young)(**{**vars(young), "age": young.age + 15})
    lost = phantom_scan(young, parameters).array[0] - phantom_scan(old, parameters).array[0]
    tissue = template(mni_grid(6.0)) > 0.3
    outside = tissue & (planted_labels(mni_grid(6.0)) == 0)
    assert lost[outside].mean() > 0.01


def test_a_subject_is_the_same_on_every_grid() -> None:
    parameters = PhantomParameters(twins=1)
    session = plan(parameters)[1]
    coarse = phantom_scan(session, parameters, mni_grid(6.0)).array[0]
    fine = phantom_scan(session, parameters, mni_grid(3.0)).array[0]
    assert np.corrcoef(coarse.ravel(), fine[::2, ::2, ::2].ravel())[0, 1] > 0.97


def test_smooth_fields_have_unit_variance_and_the_width_asked_for() -> None:
    grid = mni_grid(3.0)
    field = np.concatenate([smooth_field(grid, 12.0, np.random.default_rng(i)).ravel() for i in range(3)])
    assert field.std() == pytest.approx(1, abs=0.05)
    volume = smooth_field(grid, 12.0, np.random.default_rng(0))
    # white noise under a Gaussian of FWHM w correlates at distance d as exp(-2 ln2 d²/w²): a half at 0.707 w
    at = 3
    correlation = np.corrcoef(volume[:-at].ravel(), volume[at:].ravel())[0, 1]
    assert correlation == pytest.approx(np.exp(-2 * np.log(2) * (9 / 12) ** 2), abs=0.06)


def test_singles_share_no_anatomy_with_anyone_and_fill_both_held_out_splits() -> None:
    sessions = plan(SMALL)
    singles = [session for session in sessions if not session.pair]
    assert len({session.anatomy for session in singles}) == 2 * SMALL.singles
    assert not {s.anatomy for s in singles} & {s.anatomy for s in sessions if s.pair}
    for split in ("validation", "test"):
        found = [session.diagnosis for session in singles if session.split == split]
        assert found.count("CN") == found.count("AD") == SMALL.singles // 2 * SMALL.sessions

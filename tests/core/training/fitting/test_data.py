"""Contracts and tensors for training."""

import numpy as np
import pytest
import torch

from core.cohorts.cohort import Cohort, Entry
from core.errors import BadInput
from core.phantoms.grey_matter.cohort import phantom_cohort
from core.phantoms.grey_matter.generator import PLANTED_REGIONS, PhantomParameters, mni_grid, planted_labels, template
from core.scans.scan import Scan
from core.training.fitting.data import (
    grey_matter_support,
    healthy_mean,
    input_contract,
    load_images,
    planted_on_grid,
    value_range,
)

PHANTOMS = PhantomParameters(spacing_mm=8.0, twins=2, singles=1)


def test_volumes_are_brought_to_the_mni_box_and_slices_are_taken_from_it() -> None:
    example = Scan(np.zeros((1, 20, 20, 20), np.float32), np.eye(4))
    assert input_contract(example, 3.0, None, None, None).shape == (61, 73, 61)
    coronal = input_contract(example, 3.0, "coronal", -21.0, None)
    assert (coronal.dimensions, coronal.shape, coronal.position_mm) == (2, (61, 61), -21.0)
    assert input_contract(example, 3.0, "axial", 0.0, None).shape == (73, 61)
    assert input_contract(example, 3.0, "sagittal", 0.0, None).shape == (61, 73)


def test_spacing_zero_stays_on_the_cohorts_own_grid_and_pictures_keep_their_size() -> None:
    affine = np.diag([4.0, 5.0, 6.0, 1.0])
    own = input_contract(Scan(np.zeros((1, 20, 21, 22), np.float32), affine), 0, None, None, None, "other")
    assert own.space == "other"
    assert own.shape == (20, 21, 22) and own.spacing_mm == (4, 5, 6)
    picture = input_contract(Scan(np.zeros((3, 20, 30), np.float32), np.eye(4)), 3.0, None, None, None)
    assert (picture.dimensions, picture.channels, picture.shape, picture.affine) == (2, 3, (20, 30), None)


def test_scans_are_stacked_as_the_model_will_be_fed_with_their_labels() -> None:
    cohort = phantom_cohort(PHANTOMS)
    contract = input_contract(cohort.load(cohort.entries[0]), 8.0, None, None, None)
    images = load_images(cohort, cohort.entries, ("CN", "AD"), contract, lambda progress: None)
    assert images.tensor.shape == (6, 1, *mni_grid(8.0).shape) and images.tensor.dtype == torch.float32
    assert [("CN", "AD")[label] for label in images.labels] == [entry.label for entry in cohort.entries]
    np.testing.assert_array_equal(images.tensor[3, 0].numpy(), cohort.load(cohort.entries[3]).array[0])
    mean = healthy_mean(images, 0)
    torch.testing.assert_close(mean, images.tensor[images.labels == 0].mean(0))


def test_a_scan_that_does_not_fit_is_named() -> None:
    entry = Entry("sub-7", "ses-1", "CN")
    far = np.eye(4)
    far[:3, 3] = 9999
    cohort = Cohort("c", (entry,), lambda e: Scan(np.ones((1, 4, 4, 4), np.float32), far))
    contract = input_contract(Scan(np.zeros((1, 4, 4, 4), np.float32), np.eye(4)), 8.0, None, None, None)
    with pytest.raises(BadInput, match=r"sub-7 ses-1: .*do not overlap"):
        load_images(cohort, cohort.entries, ("CN",), contract, lambda progress: None)


def test_a_slab_gives_the_slice_that_the_whole_volume_gives() -> None:
    whole = PhantomParameters(twins=1, blur_to_mm=6.0)
    slab = whole.model_copy(update={"plane": "coronal", "position_mm": -21.0})
    contract = input_contract(phantom_cohort(whole).load(phantom_cohort(whole).entries[0]), 3.0, "coronal", -21.0, None)
    pictures = [
        load_images(cohort, cohort.entries, ("CN", "AD"), contract, lambda progress: None).tensor
        for cohort in (phantom_cohort(whole), phantom_cohort(slab))
    ]
    torch.testing.assert_close(pictures[0], pictures[1], atol=2e-3, rtol=0)


def test_probabilities_range_from_zero_to_one_and_other_values_over_their_percentiles() -> None:
    assert value_range(torch.tensor([0.0, 0.3, 0.93])) == (0, 1)
    low, high = value_range(torch.linspace(-1000, 3000, 4001))
    assert (low, high) == pytest.approx((-996, 2996))
    with pytest.raises(BadInput, match="one value everywhere"):
        value_range(torch.full((10,), 7.0))


def test_the_support_is_the_templates_grey_matter_on_the_models_grid() -> None:
    example = Scan(np.zeros((1, 4, 4, 4), np.float32), np.eye(4))
    support = grey_matter_support(input_contract(example, 3.0, None, None, None))
    assert np.mean(support == (template(mni_grid(3.0)) > 0.2)) == 1
    coronal = grey_matter_support(input_contract(example, 3.0, "coronal", -21.0, None))
    assert np.mean(coronal == (template(mni_grid(3.0)) > 0.2)[:, 35].T[::-1, ::-1]) > 0.97


def test_the_ground_truth_lands_on_the_models_grid_with_its_labels() -> None:
    cohort = phantom_cohort(PhantomParameters(spacing_mm=3.0, twins=1))
    contract = input_contract(cohort.truth.labels, 3.0, "coronal", -21.0, None)
    planted = planted_on_grid(cohort, contract)
    np.testing.assert_array_equal(planted, planted_labels(mni_grid(3.0))[:, 35].T[::-1, ::-1])
    names = {PLANTED_REGIONS[int(k) - 1].name for k in np.unique(planted) if k}
    assert {"Hippocampus_L", "Hippocampus_R"} <= names
    # patient's right is on the left of the picture
    right = np.argwhere(planted == [r.name for r in PLANTED_REGIONS].index("Hippocampus_R") + 1)[:, 1]
    assert right.max() < 30


def test_a_slice_of_volumes_needs_a_place() -> None:
    example = Scan(np.zeros((1, 20, 20, 20), np.float32), np.eye(4))
    with pytest.raises(BadInput, match="Say where the axial slice lies"):
        input_contract(example, 3.0, "axial", None, None)

"""Values on a surface are no volume, whatever file they are in; narrow volumes are."""

import nibabel as nib
import numpy as np
import pytest

from core.errors import BadInput
from core.scans import load_scan
from tests.core.scans.making import asymmetric, nifti, nifti_header

LISTS = [
    (2562, 1, 1),  # as FreeSurfer writes an overlay
    (1, 1, 642),
    (1, 12, 1),
    (427, 1, 6),  # as it folds one that is too long for NIfTI-1
    (6827, 1, 6),
    (107, 1, 6),
    (8123, 4, 1),
    (2562, 1, 1, 5),  # functional data on a surface
]


@pytest.mark.parametrize("shape", LISTS, ids=str)
@pytest.mark.parametrize("ending", ["overlay.nii", "overlay.nii.gz", "overlay.mgh", "overlay.mgz", "overlay.hdr"])
def test_a_list_of_values_is_refused_as_one(ending, shape, tmp_path):
    values = np.zeros(shape, np.float32)
    image_class = nib.MGHImage if "mg" in ending else nib.Nifti1Pair if ending.endswith("hdr") else nib.Nifti1Image
    image_class(values, np.eye(4)).to_filename(tmp_path / ending)
    with pytest.raises(BadInput, match="a list of numbers") as refusal:
        load_scan(tmp_path / ending)
    assert "damaged" not in str(refusal.value)


@pytest.mark.parametrize("dimensions", [[3, -1, 1, 1], [4, -1, 1, 1, 7], [2, 5000, 1], [1, 5000], [1, 5]])
def test_a_list_is_refused_however_its_length_is_written(dimensions, tmp_path):
    content = nifti_header(dimensions, datatype=16, bitpix=32, glmin=163842) + bytes(4 * 163842)
    (tmp_path / "overlay.nii").write_bytes(content)
    with pytest.raises(BadInput, match="a list of numbers"):
        load_scan(tmp_path / "overlay.nii")


@pytest.mark.parametrize(
    ("intent", "words"), [(1008, "surface mesh"), (1009, "surface mesh"), (2002, "surface mesh"), (3006, "CIFTI")]
)
def test_a_mesh_is_refused_by_what_it_says_it_is(intent, words, tmp_path):
    with pytest.raises(BadInput, match=words):
        load_scan(nifti(tmp_path / "mesh.nii", asymmetric((30, 3, 4)), intent_code=intent))


def test_a_cifti_file_is_known_by_its_axes(tmp_path):
    content = nifti_header([6, 1, 1, 1, 1, 20, 30], datatype=16, bitpix=32) + bytes(4 * 600)
    (tmp_path / "series.dtseries.nii").write_bytes(content)
    with pytest.raises(BadInput, match="CIFTI"):
        load_scan(tmp_path / "series.dtseries.nii")


@pytest.mark.parametrize("shape", [(512, 1, 512), (1, 64, 20), (900, 1, 6), (300, 20, 1), (5, 1, 1)], ids=str)
@pytest.mark.parametrize("intent", [0, 2001, 2005, 1002])
def test_a_narrow_volume_is_one(shape, intent, tmp_path):
    assert load_scan(nifti(tmp_path / "narrow.nii", asymmetric(shape, np.int32), intent_code=intent)).shape == shape

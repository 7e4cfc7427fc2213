import nibabel
import numpy as np

from core.reports.answer import figures_of, write_answer
from core.scans.scan import Scan
from tests.core.regressors import regressor_card


def test_figures_are_those_of_the_image_in_the_cards_units():
    values = np.array([[[-1000.0, 0.0], [40.0, 960.0]]], np.float32)
    card = regressor_card(output={"units": "HU", "low": -1024.0, "high": 1250.0})
    found = figures_of(values, card)
    assert found == {"channels": 1, "shape": [2, 2], "units": "HU", "low": -1000, "mean": 0, "high": 960}


def test_an_image_is_written_as_its_values_and_a_picture_of_them(tmp_path):
    values = np.random.default_rng(0).random((1, 6, 5), dtype=np.float32)
    names = write_answer(values, Scan(np.zeros((1, 6, 5), np.float32), np.eye(4)), tmp_path)
    assert names == ["output.npy"]
    np.testing.assert_array_equal(np.load(tmp_path / "output.npy"), values[0])
    assert (tmp_path / "output.png").is_file()


def test_every_channel_of_a_volume_lies_on_the_scan(tmp_path):
    affine = np.diag([2.0, 2.0, 3.0, 1.0])
    values = np.random.default_rng(0).random((2, 4, 5, 6), dtype=np.float32)
    names = write_answer(values, Scan(np.zeros((1, 4, 5, 6), np.float32), affine), tmp_path)
    assert names == ["output-1.nii.gz", "output-2.nii.gz"]
    for name, channel in zip(names, values, strict=True):
        written = nibabel.load(tmp_path / name)
        np.testing.assert_allclose(written.affine, affine)
        np.testing.assert_allclose(written.get_fdata(), channel, atol=1e-6)

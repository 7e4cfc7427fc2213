import io

import nibabel
import numpy as np
from PIL import Image

from core.scans import Upload
from dashboard.backend import several


def given(folder, *images):
    """Uploads of one name, as a browser gives files from several folders."""
    files = []
    for number, image in enumerate(images):
        path = folder / str(number)
        path.write_bytes(image)
        files.append(Upload("scan.nii", path))
    return files


def volume(values):
    return nibabel.Nifti1Image(values.astype(np.float32), np.diag([2.0, 2, 2, 1])).to_bytes()


def test_a_glance_shows_the_middle_axial_slice_face_up_and_right_on_the_left(tmp_path):
    values = np.zeros((8, 10, 6))
    values[7, 9, 3] = 1.0  # the person's right, front, in the middle slice
    seen = several.glance(given(tmp_path, volume(values), volume(np.ones((8, 10, 6)))))
    assert len(seen.pictures) == 2, "one name and size, and yet two"
    pixels = [np.asarray(Image.open(io.BytesIO(png)).convert("L")) for png in seen.pictures.values()]
    shown = next(one for one in pixels if one.max() > one.min())
    assert shown.shape == (10, 8)
    assert np.argwhere(shown == shown.max()).tolist() == [[0, 0]]


def test_late_pictures_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(several, "_PATIENCE", -1.0)
    assert several.glance(given(tmp_path, volume(np.ones((4, 5, 6))))).pictures == {}

"""Label images of landmarks and the table of their names; through a cohort they are read in `test_reading`."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.cohorts.landmark_labels import read_landmark_names, read_landmarks
from core.errors import BadInput
from core.scans.scan import Scan

FILM = Scan(np.zeros((1, 6, 8), np.float32), np.eye(4))


def test_each_label_is_one_landmark_and_only_those_of_the_film_are_there(tmp_path: Path) -> None:
    labels = np.zeros((6, 8), np.uint8)
    labels[1:3, 2:5], labels[5, 7] = 1, 3
    Image.fromarray(labels).save(tmp_path / "marks.png")
    (tmp_path / "landmarks.tsv").write_bytes(b"\xef\xbb\xbfindex\tname\r\n3\timplant\r\n1\t bone \r\n2\tmarker\r\n")
    names = read_landmark_names(tmp_path)
    assert names == {3: "implant", 1: "bone", 2: "marker"}
    found = read_landmarks(tmp_path / "marks.png", FILM, names, "a")
    assert list(found) == ["bone", "implant"]
    for value, name in ((1, "bone"), (3, "implant")):
        np.testing.assert_array_equal(found[name], labels == value)
    assert list(read_landmarks(tmp_path / "marks.png", FILM, {}, "a")) == ["landmark 1", "landmark 3"]


def test_without_a_table_there_are_no_names(tmp_path: Path) -> None:
    assert read_landmark_names(tmp_path) == {}


@pytest.mark.parametrize(
    ("labels", "names", "sentence"),
    [
        (np.ones((6, 9)), None, "landmarks of a are 6×9 samples and its film 6×8"),
        (np.full((6, 8), 255), "index\tname\n1\tbone\n", "hold 255, which landmarks.tsv does not name"),
        (np.dstack([np.ones((6, 8)), *[np.zeros((6, 8))] * 2]), None, "are in colour"),
        (np.ones((6, 8)), "number\tname\n1\tbone\n", "must be tab-separated text"),
        (np.ones((6, 8)), "index\tname\n1\tbone\n2\tbone\n", "every index from 1 a name of its own"),
        (np.ones((6, 8)), "index\tname\n1\tbone\n1\tmarker\n", "every index from 1 a name of its own"),
        (np.ones((6, 8)), "index\tname\n1\t\n", "every index from 1 a name of its own"),
        (np.ones((6, 8)), "index\tname\n0\tnothing\n", "every index from 1"),
    ],
)
def test_landmarks_that_do_not_fit_are_refused(
    tmp_path: Path, labels: np.ndarray, names: str | None, sentence: str
) -> None:
    Image.fromarray(labels.astype(np.uint8)).save(tmp_path / "marks.png")
    if names:
        (tmp_path / "landmarks.tsv").write_text(names)
    with pytest.raises(BadInput, match=sentence):
        read_landmarks(tmp_path / "marks.png", FILM, read_landmark_names(tmp_path), "a")


def test_landmarks_must_be_whole_numbers_in_an_image(tmp_path: Path) -> None:
    path = tmp_path / "marks.tif"
    for value in (1.5, -1):
        Image.fromarray(np.full((6, 8), value, np.float32)).save(path)
        with pytest.raises(BadInput, match="landmarks of a are no whole numbers from 0"):
            read_landmarks(path, FILM, {}, "a")
    path.write_text("no image")
    with pytest.raises(BadInput, match=r"landmarks of a cannot be read\. This is not an image"):
        read_landmarks(path, FILM, {}, "a")

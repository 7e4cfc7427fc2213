import os

import nibabel
import numpy as np
import pytest

from core.errors import BadInput
from core.metrics.atlas import atlas_for, read_atlas, read_names
from core.models.card import InputContract, Intensity
from core.scans.grid import Grid
from core.settings import settings
from tests.shared import SHARED_DATA

AFFINE = ((3.0, 0, 0, -90), (0, 3.0, 0, -126), (0, 0, 3.0, -72), (0, 0, 0, 1))
SHARED = SHARED_DATA / "atlas_aal2"


@pytest.fixture(autouse=True)
def fresh_settings(monkeypatch):
    monkeypatch.delenv("LIGHTBOX_ATLAS", raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


def contract(**changes):
    values = {"dimensions": 3, "shape": (61, 73, 61), "affine": AFFINE, "intensity": Intensity(low=0, high=1)}
    return InputContract(**(values | changes))


def write_atlas(folder, names="index\tname\n7\tleft thing\n9\tright thing\n"):
    labels = np.zeros((10, 12, 8), np.int16)
    labels[:5, 2:6] = 7
    labels[5:, 2:6] = 9
    nibabel.save(nibabel.Nifti1Image(labels, np.diag([6.0, 6, 6, 1])), folder / "small.nii.gz")
    (folder / "small.tsv").write_text(names)
    return folder / "small.nii.gz", labels


def test_without_a_configured_atlas_the_built_in_one_names_the_regions():
    atlas = atlas_for(contract())
    assert atlas.title == "built-in coarse parcellation"
    assert atlas.labels.shape == (61, 73, 61)
    assert "left hippocampus" in atlas.names.values()


def test_a_model_without_a_place_in_space_has_no_atlas():
    assert atlas_for(contract(affine=None)) is None
    assert atlas_for(contract(space="other")) is None


def test_a_slice_model_gets_its_slice_hung_like_its_image():
    volume = atlas_for(contract()).labels
    image = atlas_for(contract(dimensions=2, shape=(61, 61), plane="coronal", position_mm=-21.0))
    assert np.array_equal(image.labels, volume[:, 35, :].T[::-1, ::-1])


def test_a_configured_atlas_is_resampled_with_nearest_neighbour(tmp_path, monkeypatch):
    path, labels = write_atlas(tmp_path)
    monkeypatch.setenv("LIGHTBOX_ATLAS", str(path))
    settings.cache_clear()
    fine = np.diag([3.0, 3, 3, 1])
    atlas = atlas_for(contract(shape=(20, 24, 16), affine=tuple(map(tuple, fine))))
    assert atlas.title == "small"
    assert set(np.unique(atlas.labels)) <= {0, 7, 9}
    assert np.array_equal(atlas.labels[::2, ::2, ::2], labels)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("names.tsv", "index\tname\n0\tBackground\n2001\tPrecentral_L\n2002\tPrecentral_R\n"),
        ("names.tsv", "roi_value\troi_name\n0\tBackground\n2001\tPrecentral_L\n2002\tPrecentral_R\n"),
        ("names.csv", "name,label\nPrecentral_L,2001\nPrecentral_R,2002\n"),
        ("names.tsv", "index\tname\tlobe\tvoxels\n2001\tPrecentral_L\tfrontal\t88\n2002\tPrecentral_R\tfrontal\t90\n"),
        ("names.txt", "1 Precentral_L 2001\n2 Precentral_R 2002\n"),
        (
            "names.xml",
            "<atlas><data><label><index>2001</index><name>Precentral_L</name></label>"
            "<label index='2002'>Precentral_R</label></data></atlas>",
        ),
    ],
)
def test_names_are_read_in_every_common_form(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_names(tmp_path / name) == {2001: "Precentral_L", 2002: "Precentral_R"}


@pytest.mark.parametrize(
    "head", ['<!DOCTYPE x [<!ENTITY a "b">]>', '<!DOCTYPE x SYSTEM "names.dtd">', '<!ENTITY a "b">']
)
def test_xml_entities_are_refused(tmp_path, head):
    (tmp_path / "names.xml").write_text(head + '<atlas><label index="1">&a;</label></atlas>')
    with pytest.raises(BadInput, match="entities"):
        read_names(tmp_path / "names.xml")


def test_an_atlas_without_names_says_what_to_add(tmp_path):
    path, _ = write_atlas(tmp_path)
    (tmp_path / "small.tsv").unlink()
    with pytest.raises(BadInput, match=r"add small\.tsv"):
        read_atlas(path, Grid((4, 4, 4), np.eye(4)))


def test_an_atlas_that_is_changed_is_read_again(tmp_path, monkeypatch):
    path, labels = write_atlas(tmp_path)
    monkeypatch.setenv("LIGHTBOX_ATLAS", str(path))
    settings.cache_clear()
    asked = contract(shape=labels.shape, affine=tuple(map(tuple, np.diag([6.0, 6, 6, 1]))))
    assert np.array_equal(atlas_for(asked).labels, labels)
    nibabel.save(nibabel.Nifti1Image(np.full(labels.shape, 9, np.int16), np.diag([6.0, 6, 6, 1])), path)
    os.utime(path, (1, 1))
    assert set(np.unique(atlas_for(asked).labels)) == {9}


def test_an_atlas_that_is_gone_or_no_volume_says_what_to_set(tmp_path, monkeypatch):
    monkeypatch.setenv("LIGHTBOX_ATLAS", str(tmp_path / "gone.nii.gz"))
    settings.cache_clear()
    with pytest.raises(BadInput, match=r"gone\.nii\.gz is not there: set LIGHTBOX_ATLAS"):
        atlas_for(contract())
    (tmp_path / "words.nii.gz").write_text("not a volume")
    with pytest.raises(BadInput, match="cannot be read as NIfTI"):
        read_atlas(tmp_path / "words.nii.gz", Grid((4, 4, 4), np.eye(4)))


def test_an_atlas_of_fractions_is_refused(tmp_path):
    nibabel.save(nibabel.Nifti1Image(np.full((4, 4, 4), 0.5, np.float32), np.eye(4)), tmp_path / "bad.nii.gz")
    with pytest.raises(BadInput, match="whole-number"):
        read_atlas(tmp_path / "bad.nii.gz", Grid((4, 4, 4), np.eye(4)))


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the AAL2 atlas is not beside the checkout")
def test_aal2_reads_and_agrees_with_the_built_in_parcellation(monkeypatch):
    built_in = atlas_for(contract())
    monkeypatch.setenv("LIGHTBOX_ATLAS", str(SHARED / "atlas-AAL2_dseg.nii.gz"))
    settings.cache_clear()
    aal = atlas_for(contract())
    assert len(aal.names) == 120
    for ours, theirs in (("left hippocampus", "Hippocampus_L"), ("right thalamus", "Thalamus_R")):
        mine = built_in.labels == next(k for k, v in built_in.names.items() if v == ours)
        other = aal.labels == next(k for k, v in aal.names.items() if v == theirs)
        assert (mine & other).sum() / other.sum() > 0.75

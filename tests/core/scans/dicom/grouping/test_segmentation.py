"""Segmentations: a volume for each segment, on one grid, never mixed with another."""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import pack_bits
from pydicom.sequence import Sequence as Items

from core.errors import BadInput
from core.scans import list_series, load_scan
from tests.core.scans.dicom.making import classic, group
from tests.core.scans.making import AXIAL, dicom, save


def segmentation(frames, binary=True, **more):
    """`frames`: (segment, place in steps of 2 mm, 8 × 8 mask)."""
    masks = np.stack([mask for _, _, mask in frames]).astype(np.uint8)
    data = dicom(masks, Modality="SEG", **{"SegmentationType": "BINARY", **more})
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.66.4"
    if binary:
        data.BitsAllocated = data.BitsStored = 1
        data.HighBit = 0
        data.PixelData = pack_bits(masks)
    shared = Dataset()
    group(shared, "PixelMeasuresSequence", PixelSpacing=[1.0, 1.0], SliceThickness=2.0)
    group(shared, "PlaneOrientationSequence", ImageOrientationPatient=list(AXIAL))
    data.SharedFunctionalGroupsSequence = Items([shared])
    groups = []
    for segment, place, _ in frames:
        item = Dataset()
        group(item, "PlanePositionSequence", ImagePositionPatient=[0.0, 0.0, 2.0 * place])
        if segment is not None:
            group(item, "SegmentIdentificationSequence", ReferencedSegmentNumber=segment)
        groups.append(item)
    data.PerFrameFunctionalGroupsSequence = Items(groups)
    return data


def mask(row, column):
    found = np.zeros((8, 8), np.uint8)
    found[row, column] = 1
    return found


#: segment → place → where its one pixel is; places 1 and 6 hold neither, segment 2 lies beside and in 1
SEGMENTS = {1: {0: (1, 2), 2: (3, 4), 7: (5, 6)}, 2: {2: (3, 4), 3: (0, 1), 5: (7, 7)}}


def pixel_at(scan, place, row, column):
    index = np.linalg.inv(scan.affine) @ [-column, -row, 2 * place, 1]
    return scan.array[(0, *np.round(index[:3]).astype(int))]


@pytest.mark.parametrize("order", [1, -1])
def test_each_segment_is_a_volume_and_what_it_leaves_out_is_empty(order, tmp_path):
    frames = [(segment, place, mask(*at)) for segment, places in SEGMENTS.items() for place, at in places.items()]
    path = save(segmentation(frames[::order]), tmp_path / "seg")
    choices = {choice.description.split(" · ")[2]: choice for choice in list_series(path)}
    assert choices.keys() == {"segment 1", "segment 2"}
    for segment, places in SEGMENTS.items():
        scan = choices[f"segment {segment}"].read()
        assert (scan.shape, scan.units, scan.notes) == ((8, 8, 8), None, ())
        assert scan.array.sum() == len(places)
        for place, at in places.items():
            assert pixel_at(scan, place, *at) == 1


def test_fractions_are_read_as_probabilities(tmp_path):
    frames = [(1, place, mask(1, 2) * 100) for place in range(3)]
    data = segmentation(
        frames,
        binary=False,
        SegmentationType="FRACTIONAL",
        SegmentationFractionalType="PROBABILITY",
        MaximumFractionalValue=200,
    )
    scan = load_scan(save(data, tmp_path / "seg"))
    assert (scan.units, scan.array.max()) == ("probability", 0.5)


def test_a_label_map_is_never_interpolated(tmp_path):
    frames = [(None, place, mask(1, 2) * 7) for place in (0, 1, 2, 5)]
    scan = load_scan(save(segmentation(frames, binary=False, SegmentationType="LABELMAP"), tmp_path / "seg"))
    assert (scan.shape, scan.units) == ((8, 8, 6), None)
    assert np.unique(scan.array).tolist() == [0, 7]
    assert [pixel_at(scan, place, 1, 2) for place in range(6)] == [7, 7, 7, 0, 0, 7]


@pytest.mark.parametrize(("thickness", "slices"), [(2.0, 9), (4.0, 5), (1.5, 5), (20.0, 5)])
def test_frames_far_apart_lie_on_the_grid_of_the_slices(thickness, slices, tmp_path):
    """Places of 0, 4, 8 and 16 mm: only slices of 2 or 4 mm fit all of them."""
    data = segmentation([(1, place, mask(1, 2)) for place in (0, 2, 4, 8)])
    data.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SliceThickness = thickness
    scan = load_scan(save(data, tmp_path / "seg"))
    assert scan.shape == (8, 8, slices)
    assert scan.spacing_mm[2] == pytest.approx(16 / (slices - 1))
    for place in (0, 2, 4, 8):
        assert pixel_at(scan, place, 1, 2) == 1
    assert scan.array.sum() == 4


def test_two_frames_of_one_segment_in_one_place_are_refused(tmp_path):
    frames = [(1, 0, mask(0, 0)), (1, 0, mask(1, 1)), (1, 1, mask(2, 2))]
    with pytest.raises(BadInput, match="which of them belong together"):
        load_scan(save(segmentation(frames), tmp_path / "seg"))


def test_segments_off_the_grid_are_refused(tmp_path):
    frames = [(1, place, mask(0, 0)) for place in (0, 1, 2.4)]
    with pytest.raises(BadInput, match="lie unevenly"):
        load_scan(save(segmentation(frames), tmp_path / "seg"))


def test_the_images_come_before_their_segmentation_however_large_it_is(tmp_path):
    for number, data in enumerate(classic(lambda data, volume, place: None, volumes=1, places=range(3))):
        save(data, tmp_path / f"{number}")
    save(segmentation([(1, place, mask(0, 0)) for place in range(12)], SeriesInstanceUID="1.2.9"), tmp_path / "seg")
    assert [choice.shape for choice in list_series(tmp_path)] == [(5, 4, 3), (8, 8, 12)]
    assert load_scan(tmp_path).modality == "MR"

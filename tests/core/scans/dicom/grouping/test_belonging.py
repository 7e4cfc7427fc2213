"""Volumes of one series are told apart by what they are, wherever they lie and whatever their files are called."""

import copy
import struct
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import generate_uid

from core.errors import BadInput
from core.scans import list_series, load_scan
from tests.core.scans.dicom.making import (
    FIRST,
    STEP_MM,
    all_volumes,
    check_voxels,
    classic,
    enhanced,
    group,
    pixels_of,
    write_shuffled,
)
from tests.core.scans.making import dicom, save, slice_at


def elements(**by_volume):
    """Writes element → value of each volume."""

    def tell(data, volume, place):
        for keyword, values in by_volume.items():
            setattr(data, keyword, values[volume])

    return tell


def private(group_number, creator, offset, representation, values):
    def tell(data, volume, place):
        block = data.private_block(group_number, creator, create=True)
        block.add_new(offset, representation, values[volume])

    return tell


def directions(data, volume, place):
    data.DiffusionBValue = 1000.0
    data.DiffusionGradientOrientation = np.eye(3)[volume].tolist()


def numbered(number):
    def tell(data, volume, place):
        data.InstanceNumber = number(volume, place)

    return tell


#: what tells three volumes apart, and nothing else does
TELLING = {
    "temporal position": elements(TemporalPositionIdentifier=[1, 2, 3]),
    "acquisition number": elements(AcquisitionNumber=[4, 5, 6]),
    "b-value": elements(DiffusionBValue=[0.0, 500.0, 1000.0]),
    "b-value or none": elements(DiffusionBValue=[None, 0.0, 1000.0]),
    "b-value of Siemens": private(0x19, "SIEMENS MR HEADER", 0x0C, "IS", ["0", "500", "1000"]),
    "b-value of GE": private(0x43, "GEMS_PARM_01", 0x39, "IS", [[0, 8], [1000000500, 8], [1000001000, 8]]),
    "b-value of Philips": private(0x2001, "Philips Imaging DD 001", 0x03, "FL", [0.0, 500.0, 1000.0]),
    "b-value of UIH": private(0x65, "Image Private Header", 0x09, "FD", [0.0, 500.0, 1000.0]),
    "b-value in bytes": private(0x65, "Image Private Header", 0x09, "UN", [struct.pack("<d", b) for b in (0, 5, 9)]),
    "gradient direction": directions,
    "echo number": elements(EchoNumbers=[1, 2, 3]),
    "echo time": elements(EchoTime=[10.0, 20.0, 30.0]),
    "inversion time": elements(InversionTime=[100, 200, 300]),
    "kind of image": elements(ImageType=[["DERIVED", "PRIMARY", "DIXON", kind] for kind in ("WATER", "FAT", "IN")]),
    "kernel": elements(ConvolutionKernel=["B30", "B60", "B70"]),
    "tube voltage": elements(KVP=[80, 100, 140]),
    "trigger time": elements(TriggerTime=[0.0, 50.0, 100.0]),
    "time of acquisition": elements(AcquisitionTime=["101010", "101012", "101014"]),
    "instance number, volume by volume": numbered(lambda volume, place: 5 * volume + place + 1),
    "instance number, from the top": numbered(lambda volume, place: 5 * volume + 5 - place),
    "instance number, slice by slice": numbered(lambda volume, place: 3 * place + volume + 1),
}


@pytest.mark.parametrize("telling", TELLING)
@pytest.mark.parametrize("seed", [1, 2])
def test_each_volume_holds_its_own_slices_alone(telling, seed, tmp_path):
    folder = write_shuffled(classic(TELLING[telling]), tmp_path, seed)
    assert [(choice.volumes, choice.shape, choice.files) for choice in list_series(folder)] == [(3, (5, 4, 5), 15)]
    found = []
    for scan in all_volumes(folder):
        found.append(int(scan.array.max()) // 1000)
        check_voxels(scan, found[-1])
    assert sorted(found) == [0, 1, 2]
    if telling not in ("b-value or none", "kind of image", "kernel", "gradient direction"):
        assert found == [0, 1, 2]


@settings(max_examples=25, deadline=None)
@given(
    telling=st.sampled_from(sorted(TELLING)),
    moved=st.lists(st.tuples(*[st.floats(-0.35, 0.35)] * 3), min_size=3, max_size=3),
    seed=st.integers(0, 1000),
)
def test_volumes_of_a_patient_who_moved_keep_their_own_places(telling, moved, seed):
    moved = np.round(moved, 3).tolist()
    with tempfile.TemporaryDirectory() as folder:
        path = write_shuffled(classic(TELLING[telling], moved_mm=moved), Path(folder), seed)
        (choice,) = list_series(path)
        assert (choice.volumes, choice.shape) == (3, (5, 4, 5))
        found = []
        for scan in all_volumes(path):
            volume = int(scan.array.max()) // 1000
            found.append(volume)
            check_voxels(scan, volume, moved_mm=moved[volume])
            assert not any("uneven" in note for note in scan.notes)
        assert sorted(found) == [0, 1, 2]


@pytest.mark.parametrize("telling", sorted(TELLING))
def test_volumes_half_a_slice_apart_are_not_interleaved(telling, tmp_path):
    moved = [[0, 0, 0], [0, 0, STEP_MM / 2], [0, 0, -STEP_MM / 3]]
    folder = write_shuffled(classic(TELLING[telling], moved_mm=moved), tmp_path, 5)
    found = []
    for scan in all_volumes(folder):
        found.append(int(scan.array.max()) // 1000)
        check_voxels(scan, found[-1], moved_mm=moved[found[-1]])
    assert sorted(found) == [0, 1, 2]


@settings(max_examples=15, deadline=None)
@given(
    telling=st.sampled_from(sorted(TELLING)),
    seeds=st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)),
    places=st.sampled_from([range(5), [0, 1, 2, 4, 5], [0, 1, 1.4, 2.9, 4], [0, 1, 20, 21, 22]]),
)
def test_names_and_order_of_files_change_nothing(telling, seeds, places):
    files = classic(TELLING[telling], places=places)
    found = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            path = write_shuffled(files, Path(folder), seed)
            choices = [(choice.key, choice.description, choice.volumes) for choice in list_series(path)]
            scans = all_volumes(path)
            found.append((choices, [(scan.content_hash, scan.notes) for scan in scans], load_scan(path).content_hash))
    assert found[0] == found[1]


def frame_content(keyword, values):
    return lambda item, volume, place: group(item, "FrameContentSequence", **{keyword: values[volume]})


def enhanced_direction(item, volume, place):
    group(item, "MRDiffusionSequence", DiffusionBValue=1000.0, DiffusionDirectionality="DIRECTIONAL")
    direction = Dataset()
    direction.DiffusionGradientOrientation = np.eye(3)[volume].tolist()
    item.MRDiffusionSequence[0].DiffusionGradientDirectionSequence = Items([direction])


#: what tells volumes of a multi-frame object apart
ENHANCED = {
    "temporal position": frame_content("TemporalPositionIndex", [1, 2, 3]),
    "acquisition number": frame_content("FrameAcquisitionNumber", [1, 2, 3]),
    "b-value": lambda item, volume, place: group(item, "MRDiffusionSequence", DiffusionBValue=500.0 * volume),
    "gradient direction": enhanced_direction,
    "echo time": lambda item, volume, place: group(item, "MREchoSequence", EffectiveEchoTime=10.0 * (volume + 1)),
    "cardiac phase": lambda item, volume, place: group(
        item, "CardiacSynchronizationSequence", NominalCardiacTriggerDelayTime=40.0 * volume
    ),
    "inversion time": lambda item, volume, place: group(
        item, "MRModifierSequence", InversionTimes=100.0 * (volume + 1)
    ),
}


@pytest.mark.parametrize("telling", ENHANCED)
def test_frames_of_one_object_are_told_apart_by_their_functional_groups(telling, tmp_path):
    path = save(enhanced(ENHANCED[telling], seed=3), tmp_path / "enhanced")
    assert [(choice.volumes, choice.shape) for choice in list_series(path)] == [(3, (5, 4, 4))]
    for volume in range(3):
        check_voxels(load_scan(path, volume=volume), volume, range(4))


def test_a_dimension_of_the_objects_own_tells_volumes_apart(tmp_path):
    def tell(item, volume, place):
        group(item, "FrameContentSequence", DimensionIndexValues=[place + 1, volume + 1])

    data = enhanced(tell, seed=4)
    pointers = []
    for tag in (0x00200032, 0x00181314):  # where the slice lies; the flip angle
        pointer = Dataset()
        pointer.DimensionIndexPointer = tag
        pointers.append(pointer)
    data.DimensionIndexSequence = Items(pointers)
    scans = all_volumes(save(data, tmp_path / "enhanced"))
    for scan in scans:
        check_voxels(scan, int(scan.array.max()) // 1000, range(4))
    assert {int(scan.array.max()) // 1000 for scan in scans} == {0, 1, 2}


def test_frames_of_two_stacks_are_two_images(tmp_path):
    def tell(item, volume, place):
        group(item, "FrameContentSequence", StackID=str(volume + 1))

    path = save(enhanced(tell, volumes=2), tmp_path / "enhanced")
    assert [choice.volumes for choice in list_series(path)] == [1, 1]
    first = {int(scan.array.max()) // 1000 for scan in all_volumes(path)}
    assert first == {0, 1}


@pytest.mark.parametrize(
    "tell",
    [
        elements(ImageType=[["ORIGINAL", "PRIMARY", "P", "ND"], ["ORIGINAL", "PRIMARY", "M", "ND"]]),
        elements(ImageType=[["ORIGINAL", "PRIMARY", "PHASE MAP", "P"], ["ORIGINAL", "PRIMARY", "M_FFE", "M"]]),
        elements(ComplexImageComponent=["PHASE", "MAGNITUDE"]),
        private(0x43, "GEMS_PARM_01", 0x2F, "SS", [1, 0]),
    ],
    ids=["Siemens", "Philips", "standard", "GE"],
)
def test_magnitude_and_phase_are_two_images_and_magnitude_comes_first(tell, tmp_path):
    def tell_and_number(data, volume, place):
        tell(data, volume, place)
        data.InstanceNumber = 2 * place + volume

    folder = write_shuffled(classic(tell_and_number, volumes=2), tmp_path, 6)
    magnitude, phase = list_series(folder)
    assert "phase" in phase.description
    assert "phase" not in magnitude.description
    check_voxels(magnitude.read(), 1)
    check_voxels(phase.read(), 0)
    check_voxels(load_scan(folder), 1)


def test_stacks_beside_each_other_keep_their_own_places(tmp_path):
    def tell(data, volume, place):
        data.InstanceNumber = 5 * volume + place

    moved = [[0, 0, 0], [200, 0, 0], [0, 150, 1]]
    folder = write_shuffled(classic(tell, moved_mm=moved), tmp_path, 7)
    scans = all_volumes(folder)
    assert [choice.volumes for choice in list_series(folder)] == [1, 1, 1]
    for scan in scans:
        volume = int(scan.array.max()) // 1000
        check_voxels(scan, volume, moved_mm=moved[volume])
    assert len({int(scan.array.max()) // 1000 for scan in scans}) == 3


def test_acquisitions_that_follow_each_other_in_space_are_one_volume(tmp_path):
    def tell(data, volume, place):
        data.AcquisitionNumber, data.InstanceNumber = place // 2 + 1, place

    folder = write_shuffled(classic(tell, volumes=1), tmp_path, 8)
    check_voxels(load_scan(folder), 0)
    assert load_scan(folder).notes == ()


def test_acquisitions_that_take_every_second_slice_are_one_volume(tmp_path):
    def tell(data, volume, place):
        data.AcquisitionNumber, data.AcquisitionTime = place % 2 + 1, f"10101{place}"

    folder = write_shuffled(classic(tell, volumes=1, places=range(6)), tmp_path, 9)
    check_voxels(load_scan(folder), 0, range(6))
    assert load_scan(folder).notes == ()


@pytest.mark.parametrize("keyword", ["TemporalPositionIdentifier", "EchoNumbers"])
def test_an_element_that_numbers_the_slices_does_not_tear_the_volume(keyword, tmp_path):
    folder = write_shuffled(classic(lambda data, _, place: setattr(data, keyword, place + 1), volumes=1), tmp_path, 1)
    check_voxels(load_scan(folder), 0)


@pytest.mark.parametrize(
    "tell",
    [lambda data, volume, place: None, lambda data, volume, place: setattr(data, "InstanceNumber", place + 1)],
    ids=["no numbers", "numbers that repeat"],
)
def test_slices_that_nothing_tells_apart_are_refused_and_not_mixed(tell, tmp_path):
    folder = write_shuffled(classic(tell, volumes=2), tmp_path, 2)
    with pytest.raises(BadInput, match="nothing in the files says which of them belong together"):
        load_scan(folder)


def test_a_slice_missing_from_numbered_volumes_mixes_no_others(tmp_path):
    def tell(data, volume, place):
        data.InstanceNumber = 5 * volume + place + 1

    files = classic(tell)
    del files[7]  # of the second volume
    folder = write_shuffled(files, tmp_path, 3)
    (choice,) = list_series(folder)
    assert choice.volumes == 2
    check_voxels(choice.read(0), 0)
    check_voxels(choice.read(1), 2)
    assert any(note.startswith("4 slice(s) belong to incomplete volumes") for note in choice.read(0).notes)


def test_pictures_of_one_place_come_in_the_order_of_their_numbers(tmp_path):
    def tell(data, volume, place):
        data.InstanceNumber = volume + 1

    folder = write_shuffled(classic(tell, places=[0], volumes=4), tmp_path, 4)
    (choice,) = list_series(folder)
    assert (choice.volumes, choice.shape) == (4, (4, 5))
    assert [int(choice.read(index).array.max()) // 1000 for index in range(4)] == [0, 1, 2, 3]


def test_files_without_any_uid_are_told_by_their_content(tmp_path):
    files = classic(elements(TemporalPositionIdentifier=[1, 2, 3]))
    for data in files:
        del data.SOPInstanceUID, data.SeriesInstanceUID
    folder = write_shuffled(files, tmp_path, 5)
    (choice,) = list_series(folder)
    for volume in range(3):
        check_voxels(choice.read(volume), volume)


def test_pages_without_a_place_are_pictures_of_their_own_without_a_unit(tmp_path):
    pages = []
    for number in range(3):
        page = dicom(np.full((4, 5), number, np.int16), Modality="CT", InstanceNumber=number)
        page.SOPClassUID = page.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
        page.RescaleSlope, page.RescaleIntercept = 1, 0
        pages.append(page)
    folder = write_shuffled(pages, tmp_path, 6)
    assert [(choice.shape, choice.volumes) for choice in list_series(folder)] == [((4, 5), 1)] * 3
    assert {scan.units for scan in all_volumes(folder)} == {None}


def copies(files):
    """The same slices once more, each under a UID of its own."""
    again = [copy.deepcopy(data) for data in files]
    for data in again:
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    return again


@pytest.mark.parametrize("number", [True, False])
def test_slices_sent_twice_under_other_uids_are_read_once_and_counted(number, tmp_path):
    files = classic(TELLING["instance number, volume by volume"] if number else elements(), volumes=1)
    folder = write_shuffled([*files, *copies(files[1:3])], tmp_path, 8)
    scan = load_scan(folder)
    check_voxels(scan, 0)
    assert scan.notes == ("2 file(s) were there twice and read once.",)


def test_a_slice_that_lies_where_another_lies_is_left_out_and_counted(tmp_path):
    files = classic(TELLING["instance number, volume by volume"], volumes=1)
    (again,) = copies(files[2:3])
    again.InstanceNumber = 99
    scan = load_scan(write_shuffled([*files, again], tmp_path, 8))
    check_voxels(scan, 0)
    assert any(note.startswith("1 slice(s) belong to incomplete volumes or lie where") for note in scan.notes)


def test_a_localiser_between_the_slices_is_an_image_of_its_own(tmp_path):
    files = classic(lambda data, volume, place: None, volumes=1)
    localiser = slice_at(FIRST + np.array([0, 0, 4.0]), pixels_of(7, 0), ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    folder = write_shuffled([*files, localiser], tmp_path, 9)
    assert [choice.shape for choice in list_series(folder)] == [(5, 4, 5), (4, 5)]
    check_voxels(load_scan(folder), 0)

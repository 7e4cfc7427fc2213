"""Objects that are no images, or images of another kind, beside the series of a study."""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence as Items
from pydicom.uid import JPEG2000Lossless

from core.errors import BadInput
from core.scans import list_series, load_scan
from tests.core.scans.dicom.making import check_voxels, classic, enhanced, group
from tests.core.scans.making import asymmetric, dicom, save, slice_at

STORAGE = "1.2.840.10008.5.1.4.1.1."


def of_class(data, number):
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = STORAGE + number
    return data


#: class and modality → what the sentence calls it
FOREIGN = {
    ("481.3", "RTSTRUCT"): "a set of contours",
    ("481.5", "RTPLAN"): "a treatment plan or record",
    ("88.33", "SR"): "a report",
    ("88.67", "SR"): "a report",
    ("88.59", "KO"): "a list of key images",
    ("11.1", "PR"): "a display setting",
    ("104.1", "DOC"): "a document (PDF)",
    ("104.1", "OT"): "a document (PDF)",
    ("104.3", "M3D"): "a surface mesh",
    ("66", "MR"): "raw data of a scanner",
    ("66.1", "REG"): "a registration",
    ("66.5", "SEG"): "a segmentation by surfaces",
    ("67", "RWV"): "a table of units",
    ("4.2", "MR"): "a spectrum",
    ("9.1.1", "ECG"): "a recorded curve",
    ("999.9", "SR"): "a report",
    ("999.9", "MR"): "an object without an image",
}


@pytest.mark.parametrize(("number", "modality"), FOREIGN)
def test_an_object_without_an_image_is_refused_in_one_sentence_that_says_what_it_is(number, modality, tmp_path):
    path = save(of_class(dicom(None, Modality=modality), number), tmp_path / "a")
    with pytest.raises(BadInput) as refused:
        load_scan(path)
    what = FOREIGN[number, modality]
    assert str(refused.value) == (
        f"This DICOM file is {what}, there are no pixels in it: give the images of the series."
    )


def study(folder):
    """A volume, and beside it what cannot be read: objects without pixels, a mosaic, a cut file, an unknown code."""
    for number, data in enumerate(classic(lambda data, volume, place: None, volumes=1)):
        save(data, folder / f"{number}")
    for number, (name, modality) in enumerate(FOREIGN):
        save(of_class(dicom(None, Modality=modality), name), folder / f"foreign{number}")
    mosaic = slice_at((0, 0, 0), asymmetric((40, 50)), ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"])
    mosaic.SeriesInstanceUID, mosaic.SeriesNumber = "1.2.5", 5
    save(mosaic, folder / "mosaic")
    cut = slice_at((0, 0, 0), asymmetric((60, 70)), SeriesInstanceUID="1.2.6", SeriesNumber=6)
    path = save(cut, folder / "cut")
    path.write_bytes(path.read_bytes()[:-100])
    video = slice_at((0, 0, 0), asymmetric((80, 90)), SeriesInstanceUID="1.2.8", SeriesNumber=8)
    video.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.100"
    video.PixelData = encapsulate([bytes(100)])
    video["PixelData"].is_undefined_length = True
    save(video, folder / "video")
    return folder


def test_no_unreadable_series_costs_the_study_the_others(tmp_path):
    scan = load_scan(study(tmp_path))
    check_voxels(scan, 0)
    named = [note for note in scan.notes if note.startswith("An image could not be read and was left out")]
    assert len(named) == 3
    for words in ("series 5 · 50×40). This is a", "series 6 · 70×60). The file ends too early", "series 8 · 90×80"):
        assert any(words in note for note in named)
    left_out = [note for note in scan.notes if "file(s) that could not be read as an image were left out" in note]
    assert sum(int(note.split(" ")[0]) for note in left_out) == len(FOREIGN)
    assert len(left_out) == len(set(FOREIGN.values()))


def test_a_series_that_cannot_be_decoded_leaves_the_next_one(tmp_path):
    """What only the pixels say: a large image whose compressed pixels are damaged, a small one that is whole."""
    broken = slice_at((0, 0, 0), asymmetric((32, 40), np.uint16), SeriesInstanceUID="1.2.7", SeriesNumber=7)
    broken.file_meta.TransferSyntaxUID = JPEG2000Lossless
    broken.PixelData = encapsulate([b"\xff\x4f\xff\x51" + bytes(100)])
    broken["PixelData"].is_undefined_length = True
    save(broken, tmp_path / "broken")
    for number, data in enumerate(classic(lambda data, volume, place: None, volumes=1)):
        save(data, tmp_path / f"{number}")
    scan = load_scan(tmp_path)
    check_voxels(scan, 0)
    assert any("left out (MR · series 7 · 40×32" in note for note in scan.notes)


@pytest.mark.parametrize("number", ["7", "7.1", "7.2", "7.3", "7.4"])
@pytest.mark.parametrize("colour", [True, False])
def test_a_secondary_capture_is_a_picture_without_hounsfield_units(number, colour, tmp_path):
    shape = (4, 5, 3) if colour else (4, 5)
    for page in range(3):
        data = dicom(np.full(shape, page, np.uint8), Modality="CT", InstanceNumber=page)
        if not colour:
            data.RescaleSlope, data.RescaleIntercept, data.RescaleType = 1, 0, "HU"
        save(of_class(data, number), tmp_path / f"{page}")
    choices = list_series(tmp_path)
    assert [(choice.shape, choice.volumes) for choice in choices] == [((4, 5), 1)] * 3
    assert {choice.read().units for choice in choices} <= {"8-bit", None}


@pytest.mark.parametrize(
    ("elements", "units"),
    [
        ({"RescaleSlope": 1, "RescaleIntercept": -1024}, "HU"),
        ({"RescaleSlope": 1, "RescaleIntercept": -1024, "RescaleType": "HU"}, "HU"),
        ({"RescaleSlope": 1, "RescaleIntercept": 0, "RescaleType": "MGML"}, None),
        ({"RescaleSlope": 1, "RescaleIntercept": 0, "RescaleType": "US"}, None),
        ({}, None),
    ],
)
def test_hounsfield_units_need_a_rescale_to_them(elements, units, tmp_path):
    data = of_class(slice_at((0, 0, 0), asymmetric((4, 5)), Modality="CT", **elements), "2")
    assert load_scan(save(data, tmp_path / "a")).units == units


def test_a_page_of_class_ct_without_a_place_is_no_slice_between_others(tmp_path):
    for number, data in enumerate(classic(lambda data, volume, place: None, volumes=1)):
        save(data, tmp_path / f"{number}")
    page = dicom(np.full((4, 5, 3), 9, np.uint8), Modality="MR")
    save(page, tmp_path / "page")
    scan = load_scan(tmp_path)
    check_voxels(scan, 0)
    assert len(list_series(tmp_path)) == 2


@pytest.mark.parametrize("colour", [True, False])
def test_pages_of_class_ct_without_a_place_are_pictures(colour, tmp_path):
    for number in range(3):
        page = dicom(np.full((4, 5, 3) if colour else (4, 5), number, np.uint8), Modality="CT", InstanceNumber=number)
        save(of_class(page, "2"), tmp_path / f"{number}")
    assert [choice.shape for choice in list_series(tmp_path)] == [(4, 5)] * 3


def parametric(values, mapping):
    data = enhanced(lambda item, volume, place: None, volumes=1)
    order = [
        int(item.PlanePositionSequence[0].ImagePositionPatient[2] - 5) // 3
        for item in data.PerFrameFunctionalGroupsSequence
    ]
    of_class(data, "30")
    stored = np.stack([values[place] for place in order])
    if stored.dtype == np.float32:
        del data.PixelData, data.PixelRepresentation
        data.BitsAllocated = 32
        del data.BitsStored, data.HighBit
        data.FloatPixelData = stored.tobytes()
    else:
        data.PixelData = stored.astype(np.int16).tobytes()
    if mapping is not None:
        group(data.SharedFunctionalGroupsSequence[0], "RealWorldValueMappingSequence", **mapping)
    return data


def unit(code):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code, "UCUM", "free text"
    return Items([item])


MAP = {"RealWorldValueSlope": 0.5, "RealWorldValueIntercept": -3.0, "MeasurementUnitsCodeSequence": unit("mm2/s")}


def test_a_parametric_map_of_integers_has_the_values_of_its_mapping(tmp_path):
    values = np.stack([asymmetric((4, 5)) + 100 * place for place in range(4)])
    scan = load_scan(save(parametric(values, MAP), tmp_path / "map"))
    assert (scan.shape, scan.units) == ((5, 4, 4), "mm²/s")
    for place in range(4):
        np.testing.assert_array_equal(scan.array[0, ::-1, ::-1, place].T, values[place] * 0.5 - 3)


def test_a_parametric_map_of_floating_point_numbers(tmp_path):
    values = np.stack([asymmetric((4, 5), np.float32) / 7 + place for place in range(4)]).astype(np.float32)
    scan = load_scan(save(parametric(values, None), tmp_path / "map"))
    for place in range(4):
        np.testing.assert_array_equal(scan.array[0, ::-1, ::-1, place].T, values[place])


def test_a_parametric_map_that_does_not_say_what_it_stores_is_refused(tmp_path):
    values = np.stack([asymmetric((4, 5))] * 4)
    with pytest.raises(BadInput, match="does not say how its stored values become real ones"):
        load_scan(save(parametric(values, None), tmp_path / "map"))

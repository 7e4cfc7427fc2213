"""A patient's identity in every place where a DICOM file may hold it."""

import datetime

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

#: Each is in its own place, so that a mark that is found tells which place leaked.
MARKS = {
    "name": "Zqname^Ottilie",
    "identifier": "ZQID4711",
    "birth date": "19010203",
    "other identifiers": "ZQOTHER1",
    "institution": "Zqhospital North",
    "physician": "Zqphysician^Erna",
    "description of the study": "Zqstudy of Ottilie",
    "description of the series": "Zqseries of Ottilie",
    "comment": "Zqcomment she is well known",
    "device": "ZQSERIAL99",
    "accession number": "ZQACC1234",
    "private element": "Zqprivate Ottilie",
    "private sequence": "Zqnested Ottilie",
    "overlay": "Zqoverlaybits",
    "icon": "Zqiconpixels",
    "request": "Zqrequest Ottilie",
    "curve": "Zqcurve of Ottilie",
    "trailing padding": "Zqtrailing Ottilie",
    "preamble": "Zqpreamble Ottilie",
    "unique identifier": "1.2.826.0.1.77777.4711",
    "file name": "Zqfile_Ottilie",
}


def mark(data: Dataset, instance: str) -> None:
    """Write every mark into `data`, which has a preamble; its UIDs are of the patient's own root."""
    data.PatientName, data.PatientID = MARKS["name"], MARKS["identifier"]
    data.PatientBirthDate = datetime.datetime.strptime(MARKS["birth date"], "%Y%m%d").date()
    other = Dataset()
    other.PatientID = MARKS["other identifiers"]
    data.OtherPatientIDsSequence = Sequence([other])
    data.InstitutionName, data.ReferringPhysicianName = MARKS["institution"], MARKS["physician"]
    data.StudyDescription = MARKS["description of the study"]
    data.SeriesDescription = data.ProtocolName = MARKS["description of the series"]
    data.ImageComments = data.PatientComments = MARKS["comment"]
    data.DeviceSerialNumber, data.AccessionNumber = MARKS["device"], MARKS["accession number"]
    requested = Dataset()
    requested.RequestedProcedureDescription = MARKS["request"]
    data.RequestAttributesSequence = Sequence([requested])
    block = data.private_block(0x0029, "ZQ PRIVATE", create=True)
    block.add_new(0x10, "LO", MARKS["private element"])
    nested = Dataset()
    nested.add_new(0x00104000, "LT", MARKS["private sequence"])
    block.add_new(0x11, "SQ", Sequence([nested]))
    data.add_new(0x60000010, "US", 16)
    data.add_new(0x60000011, "US", 16)
    data.add_new(0x60000040, "CS", "G")
    data.add_new(0x60000100, "US", 1)
    data.add_new(0x60003000, "OW", MARKS["overlay"].encode().ljust(32, b"\0"))
    data.add_new(0x50000030, "SH", MARKS["curve"][:16])
    icon = Dataset()
    icon.Rows, icon.Columns, icon.SamplesPerPixel, icon.PhotometricInterpretation = 4, 4, 1, "MONOCHROME2"
    icon.BitsAllocated = icon.BitsStored = 8
    icon.HighBit, icon.PixelRepresentation = 7, 0
    icon.PixelData = MARKS["icon"].encode().ljust(16, b"\0")
    icon["PixelData"].VR = "OB"
    data.IconImageSequence = Sequence([icon])
    data.DataSetTrailingPadding = MARKS["trailing padding"].encode().ljust(32, b"\0")
    data.preamble = MARKS["preamble"].encode().ljust(128, b"\0")
    root = MARKS["unique identifier"]
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"{root}.3.{instance}"
    data.SeriesInstanceUID, data.StudyInstanceUID = f"{root}.2", f"{root}.1"
    data.FrameOfReferenceUID = f"{root}.4"


def marks_in(content: bytes) -> list[str]:
    """Places whose mark is in `content`, plain or as UTF-16; upper and lower case are one."""
    low = content.lower()
    found = []
    for place, words in MARKS.items():
        parts = [word for word in words.lower().replace("^", " ").split() if len(word) > 5] or [words.lower()]
        if any(part.encode(code) in low for part in parts for code in ("utf-8", "utf-16-le")):
            found.append(place)
    return found


def pixels_without_marks(shape: tuple[int, int]) -> np.ndarray:
    """A ramp, of which no part spells anything."""
    return np.add.outer(np.arange(shape[0]), np.arange(shape[1])).astype(np.uint16)

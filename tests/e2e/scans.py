"""Files that a person might upload, made on the spot from the phantom."""

import io
import zipfile
from functools import lru_cache

import nibabel
import numpy as np
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from core.models import load_model
from core.phantoms.grey_matter.generator import PhantomParameters, phantom_scan, plan

#: Must never be seen on a page or found in the store.
PATIENT = "Doe^Jane<b>bold</b>"


@lru_cache(maxsize=1)
def diseased():
    """A phantom with planted atrophy that no model was trained on."""
    parameters = PhantomParameters(seed=2024, twins=1)
    session = next(s for s in plan(parameters) if s.diagnosis == "AD")
    return phantom_scan(session.__class__(**{**session.__dict__, "atrophy": 0.5}), parameters)


def nifti():
    """``.nii.gz`` with the first axis from right to left, as many scanners write it."""
    scan = diseased()
    flipped = np.diag([-1.0, 1.0, 1.0, 1.0])
    flipped[0, 3] = scan.shape[0] - 1
    image = nibabel.Nifti1Image(scan.array[0][::-1], scan.affine @ flipped)
    return nibabel.Nifti1Image.to_bytes(image)


def dicom_zip():
    """A zip with one axial MR series, slices in no order, with a patient's name in every file."""
    scan = diseased()
    series, frame, study = generate_uid(), generate_uid(), generate_uid()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for index in np.random.default_rng(0).permutation(scan.shape[2]):
            archive.writestr(f"series/{index:03d}.dcm", _slice(scan, int(index), series, frame, study))
    return packed.getvalue()


def _slice(scan, index, series, frame, study):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.SeriesInstanceUID, data.FrameOfReferenceUID, data.StudyInstanceUID = series, frame, study
    data.PatientName, data.PatientID, data.Modality = PATIENT, "4711", "MR"
    data.InstanceNumber = index + 1
    # DICOM counts millimetres towards left and posterior; rows run along x here, columns along y
    corner = scan.affine @ [0, 0, index, 1]
    data.ImagePositionPatient = [-corner[0], -corner[1], corner[2]]
    data.ImageOrientationPatient = [-1, 0, 0, 0, -1, 0]
    spacing = scan.spacing_mm
    data.PixelSpacing, data.SliceThickness = [spacing[1], spacing[0]], spacing[2]
    pixels = np.round(scan.array[0, :, :, index].T * 4095).astype(np.uint16)
    data.Rows, data.Columns = pixels.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.RescaleSlope, data.RescaleIntercept, data.RescaleType = 1 / 4095, 0, "US"
    data.PixelData = pixels.tobytes()
    written = io.BytesIO()
    data.save_as(written, enforce_file_format=True)
    return written.getvalue()


def png():
    """The slice that the 2D demo model reads, as an 8-bit PNG."""
    image = load_model("alzheimer-phantom-slice", device="cpu").prepare(diseased()).tensor[0, 0].numpy()
    written = io.BytesIO()
    Image.fromarray(np.round(image * 255).astype(np.uint8)).save(written, format="PNG")
    return written.getvalue()


def zip_bomb():
    """A small zip that unpacks to gigabytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        block = b"\0" * (1 << 20)
        with archive.open("bomb.nii", "w") as member:
            for _ in range(300):
                member.write(block)
    return packed.getvalue()

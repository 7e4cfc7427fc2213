"""Image files made for the tests: ordinary ones, and ones made to do harm."""

import gzip
import io
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

#: What must never come out of a reader.
NAME = "<script>alert('Sm1th^J0hn')</script>"
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def asymmetric(shape: Sequence[int], dtype: Any = np.int16) -> np.ndarray:
    """Volume in which every voxel is different from its mirror images."""
    return np.arange(np.prod(shape), dtype=dtype).reshape(shape)


def nifti(path: Path, array: np.ndarray, affine: np.ndarray | None = None, **header: Any) -> Path:
    """Write `array` as NIfTI-1 with `affine`; header fields are set afterwards, whatever nibabel thinks of them."""
    image = nib.Nifti1Image(array, np.diag([2.0, 3.0, 4.0, 1.0]) if affine is None else affine, dtype=array.dtype)
    image.set_qform(image.affine, code=1)
    image.to_filename(path)
    return patched(path, **header) if header else path


def patched(path: Path, **fields: Any) -> Path:
    """Overwrite fields in the header of an uncompressed little endian NIfTI-1 file."""
    content = bytearray(path.read_bytes())
    block = np.frombuffer(content, dtype=nib.nifti1.header_dtype, count=1)
    for key, value in fields.items():
        block[key][0] = value
    path.write_bytes(content)
    return path


def nifti_header(dim: Sequence[int], datatype: int = 4, bitpix: int = 16, **fields: Any) -> bytes:
    """First 352 bytes of a NIfTI-1 file that says whatever it likes."""
    header = nib.Nifti1Header()
    block = header.structarr.copy()
    block["dim"] = [*dim, *[1] * (8 - len(dim))]
    block["datatype"], block["bitpix"] = datatype, bitpix
    block["vox_offset"], block["magic"] = 352, b"n+1"
    block["sform_code"], block["srow_x"], block["srow_y"], block["srow_z"] = 1, [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]
    for key, value in fields.items():
        block[key] = value
    return block.tobytes() + bytes(4)


def dicom(pixels: np.ndarray | None, **elements: Any) -> Dataset:
    """One DICOM object; `pixels` (rows, columns) or (frames, rows, columns), or (rows, columns, 3)."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.PatientName, data.PatientID, data.SeriesDescription = NAME, NAME, NAME
    data.Modality, data.SeriesInstanceUID, data.SeriesNumber = "MR", "1.2.3.4", 7
    if pixels is not None:
        colour = pixels.ndim == 3 and pixels.shape[-1] == 3
        data.Rows, data.Columns = pixels.shape[:2] if colour else pixels.shape[-2:]
        if pixels.ndim == 3 and not colour:
            data.NumberOfFrames = pixels.shape[0]
        data.SamplesPerPixel, data.PhotometricInterpretation = (3, "RGB") if colour else (1, "MONOCHROME2")
        if colour:
            data.PlanarConfiguration = 0
        bits = pixels.dtype.itemsize * 8
        data.BitsAllocated = data.BitsStored = bits
        data.HighBit, data.PixelRepresentation = bits - 1, int(pixels.dtype.kind == "i")
        data.PixelData = pixels.tobytes()
        data["PixelData"].VR = "OB" if bits == 8 else "OW"
    for keyword, value in elements.items():
        setattr(data, keyword, value)
    return data


def slice_at(
    position: Sequence[float], pixels: np.ndarray, orientation: Sequence[float] = AXIAL, **more: Any
) -> Dataset:
    """A slice with geometry: pixels of 2 mm (rows) by 3 mm (columns)."""
    return dicom(
        pixels,
        ImagePositionPatient=list(position),
        ImageOrientationPatient=list(orientation),
        PixelSpacing=[2.0, 3.0],
        SliceThickness=1.0,
        **more,
    )


def dicom_bytes(data: Dataset) -> bytes:
    """A DICOM object as the bytes of its file."""
    content = io.BytesIO()
    data.save_as(content, enforce_file_format=True)
    return content.getvalue()


def save(data: Dataset, path: Path) -> Path:
    """Write a DICOM object."""
    path.write_bytes(dicom_bytes(data))
    return path


def compressed_by_gdcm(pixels: np.ndarray, syntax: str) -> Dataset:
    """A slice whose pixels GDCM compressed: "JPEGLSLossless", "JPEGLosslessProcess14_1" …"""
    import gdcm

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plain.dcm"
        save(slice_at((0, 0, 0), pixels), path)
        reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
        reader.SetFileName(str(path))
        assert reader.Read()
        change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, syntax)))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer.SetFileName(str(path))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
        data = dcmread(path)
        data.PixelData = bytes(data.PixelData)
        return data


def deflated_dicom(data: Dataset, extra: bytes = b"") -> bytes:
    """A DICOM file in the deflated transfer syntax, `extra` bytes appended before deflating."""
    plain = dicom_bytes(data)
    meta_length = 132 + 12 + struct.unpack_from("<L", plain, 140)[0]
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    meta = dicom_bytes(data)
    start = 132 + 12 + struct.unpack_from("<L", meta, 140)[0]
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return meta[:start] + packer.compress(plain[meta_length:] + extra) + packer.flush()


def png(array: np.ndarray, **options: Any) -> bytes:
    """`array` as PNG."""
    content = io.BytesIO()
    Image.fromarray(array).save(content, format="PNG", **options)
    return content.getvalue()


def png_bomb(columns: int, rows: int) -> bytes:
    """A valid grey PNG of zeros, far smaller than what it unpacks to."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">L", len(body)) + name + body + struct.pack(">L", zlib.crc32(name + body))

    packer = zlib.compressobj(9)
    line = bytes(1 + columns)
    packed = b"".join(packer.compress(line) for _ in range(rows)) + packer.flush()
    header = struct.pack(">LLBBBBB", columns, rows, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def zip_bytes(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of `members`."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return content.getvalue()


def zip_with_link(name: str, target: str) -> bytes:
    """A zip whose member `name` is a symbolic link."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        member = zipfile.ZipInfo(name)
        member.create_system, member.external_attr = 3, 0o120777 << 16
        archive.writestr(member, target)
    return content.getvalue()


def gzip_of_zeros(megabytes: int, start: bytes = b"") -> bytes:
    """`start` and that many megabytes of zeros, as gzip, a thousand times smaller."""
    content = io.BytesIO()
    with gzip.GzipFile(fileobj=content, mode="wb", compresslevel=9, mtime=0) as stream:
        stream.write(start)
        for _ in range(megabytes):
            stream.write(bytes(2**20))
    return content.getvalue()


def write_colour_png(path: Path, colours: np.ndarray) -> Path:
    """A PNG of colours (rows, columns, 3) at 16 bits, which Pillow does not write."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">L", len(content)) + kind + content + struct.pack(">L", zlib.crc32(kind + content))

    rows, columns, _ = colours.shape
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in colours)
    head = struct.pack(">LLBBBBB", columns, rows, 16, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
    return path

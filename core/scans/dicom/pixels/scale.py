"""What the intensities of a DICOM image are: their unit, and whether they are quantities that keep their values."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.scans.dicom.pixels.tables import palette_bits

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

#: Images of these are measured, with a unit or in counts. Films and other pictures have grey levels.
_MEASURED = frozenset({"CT", "PT", "NM", "RTDOSE"})
#: Rescale types that name no quantity whose size counts: optical density is what made a film dark.
_GREY_LEVELS = frozenset({"", "US", "OD"})
_PET_UNITS = {"BQML": "Bq/ml", "GML": "g/ml (SUV)", "CNTS": "counts"}


@dataclass(frozen=True)
class IntensityScale:
    """What values have become after all tables and slopes.

    Parameters
    ----------
    units : str, optional
        "HU", "Bq/ml" …; "8-bit" and the like for pictures that go from 0 to a known full scale.
    quantity : bool
        Whether the values mean something by themselves. Those of other images are turned round by MONOCHROME1.
    """

    units: str | None
    quantity: bool


UNKNOWN = IntensityScale(None, False)


def intensity_scale(dataset: "Dataset", modality: str | None, rescale_type: str, plain: bool) -> IntensityScale:
    """Say what the values of an image are.

    Parameters
    ----------
    dataset : Dataset
        Header of the file.
    modality : str, optional
        Its code.
    rescale_type : str
        What the modality transform makes of stored values, as the file says; may be empty.
    plain : bool
        Whether no frame has a slope or intercept.
    """
    bits = int(dataset.get("BitsStored") or dataset.get("BitsAllocated") or 0)
    if dataset.get("PhotometricInterpretation") == "PALETTE COLOR":
        return IntensityScale(f"{palette_bits(dataset)}-bit", False)
    if int(dataset.get("SamplesPerPixel") or 1) > 1:
        return IntensityScale(f"{bits}-bit", False)
    table = dataset.get("ModalityLUTSequence")
    if table:
        rescale_type = str(table[0].get("ModalityLUTType") or rescale_type)
    quantity = modality in _MEASURED or rescale_type not in _GREY_LEVELS
    if modality == "CT":
        return IntensityScale("HU" if rescale_type in ("", "HU") else None, quantity)
    if modality == "PT":
        return IntensityScale(_PET_UNITS.get(str(dataset.get("Units") or "")), quantity)
    if modality == "RTDOSE":
        return IntensityScale("Gy" if str(dataset.get("DoseUnits") or "") == "GY" else None, quantity)
    if table:
        bits = int(table[0].LUTDescriptor[2])
    from_zero = bool(table) or (plain and not dataset.get("PixelRepresentation"))
    return IntensityScale("8-bit" if from_zero and bits == 8 and not quantity else None, quantity)

"""What kinds of DICOM objects there are: images, pictures of a screen, segmentations, maps, and what holds no image."""

from enum import StrEnum
from typing import TYPE_CHECKING

from core.errors import BadInput
from core.scans.dicom.functional_groups import FunctionalGroups
from core.scans.dicom.pixels.scale import IntensityScale, intensity_scale
from core.scans.dicom.values import first_number

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_STORAGE = "1.2.840.10008.5.1.4.1.1."
#: What is read of a file to know its kind, its unit and its scaling.
KIND_KEYWORDS = (
    "SOPClassUID",
    "Modality",
    "RescaleType",
    "Units",
    "DoseUnits",
    "SegmentationType",
    "SegmentationFractionalType",
    "MaximumFractionalValue",
)
#: Only codes of this list are ever shown: a file may hold anything in that element.
_MODALITIES = frozenset(
    (
        *("AR", "AU", "BI", "BMD", "CR", "CT", "DG", "DOC", "DX", "ECG", "EPS", "ES", "GM", "HD", "IO", "IVUS", "KO"),
        *("LS", "MG", "MR", "NM", "OAM", "OCT", "OP", "OPM", "OPT", "OPV", "OT", "PR", "PT", "PX", "REG", "RF", "RG"),
        *("RTDOSE", "RTIMAGE", "RTPLAN", "RTSTRUCT", "RWV", "SC", "SEG", "SM", "SR", "US", "VA", "XA", "XC"),
    )
)
#: What objects without pixels are, by the start of their class (after `_STORAGE`), the longest first.
_WITHOUT_IMAGE_CLASSES = (
    ("88.59", "a list of key images"),
    ("88.", "a report"),
    ("481.3", "a set of contours"),
    ("481.10", "a set of contours"),
    ("481.", "a treatment plan or record"),
    ("104.1", "a document (PDF)"),
    ("104.2", "a document"),
    ("104.", "a surface mesh"),
    ("11.", "a display setting"),
    ("9.", "a recorded curve"),
    ("66.1", "a registration"),
    ("66.3", "a registration"),
    ("66.5", "a segmentation by surfaces"),
    ("66.6", "a set of fibre tracts"),
    ("66", "raw data of a scanner"),
    ("67", "a table of units"),
    ("4.2", "a spectrum"),
)
_WITHOUT_IMAGE = {
    "SR": "a report",
    "RTSTRUCT": "a set of contours",
    "RTPLAN": "a treatment plan",
    "ECG": "a recorded curve",
    "HD": "a recorded curve",
    "EPS": "a recorded curve",
    "PR": "a display setting",
    "KO": "a list of key images",
    "REG": "a registration",
    "DOC": "a document",
}
#: UCUM codes of a parametric map's values that are shown.
_MAP_UNITS = {
    "mm2/s": "mm²/s",
    "um2/s": "µm²/s",
    "ms": "ms",
    "s": "s",
    "/s": "1/s",
    "1/s": "1/s",
    "/min": "1/min",
    "[hnsf'U]": "HU",
    "%": "%",
    "Bq/ml": "Bq/ml",
    "g/ml{SUVbw}": "g/ml (SUV)",
    "{0:1}": "probability",
}
_NO_MAPPING = (
    "The parametric map does not say how its stored values become real ones: export it with floating-point values "
    "or a slope and an intercept."
)


class ObjectKind(StrEnum):
    """What the pixels of an object are."""

    IMAGE = "image"
    SECONDARY_CAPTURE = "secondary capture"
    SEGMENTATION = "segmentation"
    PARAMETRIC_MAP = "parametric map"


def kind_of(dataset: "Dataset", modality: str | None) -> ObjectKind:
    """The kind of an object, by its class; by its modality where that tells."""
    name = _class_of(dataset)
    if name == "7" or name.startswith("7.") or modality == "SC":
        return ObjectKind.SECONDARY_CAPTURE
    if name in ("66.4", "66.7") or modality == "SEG":
        return ObjectKind.SEGMENTATION
    return ObjectKind.PARAMETRIC_MAP if name == "30" else ObjectKind.IMAGE


def without_image(dataset: "Dataset", modality: str | None) -> BadInput:
    """Why an object without pixels is no scan, in one sentence."""
    name = _class_of(dataset)
    what = next((what for start, what in _WITHOUT_IMAGE_CLASSES if name == start or _below(name, start)), None)
    what = what or _WITHOUT_IMAGE.get(modality or "", "an object without an image")
    return BadInput(f"This DICOM file is {what}, there are no pixels in it: give the images of the series.")


def modality_of(dataset: "Dataset") -> str | None:
    """The modality, if it is a code of the standard."""
    code = str(dataset.get("Modality") or "")
    return code if code in _MODALITIES else None


def scale_of(
    dataset: "Dataset", groups: FunctionalGroups, kind: ObjectKind, modality: str | None, plain: bool
) -> IntensityScale:
    """What the intensities are.

    Hounsfield units are those of a CT image that is rescaled to them: a page with the dose in it is "CT" too, and its
    values are those of a picture.
    """
    transformation = "PixelValueTransformationSequence"
    if kind is ObjectKind.SEGMENTATION:
        fraction = str(dataset.get("SegmentationType") or "") == "FRACTIONAL"
        probability = str(dataset.get("SegmentationFractionalType") or "") == "PROBABILITY"
        return IntensityScale("probability" if fraction and probability else None, quantity=True)
    if kind is ObjectKind.PARAMETRIC_MAP:
        return IntensityScale(_map_unit(groups), quantity=True)
    if kind is ObjectKind.SECONDARY_CAPTURE:
        modality = None
    elif modality == "CT" and not dataset.get("ModalityLUTSequence"):
        modality = "CT" if groups.get(transformation, "RescaleIntercept") is not None else None
    rescale_type = str(groups.get(transformation, "RescaleType") or "")
    return intensity_scale(dataset, modality, rescale_type, plain)


def scaling_of(dataset: "Dataset", groups: FunctionalGroups, kind: ObjectKind) -> tuple[float, float]:
    """Slope and intercept of a frame: intensity = stored × slope + intercept.

    Raises
    ------
    BadInput
        When a parametric map of integers does not say what they stand for.
    """
    slope = first_number(groups.get("PixelValueTransformationSequence", "RescaleSlope"))
    intercept = first_number(groups.get("PixelValueTransformationSequence", "RescaleIntercept")) or 0.0
    if kind is ObjectKind.SEGMENTATION:
        most = first_number(dataset.get("MaximumFractionalValue"))
        fraction = str(dataset.get("SegmentationType") or "") == "FRACTIONAL"
        return (1.0 / most if fraction and most else 1.0), 0.0
    if kind is ObjectKind.PARAMETRIC_MAP and slope is None:
        mapping = groups.item("RealWorldValueMappingSequence")
        slope = None if mapping is None else first_number(mapping.get("RealWorldValueSlope"))
        if slope is not None:
            return slope, first_number(mapping.get("RealWorldValueIntercept")) or 0.0
        if int(dataset.get("BitsAllocated") or 0) <= 16:
            raise BadInput(_NO_MAPPING)
    dose = first_number(groups.get("", "DoseGridScaling"))
    return (slope or 1.0) * (dose or 1.0), intercept


def _map_unit(groups: FunctionalGroups) -> str | None:
    mapping = groups.item("RealWorldValueMappingSequence")
    codes = None if mapping is None else mapping.get("MeasurementUnitsCodeSequence")
    return _MAP_UNITS.get(str(codes[0].get("CodeValue") or "")) if codes else None


def _class_of(dataset: "Dataset") -> str:
    name = str(dataset.get("SOPClassUID") or "")
    return name.removeprefix(_STORAGE) if name.startswith(_STORAGE) else ""


def _below(name: str, start: str) -> bool:
    return name.startswith(start if start.endswith(".") else start + ".")

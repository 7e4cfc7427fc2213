"""How large a pixel is, wherever a file says it, and what those millimetres are worth."""

from dataclasses import dataclass
from typing import Any, Protocol

from core.scans.dicom.values import as_list, first_number, vector

#: Elements to read for it.
PIXEL_SIZE_KEYWORDS = (
    "PixelSpacing",
    "PixelSpacingCalibrationType",
    "ObjectPixelSpacingInCenterOfBeam",
    "ImagerPixelSpacing",
    "EstimatedRadiographicMagnificationFactor",
    "NominalScannedPixelSpacing",
    "ImagePlanePixelSpacing",
    "SequenceOfUltrasoundRegions",
    "PixelAspectRatio",
)
_NOT_CALIBRATED = (None, "")
#: Magnifications between these are believed.
_LEAST_MAGNIFICATION, _MOST_MAGNIFICATION = 1.0, 20.0
#: Codes of the ultrasound region calibration module (PS3.3 C.8.5.5).
_FLAT_REGION, _CURVES, _CENTIMETRES = 1, (2, 3, 4), 3
_SAME_SCALE = 0.01
_FILM = "Millimetres are those on the film that was scanned: structures in the patient are smaller."
_PLANE = "Millimetres are those on the image plane: structures in the patient are smaller."
_CURVES_NOTE = "Millimetres are those of the ultrasound image: curves beside it have scales of their own."
_TWO_SCALES = "The picture holds ultrasound images of different scales: no one size of a pixel fits them."


class Elements(Protocol):
    """Looks an element up in a functional group, then at the top level; None where it is in neither."""

    def get(self, group: str, keyword: str) -> Any:
        """Value of the element `keyword`, in `group` first."""


@dataclass(frozen=True)
class PixelSize:
    """Size of a pixel.

    Parameters
    ----------
    spacing : tuple of float
        Distance between rows and between columns, mm. (0, 0) when the file says nothing; when it says only the shape of
        a pixel, the shorter side is exactly 1 and no millimetre.
    on_detector : bool
        Whether these are lengths on the detector, where structures are larger than in the patient.
    note : str, optional
        What the lengths are worth.
    """

    spacing: tuple[float, float] = (0.0, 0.0)
    on_detector: bool = False
    note: str | None = None


def pixel_size(elements: Elements) -> PixelSize:
    """Size of a pixel of a frame, from the place that counts most: in the patient, on the detector, on film.

    What stands in other places than PixelSpacing and makes no sense there is passed over: an image can do without it.
    """
    patient = _spacing(elements.get("PixelMeasuresSequence", "PixelSpacing"))
    try:
        return _elsewhere(elements) if patient is None else _calibrated(elements, patient)
    except Exception:
        # pydicom raises half a dozen kinds for values that do not fit their representation
        return PixelSize() if patient is None else PixelSize(patient)


def _calibrated(elements: Elements, patient: tuple[float, float]) -> PixelSize:
    """A copy of the detector's spacing that nobody calibrated is no spacing in the patient (PS3.3 10.7.1.3)."""
    copied = patient == _imager_spacing(elements)
    if copied and elements.get("", "PixelSpacingCalibrationType") in _NOT_CALIBRATED:
        return _on_detector(elements, patient)
    return PixelSize(patient)


def _elsewhere(elements: Elements) -> PixelSize:
    patient = _spacing(elements.get("FramePixelDataPropertiesSequence", "ObjectPixelSpacingInCenterOfBeam"))
    if patient is not None:
        return PixelSize(patient)
    imager = _imager_spacing(elements)
    if imager is not None:
        return _on_detector(elements, imager)
    for keyword, note in (("NominalScannedPixelSpacing", _FILM), ("ImagePlanePixelSpacing", _PLANE)):
        spacing = _spacing(elements.get("", keyword))
        if spacing is not None:
            return PixelSize(spacing, note=note)
    regions = elements.get("", "SequenceOfUltrasoundRegions")
    found = _of_regions(list(regions)) if regions else PixelSize()
    return found if found.spacing != (0.0, 0.0) else _of_shape(elements, found.note)


def _imager_spacing(elements: Elements) -> tuple[float, float] | None:
    return _spacing(elements.get("FramePixelDataPropertiesSequence", "ImagerPixelSpacing"))


def _spacing(value: Any) -> tuple[float, float] | None:
    numbers = vector(value, 2)
    if numbers is None or numbers.min() <= 0:
        return None
    return float(numbers[0]), float(numbers[1])


def _on_detector(elements: Elements, spacing: tuple[float, float]) -> PixelSize:
    """Spacing in the patient, where the file estimates how much larger structures are on the detector."""
    factor = first_number(elements.get("", "EstimatedRadiographicMagnificationFactor"))
    if factor is None or not _LEAST_MAGNIFICATION < factor <= _MOST_MAGNIFICATION:
        return PixelSize(spacing, on_detector=True)
    note = (
        f"Millimetres are those on the detector divided by the magnification that the file estimates ({factor:.4g}): "
        "they are right at one depth of the patient."
    )
    return PixelSize((spacing[0] / factor, spacing[1] / factor), note=note)


def _of_regions(regions: list[Any]) -> PixelSize:
    """From the two-dimensional ultrasound regions that are measured in centimetres, if they agree."""
    sizes = [size for region in regions if (size := _of_region(region)) is not None]
    if not sizes:
        return PixelSize()
    first = sizes[0]
    if any(abs(one - other) > _SAME_SCALE * one for size in sizes for one, other in zip(first, size, strict=True)):
        return PixelSize(note=_TWO_SCALES)
    curves = any(first_number(region.get("RegionSpatialFormat")) in _CURVES for region in regions)
    return PixelSize(first, note=_CURVES_NOTE if curves else None)


def _of_region(region: Any) -> tuple[float, float] | None:
    if first_number(region.get("RegionSpatialFormat")) != _FLAT_REGION:
        return None
    units = {first_number(region.get(f"PhysicalUnits{axis}Direction")) for axis in "XY"}
    if units != {_CENTIMETRES}:
        return None
    # centimetres from one pixel to the next; negative where they are counted backwards
    deltas = [abs(first_number(region.get(f"PhysicalDelta{axis}")) or 0.0) for axis in "YX"]
    return (deltas[0] * 10, deltas[1] * 10) if min(deltas) > 0 else None


def _of_shape(elements: Elements, note: str | None) -> PixelSize:
    """From the ratio of a pixel's height to its width alone."""
    ratio = [first_number(part) or 0.0 for part in as_list(elements.get("", "PixelAspectRatio"))]
    if len(ratio) != 2 or min(ratio) <= 0 or ratio[0] == ratio[1]:
        return PixelSize(note=note)
    if elements.get("PlanePositionSequence", "ImagePositionPatient") is not None:
        return PixelSize(note=note)  # it lies in space, where lengths are millimetres
    height, width = (side / min(ratio) for side in ratio)
    shape = f"{height:.4g} times as high as wide" if height > width else f"{width:.4g} times as wide as high"
    own = f"The file does not say how large a pixel is, only that it is {shape}: lengths are in pixels."
    return PixelSize((height, width), note=own if note is None else f"{note} {own}")

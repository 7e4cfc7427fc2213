"""What a DICOM frame is a frame of: time, echo, b-value, segment … Frames of one volume agree in these."""

import hashlib
import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from core.scans.dicom.dataset import tags_of
from core.scans.dicom.functional_groups import FunctionalGroups
from core.scans.dicom.values import as_list, first_number, short_hash, vector

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

#: Elements that may tell the volumes of one series apart, those that do so most surely first. Only a digest is kept.
_TELLING = (
    "AcquisitionNumber",
    "ImageType",
    "EchoTime",
    "InversionTime",
    "FlipAngle",
    "RepetitionTime",
    "KVP",
    "ConvolutionKernel",
    "FilterType",
    "SliceThickness",
    "ReconstructionDiameter",
    "SequenceName",
    "FrameOfReferenceUID",
    "FrameReferenceTime",
    "TriggerTime",
    "AcquisitionDateTime",
    "AcquisitionTime",
    "ContentTime",
)
#: Vendors' own elements: (group, private creator, offset in its block).
_PRIVATE_B_VALUES = (
    (0x0019, "SIEMENS MR HEADER", 0x0C),
    (0x0043, "GEMS_PARM_01", 0x39),
    (0x2001, "PHILIPS IMAGING DD 001", 0x03),
    (0x0065, "IMAGE PRIVATE HEADER", 0x09),
)
_PHILIPS = "PHILIPS MR IMAGING DD 001"
_PRIVATE_DIRECTIONS = (
    ((0x0019, "SIEMENS MR HEADER", 0x0E),),
    ((0x2005, _PHILIPS, 0xB0), (0x2005, _PHILIPS, 0xB1), (0x2005, _PHILIPS, 0xB2)),
    ((0x0019, "GEMS_ACQU_01", 0xBB), (0x0019, "GEMS_ACQU_01", 0xBC), (0x0019, "GEMS_ACQU_01", 0xBD)),
    ((0x0065, "IMAGE PRIVATE HEADER", 0x37),),
)
_GE_COMPONENT = (0x0043, "GEMS_PARM_01", 0x2F)
#: A private creator reserves one of these blocks of its group; scanners take the first ones.
_BLOCKS = (0x10, 0x11, 0x12)
#: GE adds a multiple of this to a b-value to say how it was reached.
_GE_B_VALUE_MODULUS = 100_000
#: What is kept of an element that may tell volumes apart.
Telling = tuple[float, bytes]
_COMPONENTS = {"M": "magnitude", "P": "phase", "R": "real", "I": "imaginary"}
_COMPONENT_WORDS = {
    "MAGNITUDE": "magnitude",
    "PHASE": "phase",
    "PHASE MAP": "phase",
    "VELOCITY MAP": "phase",
    "REAL": "real",
    "IMAGINARY": "imaginary",
    "MIXED": "mixed",
}
#: Dimensions of a multi-frame object along which its frames are slices of one volume, not other volumes.
_SPATIAL_DIMENSIONS = frozenset({0x00209057, 0x00200032, 0x00209113, 0x0048021A, 0x0048021E, 0x0048021F, 0x00201041})


def private_tags(elements: Iterable[tuple[int, str, int]]) -> tuple[int, ...]:
    """Every tag that vendors' own elements (group, creator, offset) may have, and those of their creators."""
    elements = set(elements)
    creators = {group << 16 | block for group, _, _ in elements for block in _BLOCKS}
    values = {group << 16 | block << 8 | offset for group, _, offset in elements for block in _BLOCKS}
    return tuple(sorted(creators | values))


#: What is read of a file for `attributes_of`: keywords of the standard, and tags of vendors.
TOP_LEVEL: tuple[str | int, ...] = (
    *_TELLING,
    "ComplexImageComponent",
    "DiffusionBValue",
    "DiffusionGradientOrientation",
    "StackID",
    "DimensionIndexSequence",
    *private_tags((*_PRIVATE_B_VALUES, *chain.from_iterable(_PRIVATE_DIRECTIONS), _GE_COMPONENT)),
)


@dataclass(frozen=True, slots=True)
class FrameAttributes:
    """What tells the frames of one volume from those of another.

    Parameters
    ----------
    segment : int, optional
        Of a segmentation: number of the segment that the frame belongs to.
    localiser : bool
        Whether the image says that it is one to plan others by.
    component : str, optional
        "magnitude", "phase", "real", "imaginary" or "mixed", where the file says it.
    stack : str, optional
        Digest of the name of the stack.
    time : int, optional
        Temporal position.
    b_value : float, optional
        Diffusion weighting, s/mm².
    echo : float, optional
        Number of the echo, or the effective echo time in ms.
    cardiac_delay : float, optional
        Nominal time after the R wave, ms.
    acquisition : float
        Acquisition number, 0 where the file gives none.
    sequence : tuple of float
        Instance number (0 where there is none) and frame number: the last thing to go by.
    numbered : bool
        Whether there is an instance number.
    telling : tuple of (float, bytes)
        Number (where there is one) and digest of further elements, which slices of one volume may differ in too.
    """

    segment: int | None = None
    localiser: bool = False
    component: str | None = None
    stack: str | None = None
    time: int | None = None
    b_value: float | None = None
    echo: float | None = None
    cardiac_delay: float | None = None
    acquisition: float = 0.0
    sequence: tuple[float, float] = (0.0, 0.0)
    numbered: bool = False
    telling: tuple[Telling, ...] = ()

    @property
    def words(self) -> str:
        """For people: what sets this frame's volume apart, empty where nothing does."""
        parts = [
            None if self.segment is None else f"segment {self.segment}",
            self.component,
            None if self.time is None else f"time {self.time}",
            None if self.b_value is None else f"b {self.b_value:g} s/mm²",
            None if self.echo is None else f"echo {self.echo:g}",
        ]
        return ", ".join(part for part in parts if part)


class AttributeReader:
    """Reads `FrameAttributes` of one file's frames; what all of them share is read once.

    Parameters
    ----------
    dataset : pydicom.Dataset
        The elements `TOP_LEVEL` of the file.
    """

    def __init__(self, dataset: "Dataset") -> None:
        self._dataset = dataset
        self._shared_telling = tuple(_told(_raw(dataset, tag)) for tag in tags_of(_TELLING))
        self._component = _component_of(dataset)
        self._localiser = "LOCALIZER" in as_list(dataset.get("ImageType"))
        self._b_value = _private_b_value(dataset)
        self._direction = _private_direction(dataset)
        self._dimensions = _other_dimensions(dataset)

    def read(self, groups: FunctionalGroups, index: int, time: int | None) -> FrameAttributes:
        """Attributes of one frame.

        Parameters
        ----------
        groups : FunctionalGroups
            Those of the frame.
        index : int
            Number of the frame within its file.
        time : int, optional
            Temporal position.
        """
        instance = first_number(groups.get("", "InstanceNumber"))
        b_value = first_number(groups.get("MRDiffusionSequence", "DiffusionBValue"))
        echo = first_number(groups.get("MREchoSequence", "EffectiveEchoTime"))
        segment = first_number(groups.get("SegmentIdentificationSequence", "ReferencedSegmentNumber"))
        stack = groups.get("FrameContentSequence", "StackID")
        acquisition = first_number(groups.get("FrameContentSequence", "FrameAcquisitionNumber"))
        acquisition = first_number(groups.get("", "AcquisitionNumber")) if acquisition is None else acquisition
        return FrameAttributes(
            segment=None if segment is None else int(segment),
            localiser=self._localiser,
            component=_frame_component(groups) or self._component,
            stack=None if stack is None else short_hash(str(stack)),
            time=time,
            # scanners write what they reached, with digits that differ from slice to slice
            b_value=_rounded(self._b_value if b_value is None else b_value),
            echo=_rounded(first_number(groups.get("", "EchoNumbers")) if echo is None else echo),
            cardiac_delay=first_number(groups.get("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime")),
            acquisition=acquisition or 0.0,
            sequence=(instance or 0.0, float(index)),
            numbered=instance is not None,
            telling=(*self._own_telling(groups), *self._shared_telling),
        )

    def _own_telling(self, groups: FunctionalGroups) -> tuple[Telling, ...]:
        content, diffusion = groups.item("FrameContentSequence"), groups.item("MRDiffusionSequence")
        indices = as_list(content.get("DimensionIndexValues")) if content is not None else []
        other = [indices[axis] for axis in self._dimensions if axis < len(indices)]
        direction = self._direction
        if diffusion is not None:
            directions = diffusion.get("DiffusionGradientDirectionSequence")
            found = directions[0].get("DiffusionGradientOrientation") if directions else None
            direction = vector(found, 3) if found is not None else direction
        return (
            _told(content.get("FrameAcquisitionNumber") if content is not None else None),
            _told(groups.get("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime")),
            _told(other or None),
            _told(None if direction is None else np.round(direction, 4).tolist()),
            _told(groups.get("MRImageFrameTypeSequence", "FrameType")),
            _told(groups.get("MRModifierSequence", "InversionTimes")),
            _told(groups.get("MRTimingAndRelatedParametersSequence", "FlipAngle")),
            _told(content.get("FrameReferenceDateTime") if content is not None else None),
            _told(content.get("FrameAcquisitionDateTime") if content is not None else None),
        )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def private_value(dataset: "Dataset", group: int, creator: str, offset: int) -> Any:
    """Value of a vendor's own element, None where its creator has not reserved a block that holds it."""
    there = dataset.keys()
    for block in _BLOCKS:
        owner, tag = group << 16 | block, group << 16 | block << 8 | offset
        if owner in there and tag in there and str(dataset[owner].value).strip().upper() == creator:
            return dataset[tag].value
    return None


def private_numbers(dataset: "Dataset", group: int, creator: str, offset: int) -> list[float]:
    """Numbers of a vendor's own element, which arrives as bytes where pydicom does not know it; empty without any."""
    value = private_value(dataset, group, creator, offset)
    if isinstance(value, bytes):
        value = _unpacked(value)
    found = (first_number(part) for part in as_list(value))
    return [number for number in found if number is not None]


def _unpacked(value: bytes) -> Sequence[Any]:
    try:
        parts = value.decode("ascii").strip(" \0").split("\\")
        return [float(part) for part in parts]
    except ValueError:
        if len(value) % 8 == 0:
            return struct.unpack(f"<{len(value) // 8}d", value)
        return struct.unpack("<f", value) if len(value) == 4 else []


def _private_b_value(dataset: "Dataset") -> float | None:
    standard = first_number(dataset.get("DiffusionBValue"))
    if standard is not None:
        return standard
    for group, creator, offset in _PRIVATE_B_VALUES:
        numbers = private_numbers(dataset, group, creator, offset)
        if numbers and np.isfinite(numbers[0]) and numbers[0] >= 0:
            return numbers[0] % _GE_B_VALUE_MODULUS if group == 0x0043 else numbers[0]
    return None


def _private_direction(dataset: "Dataset") -> np.ndarray | None:
    standard = vector(dataset.get("DiffusionGradientOrientation"), 3)
    if standard is not None:
        return standard
    for elements in _PRIVATE_DIRECTIONS:
        numbers = [number for element in elements for number in private_numbers(dataset, *element)]
        if len(numbers) == 3:
            return np.array(numbers)
    return None


def _component_of(dataset: "Dataset") -> str | None:
    stated = str(dataset.get("ComplexImageComponent") or "").upper()
    if stated in _COMPONENT_WORDS:
        return _COMPONENT_WORDS[stated]
    types = [str(value).upper() for value in as_list(dataset.get("ImageType"))]
    found = _component_word(types[2]) if len(types) > 2 else None
    if found is None:
        numbers = private_numbers(dataset, *_GE_COMPONENT)
        if numbers and numbers[0] in (0, 1, 2, 3):
            found = ("magnitude", "phase", "real", "imaginary")[int(numbers[0])]
    return found


def _frame_component(groups: FunctionalGroups) -> str | None:
    item = groups.item("MRImageFrameTypeSequence")
    return None if item is None else _COMPONENT_WORDS.get(str(item.get("ComplexImageComponent") or "").upper())


def _component_word(word: str) -> str | None:
    """What the third value of an image type ("M", "P_FFE", "PHASE MAP") says of the component."""
    if word in _COMPONENT_WORDS:
        return _COMPONENT_WORDS[word]
    return _COMPONENTS.get(word[:1]) if len(word) == 1 or word[1:2] == "_" else None


def _other_dimensions(dataset: "Dataset") -> list[int]:
    """Which values of a frame's dimension index say something else than where the slice lies."""
    dimensions = dataset.get("DimensionIndexSequence") or ()
    pointers = [item.get("DimensionIndexPointer") for item in dimensions]
    return [
        axis for axis, pointer in enumerate(pointers) if pointer is not None and int(pointer) not in _SPATIAL_DIMENSIONS
    ]


def _raw(dataset: "Dataset", tag: int) -> Any:
    """An element as its bytes: nothing is parsed, and nothing of it is ever shown."""
    there = dataset.keys()  # the data set itself would look at every tag anew
    value = getattr(dataset.get_item(tag), "value", None) if tag in there else None
    return value.strip(b" \0") if isinstance(value, bytes) else value


def _told(value: Any) -> Telling:
    """A number to sort by, where there is one, and a digest to compare."""
    if value is None or value in (b"", ""):
        return -math.inf, b""
    text = value.decode("ascii", "replace").split("\\") if isinstance(value, bytes) else value
    number = first_number(text)
    digest = hashlib.blake2b(repr(value).encode(errors="replace"), digest_size=8).digest()
    return math.inf if number is None else number, digest

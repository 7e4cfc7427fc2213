"""Look-up tables of DICOM: from stored values to intensities or colours.

pydicom applies tables too, but counts indices in the type of the table or of the pixels: 16-bit indices into a palette
of 8-bit entries wrap round, and so do signed pixels below the first entry. It expands segmented tables, and is asked
for that.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import BadInput
from core.scans.dicom.values import as_list

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

#: A descriptor counts in 16 bits: 0 stands for this many entries.
_WORDS = 2**16
_BAD_TABLE = "A look-up table of the DICOM file is damaged or shorter than it says: export the image again."
_CHANNELS = ("Red", "Green", "Blue")


@dataclass(frozen=True, eq=False)
class LookUpTable:
    """What each stored value stands for.

    Parameters
    ----------
    entries : numpy.ndarray, uint16, shape (n,) or (n, 3)
        Intensities, or red, green and blue.
    first : int
        The stored value of the first entry. Lower ones get the first entry, higher ones than the last the last.
    bits : int
        Bits of an entry: it lies between 0 and 2**bits - 1.
    """

    entries: np.ndarray
    first: int
    bits: int

    def __call__(self, stored: np.ndarray) -> np.ndarray:
        """Look up `stored`, any integer dtype; the result has three numbers a pixel for a table of colours."""
        index = stored.astype(np.int64) - self.first
        return np.asarray(self.entries[np.clip(index, 0, len(self.entries) - 1)])


def modality_table(dataset: "Dataset", signed: bool) -> LookUpTable | None:
    """The modality table, where the file has one (PS3.3 C.11.1.1); `signed` says whether stored values are.

    Raises
    ------
    BadInput
        When it is shorter than it says.
    """
    items = dataset.get("ModalityLUTSequence")
    if not items:
        return None
    count, first, bits = _descriptor(items[0].get("LUTDescriptor"), signed)
    return LookUpTable(_entries(items[0].get("LUTData"), count, bits, _little_endian(dataset)), first, bits)


def palette_bits(dataset: "Dataset") -> int:
    """Bits of a colour of the palette, which the pixels themselves need not have."""
    return _descriptor(dataset.get("RedPaletteColorLookupTableDescriptor"), False)[2]


def palette_table(dataset: "Dataset", signed: bool) -> LookUpTable:
    """The palette (PS3.3 C.7.6.3.1.5), entries of shape (n, 3); `signed` says whether stored values are.

    Tables that say they hold 16 bits and hold nothing above 255 are of 8 bits, and are brought to 16.

    Raises
    ------
    BadInput
        When there is none, or one of its tables is shorter than it says.
    """
    count, first, bits = _descriptor(dataset.get("RedPaletteColorLookupTableDescriptor"), signed)
    if dataset.get("RedPaletteColorLookupTableData") is not None:
        data = [dataset.get(f"{channel}PaletteColorLookupTableData") for channel in _CHANNELS]
        entries = np.stack([_entries(values, count, bits, _little_endian(dataset)) for values in data], axis=-1)
    else:
        entries = _expanded_segments(dataset, count, first, bits)
    if bits == 16 and int(entries.max()) <= 255:
        entries = entries * np.uint16(257)
    elif bits == 8 and int(entries.max()) > 255:
        entries = entries >> np.uint16(8)
    return LookUpTable(entries, first, bits)


def _expanded_segments(dataset: "Dataset", count: int, first: int, bits: int) -> np.ndarray:
    from pydicom.pixels.processing import apply_color_lut

    if count > 2**bits:  # pydicom counts them in as many bits as an entry has
        raise BadInput(_BAD_TABLE)
    every_value = np.arange(first, first + count, dtype=np.int32)
    return np.asarray(apply_color_lut(every_value, dataset))[..., :3].astype(np.uint16)


def _descriptor(values: Any, signed: bool) -> tuple[int, int, int]:
    """Number of entries, stored value of the first, bits of an entry."""
    numbers = [int(value) % _WORDS for value in as_list(values)]
    if len(numbers) != 3 or not 1 <= numbers[2] <= 16:
        raise BadInput(_BAD_TABLE)
    count, first, bits = numbers
    # whether it is signed is not always what the file's representation of this element says
    return count or _WORDS, first - _WORDS if signed and first >= _WORDS // 2 else first, bits


def _entries(data: Any, count: int, bits: int, little_endian: bool) -> np.ndarray:
    """Entries of one table as uint16, whether the file holds words, bytes, or numbers already."""
    if isinstance(data, bytes):
        words = np.frombuffer(data[: len(data) // 2 * 2], "<u2" if little_endian else ">u2").astype(np.uint16)
    else:
        words = np.array([int(value) % _WORDS for value in as_list(data)], dtype=np.uint16)
    if len(words) >= count:
        return words[:count]
    # entries of 8 bits may be packed two to a word, the first in the lower byte (PS3.3 C.7.6.3.1.6)
    packed = words.astype("<u2").view(np.uint8)
    if isinstance(data, bytes) and len(data) % 2:
        packed = np.append(packed, np.uint8(data[-1]))
    if len(packed) < count:
        raise BadInput(_BAD_TABLE)
    unpacked = packed[:count].astype(np.uint16)
    return unpacked * np.uint16(257) if bits == 16 else unpacked


def _little_endian(dataset: "Dataset") -> bool:
    return bool(dataset.file_meta.TransferSyntaxUID.is_little_endian)

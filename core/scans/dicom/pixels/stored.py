"""From words of pixel data to stored values: which bits of a word hold the value, and which values are padding."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import BadInput
from core.scans.dicom.values import first_number

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_PADDING_BITS = 16
_FLOAT_PADDING = (
    ("FloatPixelPaddingValue", "FloatPixelPaddingRangeLimit"),
    ("DoubleFloatPixelPaddingValue", "DoubleFloatPixelPaddingRangeLimit"),
)


@dataclass(frozen=True)
class Bits:
    """Where in a word the value is (PS3.5 8.1.1).

    Parameters
    ----------
    allocated : int
        Bits of a word.
    stored : int
        Bits of the value.
    high : int
        The value's highest bit, counted from 0.
    signed : bool
        Whether the value is in two's complement.
    """

    allocated: int
    stored: int
    high: int
    signed: bool

    @classmethod
    def of(cls, dataset: "Dataset") -> "Bits":
        """As the file says; a high bit that leaves no room for the value is an error of the file, and not used."""
        allocated = int(dataset.BitsAllocated)
        stored = int(dataset.get("BitsStored") or allocated)
        high = first_number(dataset.get("HighBit"))
        fits = high is not None and stored - 1 <= high < allocated
        return cls(allocated, stored, int(high) if fits and high is not None else stored - 1, _signed(dataset))

    @property
    def shift(self) -> int:
        """Bits of a word below the value."""
        return self.high + 1 - self.stored

    @property
    def lowest(self) -> int:
        """Least value there can be."""
        return -(2 ** (self.stored - 1)) if self.signed else 0

    @property
    def highest(self) -> int:
        """Largest value there can be."""
        return self.lowest + 2**self.stored - 1

    def values(self, words: np.ndarray) -> np.ndarray:
        """Stored values of unsigned `words`, whatever the bits around them hold.

        Raises
        ------
        BadInput
            When the values lie in the lower bits though the header says in the upper ones.
        """
        if self.shift:
            self._check_place(words)
            words = words >> words.dtype.type(self.shift)
        elif self.stored == self.allocated:
            return words.view(words.dtype.str.replace("u", "i")) if self.signed else words
        words = words & words.dtype.type(2**self.stored - 1)
        if not self.signed:
            return words
        sign = 2 ** (self.stored - 1)
        return np.asarray((words.astype(np.int64) ^ sign) - sign)

    def stray(self, words: np.ndarray) -> np.ndarray | None:
        """Which unsigned `words` have bits set above the value that do not repeat its sign; None without room."""
        above = self.allocated - self.high - 1
        if not above:
            return None
        upper = words >> words.dtype.type(self.high + 1)
        strange = upper != 0
        return strange & (upper != 2**above - 1) if self.signed else strange

    def _check_place(self, words: np.ndarray) -> None:
        used = int(np.bitwise_or.reduce(words, axis=None))
        if used % 2**self.shift and used < 2**self.stored:
            raise BadInput(
                "The DICOM header says that pixel values lie in the upper bits of each word, and they lie in the "
                "lower ones: export the image again."
            )


@dataclass(frozen=True)
class Padding:
    """Which values stand for no image at all (PS3.3 C.7.5.1.1.2), both ends included.

    Parameters
    ----------
    low, high : float
        As stored, before any rescaling.
    """

    low: float
    high: float

    @classmethod
    def of(cls, dataset: "Dataset", bits: Bits) -> "Padding | None":
        """As the file says; None when it says nothing. Whether the number is signed follows the pixels."""
        for value_keyword, limit_keyword in _FLOAT_PADDING:
            value = first_number(dataset.get(value_keyword))
            if value is not None:
                limit = first_number(dataset.get(limit_keyword))
                return cls(*sorted((value, value if limit is None else limit)))
        value = _as_pixel(dataset, "PixelPaddingValue", bits)
        if value is None:
            return None
        limit = _as_pixel(dataset, "PixelPaddingRangeLimit", bits)
        return cls(*sorted((value, value if limit is None else limit)))

    def among(self, values: np.ndarray, bits: Bits, words: np.ndarray | None = None) -> np.ndarray:
        """Which of `values` are padding, bool of their shape.

        Parameters
        ----------
        values : numpy.ndarray
            As stored.
        bits : Bits
            What they are made of.
        words : numpy.ndarray, unsigned, optional
            The words they were taken from: some files pad with a number that has more bits than a value.
        """
        if (self.low >= bits.lowest and self.high <= bits.highest) or words is None:
            return np.asarray((values >= self.low) & (values <= self.high))
        whole = words.view(words.dtype.str.replace("u", "i")) if bits.signed else words
        return np.asarray((whole >= self.low) & (whole <= self.high))


def _as_pixel(dataset: "Dataset", keyword: str, bits: Bits) -> float | None:
    """The element as a number with the sign that pixels have: it may be written as US or SS, whatever they are."""
    number = first_number(dataset.get(keyword))
    if number is None:
        return None
    word = int(number) % 2**_PADDING_BITS
    if not bits.signed:
        return word
    narrow = bits.stored < _PADDING_BITS and bits.highest < word < 2**bits.stored
    width = bits.stored if narrow else _PADDING_BITS
    return word - 2**width if word >= 2 ** (width - 1) else word


def _signed(dataset: "Dataset") -> bool:
    return bool(dataset.get("PixelRepresentation") or 0)

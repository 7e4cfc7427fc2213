"""From samples as stored to finite float32 intensities."""

from dataclasses import dataclass

import numpy as np

from core.errors import BadInput

#: Rec. 601 luma, the weights Pillow and JPEG use: equal channels stay what they are.
LUMINANCE = (0.299, 0.587, 0.114)
#: Channels of a colour picture.
COLOURS = 3
RGB_NOTE = "Colour (RGB) read as luminance."
#: Whole numbers up to here are exact in float32.
EXACT = 2**24
_EXACT_IN_DOUBLE = 2**53
COMPLEX_NOTE = "Complex values read as their magnitude."


def luminance(colours: np.ndarray) -> np.ndarray:
    """Colours (..., 3 or more) → luminance (...), float32. A fourth channel (alpha) is not used."""
    grey = np.zeros(colours.shape[:-1], dtype=np.float32)
    for channel, weight in enumerate(LUMINANCE):
        grey += np.float32(weight) * colours[..., channel]
    return grey


def grey_and_colours(channels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """What a scan holds of the channels of a picture, (1 or 3, *spatial) float32.

    Returns
    -------
    grey : numpy.ndarray, float32, shape (1, *spatial)
        The one channel, or the colours' luminance. Three equal channels are a grey picture.
    colours : numpy.ndarray, float32, shape (3, *spatial), or None
        Red, green and blue, where they differ.
    """
    if len(channels) < COLOURS:
        return channels, None
    if all((channels[0] == other).all() for other in channels[1:]):
        return channels[:1].copy(), None
    return luminance(np.moveaxis(channels, 0, -1))[None], channels


@dataclass
class FiniteFilter:
    """Makes samples float32 and finite: NaN and infinity become 0, and it remembers what that cost.

    Parameters
    ----------
    replaced, total : int
        Samples that were no finite number; all samples.
    rounded : int
        Whole numbers that float32 cannot hold, which is exact up to 2²⁴: labels that differ may become the same.
    """

    replaced: int = 0
    total: int = 0
    rounded: int = 0

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Return `values` as float32 with nothing in it but finite numbers."""
        stored = np.asarray(values)
        with np.errstate(all="ignore"):
            values = np.asarray(stored, dtype=np.float32)
            # one pass without a temporary: a sum is finite if all its terms are (overflow falls through to the test)
            suspicious = not np.isfinite(values.sum(dtype=np.float64))
        self.total += values.size
        if suspicious:
            bad = ~np.isfinite(values)
            self.replaced += int(bad.sum())
            values = np.where(bad, np.float32(0), values)
        if stored.dtype.itemsize >= 4 and stored.dtype != np.float32:
            self.rounded += _rounded_whole_numbers(stored, values)
        return values

    def notes(self) -> tuple[str, ...]:
        """What to say about it.

        Raises
        ------
        BadInput
            When not one value was a number.
        """
        if self.replaced and self.replaced == self.total:
            raise BadInput("Not one voxel holds a number (all are NaN or infinite): export the image again.")
        notes = []
        if self.replaced:
            share = self.replaced / self.total
            notes.append(f"{self.replaced} voxels ({share:.2%}) were NaN or infinite and read as 0.")
        if self.rounded:
            notes.append(
                f"{self.rounded} voxels hold whole numbers above 16,777,216 that were rounded to 24 binary digits: "
                "labels that differ may have become the same."
            )
        return tuple(notes)


def _rounded_whole_numbers(stored: np.ndarray, values: np.ndarray) -> int:
    """How many of `stored` are whole numbers that `values`, the same as float32, do not hold."""
    if values.size == 0 or (values.max() < EXACT and values.min() > -EXACT):
        return 0
    large = np.abs(values) >= EXACT  # the first number that is rounded becomes this one
    exact = stored[large].astype(np.longdouble)
    whole = exact == np.rint(exact)
    if stored.dtype.kind == "f":
        whole &= np.abs(exact) <= _EXACT_IN_DOUBLE  # every number beyond is whole, a label or not
    return int((whole & (exact != values[large])).sum())

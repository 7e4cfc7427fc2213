"""From samples as stored to finite float32 intensities."""

from dataclasses import dataclass

import numpy as np

from core.errors import BadInput

#: Rec. 601 luma, the weights Pillow and JPEG use: equal channels stay what they are.
LUMINANCE = (0.299, 0.587, 0.114)
#: Channels of a colour picture.
COLOURS = 3
RGB_NOTE = "Colour (RGB) read as luminance."
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
    if len(channels) < COLOURS or all((channels[0] == other).all() for other in channels[1:]):
        return channels[:1], None
    return luminance(np.moveaxis(channels, 0, -1))[None], channels


@dataclass
class FiniteFilter:
    """Replaces NaN and infinity by 0, and remembers how many there were."""

    replaced: int = 0
    total: int = 0

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Return `values` as float32 with nothing in it but finite numbers."""
        with np.errstate(all="ignore"):
            values = np.asarray(values, dtype=np.float32)
            # one pass without a temporary: a sum is finite if all its terms are (overflow falls through to the test)
            suspicious = not np.isfinite(values.sum(dtype=np.float64))
        self.total += values.size
        if suspicious:
            bad = ~np.isfinite(values)
            self.replaced += int(bad.sum())
            values = np.where(bad, np.float32(0), values)
        return values

    def notes(self) -> tuple[str, ...]:
        """What to say about it.

        Raises
        ------
        BadInput
            When not one value was a number.
        """
        if not self.replaced:
            return ()
        if self.replaced == self.total:
            raise BadInput("Not one voxel holds a number (all are NaN or infinite): export the image again.")
        share = self.replaced / self.total
        return (f"{self.replaced} voxels ({share:.2%}) were NaN or infinite and read as 0.",)

"""From a scan's values to those a network was made for: which line maps one to the other, and what to say of it."""

from dataclasses import dataclass, replace

import numpy as np

from core.models.card import Intensity
from core.scans.scan import Scan
from core.wording import percent

#: Units of pictures whose values are grey levels of a known full scale: "8-bit", "12-bit", "16-bit" …
FULL_SCALE = {f"{bits}-bit": 2.0**bits - 1 for bits in range(1, 17)}
#: Software stores 10, 12 or 14 bits in 16 without a word. A picture whose brightest pixel lies below this share of the
#: full scale may be such a one.
_ALL_BITS, _DARK = "16-bit", 0.25


@dataclass(frozen=True)
class Intensities:
    """How scan values become model values (value · gain + offset), and what to tell a person about it."""

    gain: float = 1.0
    offset: float = 0.0
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def meet_intensity(scan: Scan, wanted: Intensity) -> Intensities:
    """How the values of `scan` become those a network was made for.

    With ``rescale: minmax`` the scan's own 0.5..99.5 percentiles become the range `wanted`, of a picture else its full
    scale does; any other values are taken as they are, with a warning where they do not look like the trained ones.
    """
    if wanted.rescale == "minmax":
        low, high = (float(v) for v in np.percentile(scan.array, (0.5, 99.5)))
        if high <= low:
            return Intensities(warnings=("the scan has one value everywhere",))
        return _stretch(low, high, wanted, f"intensities {low:.4g}…{high:.4g} scaled to {wanted.low:g}…{wanted.high:g}")
    if scan.units in FULL_SCALE:
        full = FULL_SCALE[scan.units]
        note = f"{scan.units} picture: 0…{full:.0f} read as {wanted.low:g}…{wanted.high:g}"
        return replace(_stretch(0.0, full, wanted, note), warnings=_depth_warnings(scan, full))
    low, high = float(scan.array.min()), float(scan.array.max())
    return Intensities(warnings=_range_warnings(low, high, wanted))


def _stretch(low: float, high: float, wanted: Intensity, note: str) -> Intensities:
    gain = (wanted.high - wanted.low) / (high - low)
    return Intensities(gain, wanted.low - low * gain, notes=(note,) if gain != 1 else ())


def _depth_warnings(scan: Scan, full: float) -> tuple[str, ...]:
    brightest = float(scan.array.max())
    if scan.units != _ALL_BITS or not 0 < brightest < _DARK * full:
        return ()
    return (
        f"no value of the {scan.units} picture is above {brightest:.0f}, as if it held {int(brightest).bit_length()} "
        f"bits: the model is fed only the lowest {percent(brightest / full)} of its range, and its answer may mean "
        "nothing",
    )


def _range_warnings(low: float, high: float, wanted: Intensity) -> tuple[str, ...]:
    span = wanted.high - wanted.low
    if low < wanted.low - 0.05 * span or high > wanted.high + 0.05 * span:
        unit = f" ({wanted.units})" if wanted.units else ""
        return (
            f"the scan's values {low:.4g}…{high:.4g} lie outside what the model was trained on, "
            f"{wanted.low:g}…{wanted.high:g}{unit}: its answer may mean nothing",
        )
    if high - low < 0.1 * span:
        return (
            f"the scan's values {low:.4g}…{high:.4g} fill little of the trained range {wanted.low:g}…{wanted.high:g}",
        )
    return ()

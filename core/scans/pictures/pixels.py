"""Pixels of an opened picture as numbers: grey levels of a known full scale, numbers without one, or colours."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import BadInput
from core.scans.pictures.depth import Depth, grey_level_bits
from core.scans.samples import RGB_NOTE, luminance

if TYPE_CHECKING:
    from PIL.Image import Image

_COARSE_NOTE = "16-bit colour or transparency read at 8 bits: save it as 16-bit grey to keep the precision."
#: Of colours at 16 bits the 8 upper ones are read. Those of 12 bits that were not scaled up have but four there.
_FEWEST_LEVELS = 16
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0


@dataclass(frozen=True, eq=False)
class Pixels:
    """Pixels of one page.

    Parameters
    ----------
    values : numpy.ndarray, shape (rows, columns)
        One channel, as hung.
    units : str, optional
        ``N-bit`` where they are grey levels of that full scale.
    colours : numpy.ndarray, float32, shape (3, rows, columns), optional
        Where they differ; `values` is their luminance.
    """

    values: np.ndarray
    units: str | None = None
    colours: np.ndarray | None = None


def pixels_of(image: "Image", depth: Depth, notes: list[str]) -> Pixels:
    """Pixels of `image` as its file means them; what was changed is added to `notes`.

    Raises
    ------
    BadInput
        When too little of the colours would be left at 8 bits.
    """
    mode = image.mode
    white_is_zero = getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    if mode.startswith("I;16"):
        return grey_levels(np.asarray(image), depth, white_is_zero, notes)
    if mode in ("I", "F"):
        values = np.asarray(image)
        # Pillow knows no 32 bits without a sign
        without_sign = mode == "I" and depth.bits == 32 and not depth.signed
        return numbers(values.view(np.uint32) if without_sign else values, white_is_zero, notes)
    if mode == "L" and depth.signed:
        return Pixels(np.asarray(image).view(np.int8))
    if mode == "L" and depth.bits == 8:
        return grey_levels(np.asarray(image), depth, False, notes)  # Pillow has inverted it
    if mode == "L":
        return Pixels(np.asarray(image), "8-bit")  # Pillow has scaled fewer bits up to 8
    if mode == "1":
        return Pixels(np.asarray(image, dtype=np.uint8) * np.uint8(255), "8-bit")
    return _coloured(image, depth, notes)


def grey_levels(values: np.ndarray, depth: Depth, white_is_zero: bool, notes: list[str]) -> Pixels:
    """Grey levels of `depth`, larger is brighter; a note says where they were inverted."""
    bits = grey_level_bits(values, depth)
    if white_is_zero:
        notes.append("White is stored as zero: inverted, larger is brighter.")
        values = 2**bits - 1 - values.astype(np.int32)
    return Pixels(values, f"{bits}-bit")


def numbers(values: np.ndarray, white_is_zero: bool, notes: list[str]) -> Pixels:
    """Quantities, which keep their values; a note says where they are meant to be shown the other way round."""
    if white_is_zero:
        notes.append("White is stored as the smallest value: values are kept, larger is brighter.")
    return Pixels(values)


def _coloured(image: "Image", depth: Depth, notes: list[str]) -> Pixels:
    """A picture with colours or transparency, which Pillow gives at 8 bits."""
    mode = image.mode
    if mode.upper() in ("LA", "PA", "RGBA") or "transparency" in image.info:
        notes.append("Transparency was left out.")
    if mode.upper() == "LA":
        colours = np.asarray(image.convert("LA"))[..., :1]
    else:
        colours = np.asarray(image.convert("RGBA") if mode in ("P", "PA") else image.convert("RGB"))[..., :3]
    if depth.bits > 8:
        if 0 < colours.max() < _FEWEST_LEVELS:
            raise BadInput(
                "The picture has colours or transparency of 16 bits and uses the lowest 12 or fewer of them, of which "
                "hardly anything could be read: save it at 8 bits, or as grey of 16 bits without transparency."
            )
        notes.append(_COARSE_NOTE)
    return _of_colours(colours, 8, notes)


def fine_colours(colours: np.ndarray, depth: Depth, transparent: bool, notes: list[str]) -> Pixels:
    """Colours (rows, columns, 3) of more than 8 bits, at all of them."""
    if transparent:
        notes.append("Transparency was left out.")
    return _of_colours(colours, grey_level_bits(colours, depth), notes)


def _of_colours(colours: np.ndarray, bits: int, notes: list[str]) -> Pixels:
    if (colours == colours[..., :1]).all():
        return Pixels(colours[..., 0], f"{bits}-bit")
    notes.append(RGB_NOTE)
    channels = np.ascontiguousarray(np.moveaxis(colours, -1, 0), dtype=np.float32)
    return Pixels(luminance(colours), f"{bits}-bit", channels)

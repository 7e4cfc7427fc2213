"""Small pictures for galleries: a film in grey, and a map over it in colour, as PNG. Kept by name, up to a bound."""

import io
import threading
from collections.abc import Callable
from functools import lru_cache

import numpy as np

#: Longest side of a picture, pixels: a tile is hardly ever larger on screen.
LONGEST = 256
#: Bytes of pictures kept.
_ROOM = 48 << 20
#: What lies below this share of a map's largest value is not coloured: attributions are noisy everywhere.
FLOOR = 0.08
#: How strongly a map covers the film at its largest value.
_OPACITY = 0.8

_kept: dict[str, bytes] = {}
_lock = threading.Lock()


def film_png(
    film: np.ndarray,
    size: np.ndarray | None = None,
    peak: float | None = None,
    longest: int = LONGEST,
    colours: int | None = None,
) -> bytes:
    """A film in grey, with the size of a map over it.

    Parameters
    ----------
    film : numpy.ndarray, shape (rows, columns)
        Grey from its 1st to its 99.5th percentile, the viewer's own first window.
    size : numpy.ndarray, shape (rows, columns), optional
        Over it in magma, from 0 (film only) to `peak`; not negative.
    peak : float, optional
        Value of the brightest colour; by default the 99.5th percentile of `size`, at least a tenth of its largest.
    longest : int
        Most pixels of the longer side.
    colours : int, optional
        Most colours of the picture, 2..256, which make it a quarter of the size; by default all.

    Returns
    -------
    bytes
        A PNG.
    """
    from PIL import Image

    grey = _shrunk(film, longest)
    low, high = np.percentile(grey, (1, 99.5))
    if not high > low:
        low, high = float(grey.min()), float(grey.max())
    scaled = np.clip((grey - low) / (high - low), 0, 1) if high > low else np.zeros_like(grey)
    painted = np.repeat(scaled[..., None], 3, axis=2) * 255
    if size is not None:
        seen = _shrunk(size, longest)
        top = max(float(np.percentile(seen, 99.5)), 0.1 * float(seen.max())) if peak is None else peak
        painted = _over(painted, seen / top if top > 0 else np.zeros_like(grey))
    written = io.BytesIO()
    picture = Image.fromarray(np.rint(painted).astype(np.uint8))
    (picture if colours is None else picture.quantize(colours)).save(
        written, format="PNG", optimize=colours is not None
    )
    return written.getvalue()


def kept(name: str, make: Callable[[], bytes]) -> bytes:
    """The picture that stands under `name`, made when it is not there; the oldest go when there is no room.

    Parameters
    ----------
    name : str
        Stands for exactly this picture: the id of a run and the name of its array.
    make : callable
        Makes it.
    """
    with _lock:
        if name in _kept:
            _kept[name] = _kept.pop(name)  # now the latest
            return _kept[name]
    made = make()
    with _lock:
        _kept[name] = made
        total = sum(len(picture) for picture in _kept.values())
        for oldest in [other for other in _kept if other != name]:
            if total <= _ROOM:
                break
            total -= len(_kept.pop(oldest))
    return made


def is_kept(name: str) -> bool:
    """Whether a picture stands under `name`."""
    return name in _kept


def _shrunk(values: np.ndarray, longest: int) -> np.ndarray:
    """Means over squares of samples, so that the longer side has at most `longest`; float64."""
    from PIL import Image

    step = -(-max(values.shape) // longest)
    reduced = Image.fromarray(np.asarray(values, dtype=np.float32)).reduce(step) if step > 1 else values
    return np.asarray(reduced, dtype=np.float64)


def _over(colours: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Blend magma over `colours` (0..255) by how large `share` (0..1) is."""
    share = np.clip(share, 0, 1)
    cover = (_OPACITY * np.clip((share - FLOOR) / (1 - FLOOR), 0, 1) ** 0.5)[..., None]
    blended: np.ndarray = colours * (1 - cover) + _magma()[np.rint(share * 255).astype(np.intp)] * cover
    return blended


@lru_cache(maxsize=1)
def _magma() -> np.ndarray:
    """256 colours, float64 0..255."""
    from matplotlib import colormaps

    table: np.ndarray = colormaps["magma"](np.linspace(0, 1, 256))[:, :3] * 255
    return table

"""A mixed bag of scans that a demo model was not made for: files of a data folder, and its own phantoms spoilt."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import ndimage

from core.errors import LightboxError
from core.models.card import Card
from core.scans import Scan, load_scan

#: Folder or pattern below the data folder → at most so many of its files, evenly picked.
_VOLUMES = {
    "t1_ixi/*.nii*": 5,
    "fdg_pet/*.nii.gz": 40,
    "nifti/niivue_orient/*.nii*": 4,
    "dicom/ct_series_ge": 1,
    "dicom/mr_series_ge_epi": 1,
    "dicom/mr_series_t1_partial": 1,
}
_PICTURES = {
    "mini_mias/images/*": 40,
    "tb_cxr/images/*": 25,
    "tb_cxr_confounded/images/*": 25,
    "xray_bodypart/images/*": 60,
    "mednist/*/*": 48,
    "mr_ct_pairs/CT/*": 12,
    "dicom/pydicom_tests/*.dcm": 12,
}
#: Pictures that a model of volumes is given by mistake.
_FEW_PICTURES = {"mini_mias/images/*": 4, "tb_cxr/images/*": 4, "xray_bodypart/images/*": 4}
_BRAIN_SLICES = {"ibix_t1_t2/test/T1/*": 12, "ibix_t1_t2/test/T2/*": 12, "mr_ct_pairs/MRI/*": 12}


def foreign(data: Path, card: Card, own: Sequence[Scan]) -> Iterator[tuple[str, Scan]]:
    """Scans that `card`'s model cannot read rightly, each with what it is.

    Parameters
    ----------
    data : pathlib.Path
        Folder of real files; patterns that match nothing are passed over.
    card : Card
        The model's.
    own : sequence of Scan
        Scans that it does read: they are spoilt in several ways.
    """
    patterns = {**_PICTURES, **_BRAIN_SLICES} if card.input.dimensions == 2 else {**_VOLUMES, **_FEW_PICTURES}
    if card.input.dimensions == 2 and card.input.plane is not None:
        patterns |= _VOLUMES
    for pattern, most in patterns.items():
        for path in _picked(sorted(data.glob(pattern)), most):
            try:
                scan = load_scan(path)
            except LightboxError:
                continue
            kind = pattern.partition("/")[0]
            yield f"{kind}/{path.name}", scan
            if "t1_ixi" in pattern:
                yield f"{kind}/{path.name} scaled to 0..1", _to_unit(scan)
    for number, scan in enumerate(own):
        for name, spoil in _SPOILS.items():
            spoilt = spoil(scan, np.random.default_rng([7, number]))
            if spoilt is not None:
                yield f"own scan {number}, {name}", spoilt
    yield from _noise(own[0])


def _picked(paths: Sequence[Path], most: int) -> Sequence[Path]:
    if len(paths) <= most:
        return paths
    return [paths[round(place)] for place in np.linspace(0, len(paths) - 1, most)]


def _to_unit(scan: Scan) -> Scan:
    low, high = np.percentile(scan.array, (0.5, 99.5))
    return replace(scan, array=np.clip((scan.array - low) / (high - low), 0, 1).astype(np.float32))


def _on_scan(scan: Scan, array: np.ndarray) -> Scan:
    return replace(scan, array=np.ascontiguousarray(array, dtype=np.float32), colours=None)


def _moved(scan: Scan, random: np.random.Generator) -> Scan | None:
    """Not registered: a volume in another place of space."""
    if scan.dimensions == 2:
        return None
    affine = scan.affine.copy()
    affine[:3, 3] += random.choice([-1, 1], 3) * random.uniform(12, 35, 3)
    return replace(scan, affine=affine)


def _tilted(scan: Scan, random: np.random.Generator) -> Scan | None:
    """Not registered: a head turned by 20 to 40 degrees about an axis."""
    if scan.dimensions == 2:
        return None
    angle, axes = np.deg2rad(random.uniform(20, 40)), random.permutation(3)[:2]
    turn = np.eye(4)
    turn[axes[0], axes[0]] = turn[axes[1], axes[1]] = np.cos(angle)
    turn[axes[0], axes[1]], turn[axes[1], axes[0]] = -np.sin(angle), np.sin(angle)
    return replace(scan, affine=turn @ scan.affine)


def _resized(scan: Scan, random: np.random.Generator) -> Scan | None:
    """Not registered: a head a fifth or more too large or too small."""
    if scan.dimensions == 2:
        return None
    factor = float(random.choice([0.75, 1.25]))
    return replace(scan, affine=np.diag([factor, factor, factor, 1.0]) @ scan.affine)


def _turned(scan: Scan, _random: np.random.Generator) -> Scan:
    """Wrong orientation: two axes exchanged."""
    array = np.rot90(scan.array, axes=(-2, -1))
    return _on_scan(scan, array)


_SPOILS: dict[str, Callable[[Scan, np.random.Generator], Scan | None]] = {
    "upside down": lambda scan, _: _on_scan(scan, np.flip(scan.array, axis=1 if scan.dimensions == 2 else 3)),
    "back to front": lambda scan, _: None if scan.dimensions == 2 else _on_scan(scan, np.flip(scan.array, axis=2)),
    "axes exchanged": _turned,
    "negative": lambda scan, _: _on_scan(scan, scan.array.max() + scan.array.min() - scan.array),
    "moved": _moved,
    "tilted": _tilted,
    "resized": _resized,
    "blurred": lambda scan, _: _on_scan(scan, ndimage.gaussian_filter(scan.array, (0, *(n / 18 for n in scan.shape)))),
    "noisy": lambda scan, random: _on_scan(
        scan, scan.array + random.normal(0, 0.25 * np.ptp(scan.array), scan.array.shape)
    ),
    "shuffled": lambda scan, random: _on_scan(scan, random.permutation(scan.array.ravel()).reshape(scan.array.shape)),
}


def _noise(like: Scan) -> Iterator[tuple[str, Scan]]:
    """Values that were never an image, in the range of one that is."""
    low, high = float(like.array.min()), float(like.array.max())
    for number in range(10):
        random = np.random.default_rng([11, number])
        plain = random.uniform(low, high, like.array.shape)
        yield f"noise {number}", _on_scan(like, plain)
        smooth = ndimage.gaussian_filter(plain, (0, *[2.0 + number] * like.dimensions))
        smooth = (smooth - smooth.min()) / np.ptp(smooth) * (high - low) + low
        yield f"smooth noise {number}", _on_scan(like, smooth)
    yield "one value everywhere", _on_scan(like, np.full(like.array.shape, (low + high) / 2))
    ramp = np.broadcast_to(np.linspace(low, high, like.shape[-1]), like.array.shape)
    yield "a ramp", _on_scan(like, ramp)

"""The volume that the viewer's benchmark looks at: brain-sized, smooth, different in every slice."""

from functools import lru_cache

import numpy as np

SHAPE = (197, 233, 189)
AFFINE = np.diag([1.0, 1.0, 1.0, 1.0])
AFFINE[:3, 3] = (-98, -134, -72)


@lru_cache(maxsize=1)
def scan() -> np.ndarray:
    """Ellipsoid with folds, float32, 0..1."""
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n, dtype=np.float32) for n in SHAPE), indexing="ij", sparse=True)
    folds = 0.55 + 0.25 * np.sin(23 * x + 5 * z) * np.cos(19 * y - 3 * x) + 0.2 * np.sin(17 * z + 4 * y)
    return np.where(x**2 + y**2 + z**2 < 0.8, folds, 0).astype(np.float32)


@lru_cache(maxsize=1)
def overlay() -> np.ndarray:
    """Two blobs, float32, 0..1."""
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n, dtype=np.float32) for n in SHAPE), indexing="ij", sparse=True)
    left = np.exp(-((x + 0.4) ** 2 + y**2 + z**2) / 0.08)
    return np.maximum(left, 0.7 * np.exp(-((x - 0.4) ** 2 + (y - 0.3) ** 2 + z**2) / 0.05)).astype(np.float32)


def release() -> None:
    """Forget both volumes; what is packed for the viewer stays on disk."""
    scan.cache_clear()
    overlay.cache_clear()

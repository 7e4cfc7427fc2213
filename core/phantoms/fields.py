"""Random fields: what varies smoothly from place to place, in any number of dimensions."""

from collections.abc import Sequence

import numpy as np

#: full width at half maximum of a Gaussian, in standard deviations
FWHM = 2.3548


def random_field(
    positions: Sequence[np.ndarray], bounds: Sequence[tuple[float, float]], fwhm: float, random: np.random.Generator
) -> np.ndarray:
    """Gaussian random field of unit variance and about `fwhm` correlation width on any number of axes, float32.

    White noise on a lattice of half the width, spread by a separable Gaussian kernel whose rows have unit norm.

    Parameters
    ----------
    positions : sequence of numpy.ndarray
        Where the samples lie along each axis.
    bounds : sequence of (float, float)
        Span of the lattice along each axis: the same span gives the same field however it is sampled.
    fwhm : float
        Full width at half maximum of the kernel, in the units of `positions`.
    random : numpy.random.Generator
        Source of the noise.
    """
    step = fwhm / 2
    bases = []
    for at, (low, high) in zip(positions, bounds, strict=True):
        nodes = np.arange(low - fwhm, high + fwhm + step, step)
        kernel = np.exp(-0.5 * ((at[:, None] - nodes) / (fwhm / FWHM)) ** 2)
        bases.append((kernel / np.linalg.norm(kernel, axis=1, keepdims=True)).astype(np.float32))
    lattice = random.standard_normal([basis.shape[1] for basis in bases], dtype=np.float32)
    for basis in bases:
        # each product moves the axis it spread to the end: after all of them, the order is the first again
        lattice = np.tensordot(lattice, basis, axes=(0, 1))
    return lattice

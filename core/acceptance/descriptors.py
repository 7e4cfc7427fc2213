"""What an input is like, in numbers that need no network: its values, how sharp it is, and what lies where."""

import numpy as np
import torch
from torch.nn import functional

from core.models.card import InputContract

#: Shares of the samples in front of the background at which values are read.
_QUANTILES = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
#: Values up to this share of the trained range are background.
_BACKGROUND = 0.02
#: Edges of the bands of spatial frequency, cycles a sample; the first is everything slower.
_BANDS = (0.0, 0.04, 0.08, 0.14, 0.22, 0.32, 0.5)
#: The first of the bands that hold fine detail.
_FINE = 3
#: Samples along each axis of the small picture by which the layout is compared.
LAYOUT_SIDE = {2: 14, 3: 9}
_TINY = 1e-6
#: A picture whose samples spread less than this, in shares of the trained range, is taken for an even one.
_FAINT = 1e-3


def describe(tensor: torch.Tensor, contract: InputContract) -> dict[str, np.ndarray]:
    """What one input is like.

    Parameters
    ----------
    tensor : torch.Tensor, float32, shape (1, C, *spatial)
        As the network is fed.
    contract : InputContract
        Whose trained range the values are told in.

    Returns
    -------
    dict of str to numpy.ndarray
        ``values``: where the values lie, in shares of the trained range. ``sharpness``: how much of the variation is
        in each band of spatial frequency and along each axis, as logarithms. ``detail``: the same of all fine
        detail together. ``layout``: the input a few samples wide, whatever its exposure: its mean 0, its spread 1.
    """
    intensity = contract.intensity
    image = ((tensor.detach().float().cpu() - intensity.low) / (intensity.high - intensity.low)).mean(dim=1)[0]
    sharpness, detail = _sharpness(image.numpy())
    return {"values": _values(image.numpy()), "sharpness": sharpness, "detail": detail, "layout": _layout(image)}


def _values(image: np.ndarray) -> np.ndarray:
    front = image[image > _BACKGROUND]
    quantiles = np.quantile(front, _QUANTILES) if front.size else np.zeros(len(_QUANTILES))
    # how an image is exposed matters less the further it is out: far values are told as logarithms
    low, high = _squeezed(float(image.min())), _squeezed(float(image.max()))
    full = float((image > 1 - _BACKGROUND).mean())
    return np.array([low, *map(_squeezed, quantiles), high, front.size / image.size, full], dtype=np.float64)


def _squeezed(value: float) -> float:
    """The value itself about 0..1, its logarithm far beyond."""
    return float(np.arcsinh(2 * value) / 2)


def _sharpness(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    spread = float(image.std()) + _TINY
    power = np.abs(np.fft.rfftn(image - image.mean())) ** 2
    axes = [np.fft.fftfreq(n) for n in image.shape[:-1]] + [np.fft.rfftfreq(image.shape[-1])]
    radius = np.sqrt(sum(np.meshgrid(*(axis**2 for axis in axes), indexing="ij")))
    band = np.digitize(radius.ravel(), _BANDS) - 1
    energy = np.bincount(band, power.ravel(), minlength=len(_BANDS))[: len(_BANDS)]
    shares = np.log(energy / max(energy.sum(), _TINY) + _TINY)
    long = [axis for axis, size in enumerate(image.shape) if size > 1]
    steps = [np.log(np.abs(np.diff(image, axis=axis)).mean() / spread + _TINY) for axis in long]
    fine = np.log(energy[_FINE:].sum() / max(energy.sum(), _TINY) + _TINY)
    return np.array([*shares, *steps, np.log(spread)], dtype=np.float64), np.array([fine, np.mean(steps)])


def _layout(image: torch.Tensor) -> np.ndarray:
    size = LAYOUT_SIDE[image.ndim]
    pool = functional.adaptive_avg_pool2d if image.ndim == 2 else functional.adaptive_avg_pool3d
    small = np.asarray(pool(image[None, None], size).numpy().ravel(), dtype=np.float64)
    spread: np.ndarray = (small - small.mean()) / (small.std() + _FAINT)
    return spread

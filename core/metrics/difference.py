"""How far a made image is from the true one, and what plainer guesses would have reached (IBIX, sections 4.1, 4.2)."""

from dataclasses import dataclass

import numpy as np

from core.metrics.registry import metric

#: IBIX's tissue classes of a CT by its true value: name → (from, to) in HU; soft tissue includes both its ends
TISSUES_HU: dict[str, tuple[float, float]] = {
    "air": (-np.inf, -200.0),
    "soft": (-200.0, 200.0),
    "bone": (200.0, np.inf),
}
#: samples along each axis of the window that SSIM compares
SSIM_WINDOW = 11


def difference(made: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Signed error, float32: below 0 where the made image is too low, above 0 where it is too high.

    Raises
    ------
    ValueError
        When the images differ in shape.
    """
    if made.shape != true.shape:
        raise ValueError(f"the made image {made.shape} and the true one {true.shape} differ in shape")
    return made.astype(np.float32, copy=False) - true.astype(np.float32, copy=False)


@metric("mean_absolute_error", "Mean absolute error", "two images", better="lower")
def mean_absolute_error(made: np.ndarray, true: np.ndarray) -> float:
    """Mean of |made − true|, in the images' units."""
    return float(np.abs(difference(made, true)).mean(dtype=np.float64))


@metric("mean_squared_error", "Mean squared error", "two images", better="lower")
def mean_squared_error(made: np.ndarray, true: np.ndarray) -> float:
    """Mean of (made − true)², in the images' units squared."""
    return float(np.square(difference(made, true)).mean(dtype=np.float64))


def tissue_of(true: np.ndarray) -> dict[str, np.ndarray]:
    """Where each tissue of `TISSUES_HU` is: name → bool mask; every pixel is in exactly one.

    Parameters
    ----------
    true : numpy.ndarray
        CT in HU. The true one: a made image is judged by what is there.
    """
    masks = {"air": true < TISSUES_HU["air"][1], "bone": true > TISSUES_HU["bone"][0]}
    return {"air": masks["air"], "soft": ~(masks["air"] | masks["bone"]), "bone": masks["bone"]}


def error_by_tissue(made: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """Mean absolute error in air (< −200 HU), soft tissue (−200..200) and bone (> 200) of the true CT.

    Parameters
    ----------
    made, true : numpy.ndarray, same shape
        CTs in HU; several slices stacked are averaged over all their pixels.

    Returns
    -------
    dict of str to float
        HU; NaN for a tissue without a pixel.
    """
    error = np.abs(difference(made, true)).astype(np.float64)
    return {name: float(error[mask].mean()) if mask.any() else float("nan") for name, mask in tissue_of(true).items()}


def structural_similarity(made: np.ndarray, true: np.ndarray, low: float, high: float) -> float:
    """Mean SSIM of two images (Wang et al., 2004: Gaussian window, sigma 1.5), 1 when they are the same.

    Parameters
    ----------
    made, true : numpy.ndarray, same spatial shape
        Images or volumes of one channel.
    low, high : float
        What the values can be at most, such as −1024 and 1250 HU. SSIM's constants follow this range; taken from
        each image instead, the figure would change with an outlier.

    Returns
    -------
    float
        −1..1. Images smaller than the window (`SSIM_WINDOW`) on an axis get NaN.
    """
    from skimage.metrics import structural_similarity as ssim  # half a second that only pages with a truth pay

    if min(true.shape) < SSIM_WINDOW:
        return float("nan")
    difference(made, true)
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return float(ssim(made.astype(np.float64), true.astype(np.float64), data_range=high - low, **settings))


@dataclass(frozen=True, eq=False)
class IntensityRegression:
    """The best guess that looks at one pixel's value and nothing else: mean target for each input value.

    Parameters
    ----------
    edges : numpy.ndarray, shape (B − 1,)
        Between the bins of input values, ascending.
    values : numpy.ndarray, shape (B,)
        Mean target of each bin.
    """

    edges: np.ndarray
    values: np.ndarray

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Targets guessed for `image` (any shape, one channel), float32."""
        return self.values[np.searchsorted(self.edges, image, side="right")].astype(np.float32)


def fit_intensity_regression(images: np.ndarray, targets: np.ndarray, bins: int = 128) -> IntensityRegression:
    """Fit the per-intensity baseline on training pairs, in the least-squares sense.

    Parameters
    ----------
    images, targets : numpy.ndarray, same shape
        All training pairs stacked, one channel.
    bins : int
        How many ranges of input values, equal in width; one that no pixel fell into guesses like its neighbours.

    Raises
    ------
    ValueError
        When the shapes differ or there is no pixel.
    """
    if images.shape != targets.shape or not images.size:
        raise ValueError(f"images {images.shape} and targets {targets.shape} are not pairs")
    edges = np.linspace(float(images.min()), float(images.max()), bins + 1)[1:-1]
    bin_of = np.searchsorted(edges, images.ravel(), side="right")
    count = np.bincount(bin_of, minlength=bins)
    total = np.bincount(bin_of, weights=targets.ravel().astype(np.float64), minlength=bins)
    filled = np.flatnonzero(count)
    values = np.interp(np.arange(bins), filled, total[filled] / count[filled])
    return IntensityRegression(edges, values)


def mean_image(targets: np.ndarray) -> np.ndarray:
    """The guess that looks at nothing: mean over the training targets (N, ...), float32."""
    return targets.mean(axis=0, dtype=np.float64).astype(np.float32)

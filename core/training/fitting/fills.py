"""Random fills: holes in the training images, so that what a mask paints cannot by itself flip the class.

A mask explainer replaces parts of a scan by a constant or by the healthy mean. A network that never saw such
images answers them at random, and the mask then finds paint that fools it instead of tissue that matters.
"""

import torch
from torch.nn import functional


def fill_at_random(
    images: torch.Tensor,
    healthy_mean: torch.Tensor,
    support: torch.Tensor,
    spacing_mm: tuple[float, ...],
    value_range: tuple[float, float],
    share_of_images: float,
    random: torch.Generator,
) -> torch.Tensor:
    """Copy of `images` with blobs of 12 to 27 mm over 2 to 30 % of the support filled; labels stay what they were.

    Each image draws its own blobs and what goes in: the top of the range, the healthy mean, a constant, or the
    image itself scaled.

    Parameters
    ----------
    images : torch.Tensor, float32, shape (N, C, *spatial)
        Batch in the scan's own units.
    healthy_mean, support : torch.Tensor, shape (C, *spatial) and bool (*spatial)
        What healthy tissue looks like on average; where a mask may paint.
    spacing_mm : tuple of float
        Of the spatial axes, millimetres.
    value_range : (float, float)
        Lowest and highest value of the training range.
    share_of_images : float
        Share of the images that get a fill, 0..1.
    random : torch.Generator
        Source of every draw.
    """
    filled = images.clone()
    low, high = value_range
    for index in range(len(images)):
        if _uniform(random, 0, 1) >= share_of_images:
            continue
        blobs = random_blobs(support, spacing_mm, _uniform(random, 12, 27), _uniform(random, 0.02, 0.30), random)
        kind = int(torch.randint(4, (), generator=random))
        if kind == 0:
            inside = torch.full_like(images[index], high)
        elif kind == 1:
            inside = healthy_mean
        elif kind == 2:
            inside = torch.full_like(images[index], _uniform(random, low, high))
        else:
            inside = (images[index] * _uniform(random, 0.3, 1.7)).clamp(low, high)
        filled[index] = torch.where(blobs, inside, images[index])
    return filled


def random_blobs(
    support: torch.Tensor, spacing_mm: tuple[float, ...], width_mm: float, share: float, random: torch.Generator
) -> torch.Tensor:
    """Smooth blobs about `width_mm` across that cover `share` of `support`; bool, same shape."""
    extent = [n * s for n, s in zip(support.shape, spacing_mm, strict=True)]
    lattice = torch.randn([max(round(length / width_mm) + 1, 2) for length in extent], generator=random)
    mode = "trilinear" if support.ndim == 3 else "bilinear"
    field = functional.interpolate(lattice[None, None], size=support.shape, mode=mode, align_corners=True)[0, 0]
    inside = field[support]
    level = inside.sort(descending=True).values[int(share * (inside.numel() - 1))]
    return (field > level) & support


def _uniform(random: torch.Generator, low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand((), generator=random))

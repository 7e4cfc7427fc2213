"""Paper 3's augmentation: every film cropped, rotated, moved, sheared, stretched and mirrored at random, with MONAI.

Kumar and Menkovski, "Understanding anatomy classification through visualization", 2016, section 3, name the six and
give no ranges; those here are this project's. All six are one affine map and the film is sampled once: one after the
other they would blur it six times.
"""

from typing import Any

import numpy as np
import torch

from core.training.fitting.parameters import AugmentationRanges


class Augmentation:
    """Callable on batches of films; draws from its own generator, so that the same seed makes the same films.

    Parameters
    ----------
    ranges : AugmentationRanges
        How far each transform goes.
    seed : int
        Of every draw.
    """

    def __init__(self, ranges: AugmentationRanges, seed: int) -> None:
        # MONAI takes seconds to import: only a training that augments pays for it
        from monai.networks.layers import AffineTransform

        self._ranges = ranges
        self._random = np.random.default_rng(seed)
        self._sample = AffineTransform(mode="bilinear", padding_mode="zeros", zero_centered=True)

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Each film transformed on its own; beyond the old edges is black, as where a film is padded.

        Parameters
        ----------
        images : torch.Tensor, float32, shape (N, C, H, W)
            Values from 0, black.

        Returns
        -------
        torch.Tensor
            New, of the same shape, on the same device.
        """
        maps = np.stack([self._draw(tuple(images.shape[2:])) for _ in range(len(images))])
        return self._sample(images, torch.from_numpy(maps).to(images))

    def _draw(self, shape: tuple[int, ...]) -> np.ndarray:
        """Map from pixels of the new film to those of the old, both counted from the centre; shape (3, 3)."""
        from monai.transforms.utils import create_rotate, create_scale, create_shear, create_translate

        ranges, sides = self._ranges, np.array(shape)
        kept = 1 - self._uniform(0, ranges.crop)
        corner = self._uniform(-1, 1, 2) * (1 - kept) / 2 * sides
        mirrors = np.where(self._random.random(2) < (ranges.upside_down, ranges.flip), -1.0, 1.0)
        steps: list[Any] = [
            create_translate(2, corner),
            create_scale(2, (kept, kept)),
            create_translate(2, self._uniform(-1, 1, 2) * ranges.translation * sides),
            create_rotate(2, np.radians(self._uniform(-1, 1) * ranges.rotation)),
            create_shear(2, np.tan(np.radians(self._uniform(-1, 1, 2) * ranges.shear))),
            # as often longer as shorter
            create_scale(2, (1 + ranges.stretch) ** self._uniform(-1, 1, 2)),
            create_scale(2, tuple(mirrors)),
        ]
        return np.linalg.multi_dot(steps)

    def _uniform(self, low: float, high: float, size: int | None = None) -> Any:
        return self._random.uniform(low, high, size)

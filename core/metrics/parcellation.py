"""The built-in coarse parcellation: anatomical landmarks in MNI space, each voxel to the nearest.

No atlas ships with Lightbox (their licences differ), yet a map should be readable by name from the first minute. So
forty structures a side are marked by one to nine landmarks in MNI152 millimetres, each with a radius that stands
for the structure's thickness, written down from textbook anatomy. A voxel takes the landmark with the smallest power
distance ``|x - landmark|² - radius²``; voxels more than `REACH_MM` outside every sphere have no name. Landmarks of the
right side are mirrored to the left. A signpost, not a segmentation: configure a real atlas for figures that matter.
"""

from functools import lru_cache

import numpy as np
from scipy.spatial import cKDTree

from core.scans.grid import Grid

#: Millimetres beyond a landmark's sphere where its name ends.
REACH_MM = 12.0

Landmark = tuple[float, float, float, float]

#: Structure → landmarks (x > 0 right, y anterior, z superior, radius; mm). Mirrored for the left side.
PAIRED: dict[str, tuple[Landmark, ...]] = {
    "hippocampus": ((24, -12, -20, 8), (28, -20, -14, 8), (30, -30, -8, 7), (26, -36, -2, 6)),
    "amygdala": ((23, -3, -19, 8),),
    "parahippocampal gyrus": ((20, -8, -29, 6), (23, -22, -24, 7), (24, -32, -17, 7), (22, -40, -10, 6)),
    "fusiform gyrus": ((32, -8, -37, 8), (36, -28, -26, 8), (34, -46, -18, 8), (32, -62, -14, 8), (28, -76, -10, 7)),
    "inferior temporal gyrus": ((46, -4, -38, 9), (52, -20, -30, 9), (56, -38, -22, 9), (54, -54, -14, 9)),
    "middle temporal gyrus": ((54, 0, -24, 9), (60, -16, -16, 9), (62, -34, -4, 9), (58, -52, 4, 9), (48, -66, 12, 8)),
    "superior temporal gyrus": ((54, 6, -10, 8), (60, -10, -2, 8), (62, -26, 10, 8), (58, -40, 18, 8)),
    "transverse temporal gyrus": ((46, -18, 8, 6),),
    "temporal pole": ((40, 14, -30, 11), (48, 14, -20, 8)),
    "insula": ((38, 14, -2, 8), (38, 0, 2, 8), (38, -12, 6, 7), (36, 6, -10, 7)),
    "orbitofrontal cortex": ((14, 40, -20, 9), (30, 34, -16, 9), (42, 32, -12, 8), (14, 22, -20, 8), (24, 52, -14, 9)),
    "gyrus rectus": ((5, 36, -22, 7),),
    "medial prefrontal cortex": ((7, 52, 2, 9), (7, 54, 18, 9), (7, 48, 34, 9)),
    "superior frontal gyrus": ((18, 58, 10, 9), (20, 50, 28, 9), (20, 36, 44, 9), (20, 18, 56, 9), (20, 2, 64, 9)),
    "middle frontal gyrus": ((36, 50, 10, 9), (38, 38, 28, 9), (40, 22, 42, 9), (36, 8, 52, 8)),
    "inferior frontal gyrus": ((48, 32, 4, 8), (50, 22, 16, 8), (52, 12, 18, 8), (44, 44, -4, 8)),
    "precentral gyrus": ((40, -8, 54, 9), (50, -2, 38, 9), (56, 4, 22, 8), (28, -18, 66, 8)),
    "postcentral gyrus": ((44, -26, 54, 9), (56, -16, 38, 9), (60, -12, 20, 8), (26, -36, 66, 8)),
    "supplementary motor area": ((8, -2, 62, 9), (8, 12, 56, 8)),
    "paracentral lobule": ((8, -30, 64, 9),),
    "anterior cingulate gyrus": ((6, 38, 8, 8), (6, 30, 22, 7)),
    "middle cingulate gyrus": ((6, 8, 38, 7), (6, -8, 40, 7), (6, -24, 40, 7)),
    "posterior cingulate gyrus": ((6, -44, 24, 7),),
    "precuneus": ((8, -54, 44, 9), (8, -66, 38, 9), (8, -46, 58, 8), (10, -56, 20, 7)),
    "cuneus": ((8, -82, 26, 9), (12, -88, 16, 8)),
    "calcarine cortex": ((12, -72, 8, 8), (14, -88, 2, 8)),
    "lingual gyrus": ((14, -68, -4, 8), (16, -84, -8, 8), (18, -52, -2, 7)),
    "superior parietal lobule": ((26, -58, 60, 10), (22, -70, 50, 8)),
    "inferior parietal lobule": ((46, -44, 50, 9),),
    "angular gyrus": ((46, -60, 38, 9), (42, -68, 30, 8)),
    "supramarginal gyrus": ((58, -34, 34, 9), (60, -26, 24, 8)),
    "superior occipital gyrus": ((22, -84, 26, 8),),
    "middle occipital gyrus": ((36, -82, 14, 10), (40, -74, 2, 8)),
    "inferior occipital gyrus": ((36, -84, -8, 9),),
    "caudate nucleus": ((13, 14, 6, 6), (15, 2, 16, 5)),
    "putamen": ((26, 8, 0, 7), (28, -6, 2, 6)),
    "pallidum": ((20, -4, -1, 5),),
    "ventral striatum": ((10, 12, -8, 5),),
    "thalamus": ((9, -8, 8, 6), (12, -20, 8, 8), (17, -26, 4, 5)),
    "cerebellum": (
        (14, -52, -18, 8), (28, -54, -28, 9), (40, -60, -34, 10), (22, -72, -34, 12), (14, -56, -46, 11),
        (34, -50, -48, 9), (12, -78, -26, 8), (32, -74, -48, 9), (38, -74, -32, 9),
    ),
}  # fmt: skip

#: Structures on the midline.
MIDLINE: dict[str, tuple[Landmark, ...]] = {
    "cerebellar vermis": ((0, -56, -14, 6), (0, -66, -24, 6), (0, -58, -36, 6)),
    "brain stem": ((0, -24, -14, 8), (0, -26, -32, 12), (0, -38, -50, 9)),
}


def region_names() -> dict[int, str]:
    """Label → region name; right is odd, left even, the midline last."""
    names: dict[int, str] = {}
    for structure in PAIRED:
        for side in ("right", "left"):
            names[len(names) + 1] = f"{side} {structure}"
    for structure in MIDLINE:
        names[len(names) + 1] = structure
    return names


def parcellate(grid: Grid) -> np.ndarray:
    """Label every voxel of a volume grid in MNI millimetres.

    Parameters
    ----------
    grid : Grid
        Volume grid, affine to MNI152 RAS+ mm.

    Returns
    -------
    numpy.ndarray, int32, shape ``grid.shape``
        Labels of `region_names`, 0 where no landmark is near.
    """
    tree, labels, radii = _landmarks()
    indices = np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij"), axis=-1).reshape(-1, 3)
    points = indices @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    # power distance as plain distance: one more coordinate, sqrt(R² - r²) at a landmark and 0 at a voxel
    _, nearest = tree.query(np.column_stack([points, np.zeros(len(points))]))
    found = labels[nearest]
    distance = np.linalg.norm(points - tree.data[nearest, :3], axis=1)
    found[distance > radii[nearest] + REACH_MM] = 0
    return found.reshape(grid.shape)


@lru_cache(maxsize=1)
def _landmarks() -> tuple[cKDTree, np.ndarray, np.ndarray]:
    numbers = {name: label for label, name in region_names().items()}
    rows = [(numbers[f"right {name}"], *point) for name, points in PAIRED.items() for point in points]
    rows += [
        (numbers[f"left {name}"], -x, y, z, radius) for name, points in PAIRED.items() for x, y, z, radius in points
    ]
    rows += [(numbers[name], *point) for name, points in MIDLINE.items() for point in points]
    table = np.array(rows, dtype=np.float64)
    radii = table[:, 4]
    lifted = np.column_stack([table[:, 1:4], np.sqrt(radii.max() ** 2 - radii**2)])
    return cKDTree(lifted), table[:, 0].astype(np.int32), radii

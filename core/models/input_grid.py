"""Where in space a network looks at a scan: the grid that its input contract asks for."""

import numpy as np

from core.errors import BadInput
from core.models.card import InputContract
from core.models.channels import fed_channels
from core.scans.grid import Grid, check_growth
from core.scans.scan import Scan

PLANE_AXIS = {"sagittal": 0, "coronal": 1, "axial": 2}
#: Pixels whose sides differ by no more than this share count as square: rounded spacings are no reason to resample.
SQUARE = 0.01


def input_grid(scan: Scan, contract: InputContract) -> tuple[Grid, str | None]:
    """Where in space a network with `contract` looks at `scan`, without sampling it.

    Returns
    -------
    grid : Grid
        Grid of the tensor; a volume one plane thick for a 2D model on a volume.
    plane : str or None
        The plane that a 2D model takes from a volume.

    Raises
    ------
    BadInput
        When no resampling can make the scan fit: an image for a 3D network, wrong number of channels, too many samples.
    """
    if scan.dimensions == 2 and contract.dimensions == 3:
        raise BadInput("This model reads volumes and the scan is a single image: choose a 2D model or a 3D scan.")
    fed_channels(scan, contract.channels)
    plane = contract.plane if scan.dimensions == 3 and contract.dimensions == 2 else None
    if scan.dimensions == 3 and contract.dimensions == 2 and plane is None:
        if 1 not in scan.shape:
            raise BadInput("This model reads images and its card names no plane of a volume: hang a 2D image.")
        plane = ("sagittal", "coronal", "axial")[scan.shape.index(1)]
    grid = _target_grid(scan, contract, plane)
    check_growth(scan.grid, grid)
    return grid, plane


def _target_grid(scan: Scan, contract: InputContract, plane: str | None) -> Grid:
    if contract.affine is not None and scan.dimensions == 3 and (contract.dimensions == 3 or contract.plane):
        return contract_grid(contract)
    if scan.dimensions == 3:
        return _scan_centred_grid(scan, contract, plane)
    return _image_grid(scan, contract)


def _image_grid(scan: Scan, contract: InputContract) -> Grid:
    """Grid of an image as the model samples it: its own, or scaled to fit a fixed shape and centred, aspect kept."""
    own, sides = np.asarray(scan.spacing_mm), _pixel_sides(scan, contract)
    affine = scan.affine.copy()
    if contract.shape is None:
        # pixels of another shape are made no coarser than the scan's along either side
        spacing = sides * np.min(own / sides)
        steps = spacing / own
        shape = np.maximum(np.round(scan.shape / steps), 1).astype(int)
        # both cover the same field of view: the first sample's centre moves by half the difference of steps
        affine[:3, 3] += affine[:3, :2] @ ((steps - 1) / 2)
        affine[:3, :2] *= steps
        return Grid(tuple(int(-(-n // contract.multiple_of) * contract.multiple_of) for n in shape), affine)
    affine[:3, :2] *= sides / own * np.max(np.multiply(scan.shape, own) / np.multiply(contract.shape, sides))
    centre_scan = np.array([(n - 1) / 2 for n in scan.shape])
    centre_model = np.array([(m - 1) / 2 for m in contract.shape])
    affine[:3, 3] = scan.affine[:3, :2] @ centre_scan + scan.affine[:3, 3] - affine[:3, :2] @ centre_model
    return Grid(contract.shape, affine)


def _pixel_sides(scan: Scan, contract: InputContract) -> np.ndarray:
    """Height and width of the model's pixels, of which only the ratio counts, float64, shape (2,).

    A picture without millimetres whose pixels are square is made of the model's pixels, whatever shape these have.
    Other pixels are brought to the shape that the contract gives, square without one: a network saw round things round.
    """
    own = np.asarray(scan.spacing_mm)
    if not scan.in_millimetres and own[0] == own[1]:
        return own
    wanted = np.asarray(contract.spacing_mm or (1.0, 1.0))
    return own if abs(own[0] * wanted[1] / (own[1] * wanted[0]) - 1) <= SQUARE else wanted


def contract_grid(contract: InputContract) -> Grid:
    """The volume grid that a contract with ``affine`` fixes in space; one plane thick for a 2D model."""
    affine = np.asarray(contract.affine, dtype=np.float64)
    shape = contract.shape or ()
    if contract.dimensions == 2 and contract.plane is not None:
        return _plane_grid(list(shape), affine, contract.plane, contract.position_mm)
    return Grid(tuple(shape), affine)


def _plane_grid(shape: list[int], affine: np.ndarray, plane: str, position_mm: float | None) -> Grid:
    """One plane of the fixed grid; a 2D contract's `shape` is (rows, columns) of the image it makes."""
    axis = PLANE_AXIS[plane]
    rows, columns = shape
    volume = {"axial": [columns, rows, 1], "sagittal": [1, columns, rows]}.get(plane, [columns, 1, rows])
    moved = affine.copy()
    if position_mm is not None:
        moved[axis, 3] = position_mm
    return Grid(tuple(volume), moved)


def _scan_centred_grid(scan: Scan, contract: InputContract, plane: str | None) -> Grid:
    volume_spacing = np.asarray(scan.spacing_mm, dtype=np.float64)
    extent = np.asarray(scan.shape) * volume_spacing
    kept = [axis for axis in range(3) if plane is None or axis != PLANE_AXIS[plane]]
    # a 2D contract speaks of (rows, columns): the reverse of the volume's axes
    turn = slice(None) if plane is None else slice(None, None, -1)
    if contract.spacing_mm is not None:
        volume_spacing[kept] = contract.spacing_mm[turn]
    elif plane is not None:
        volume_spacing[kept] = _plane_spacing(volume_spacing[kept], extent[kept], contract)
    shape = np.maximum(np.round(extent / volume_spacing), 1).astype(int)
    if contract.shape is not None:
        shape[kept] = contract.shape[turn]
    elif contract.multiple_of > 1:
        shape[kept] = -(-shape[kept] // contract.multiple_of) * contract.multiple_of
    if plane is not None:
        shape[PLANE_AXIS[plane]] = 1
    directions = scan.affine[:3, :3] / np.asarray(scan.spacing_mm)
    affine = np.eye(4)
    affine[:3, :3] = directions * volume_spacing
    centre = scan.affine[:3, :3] @ ((np.asarray(scan.shape) - 1) / 2) + scan.affine[:3, 3]
    if plane is not None and contract.position_mm is not None:
        centre[PLANE_AXIS[plane]] = contract.position_mm
    affine[:3, 3] = centre - affine[:3, :3] @ ((shape - 1) / 2)
    return Grid(tuple(int(n) for n in shape), affine)


def _plane_spacing(spacing: np.ndarray, extent: np.ndarray, contract: InputContract) -> np.ndarray:
    """Spacing of a plane whose contract gives none: as for an image, square, and scaled to fit a fixed shape."""
    if spacing.max() > spacing.min() * (1 + SQUARE):
        spacing = np.full(2, spacing.min())
    return spacing if contract.shape is None else spacing * np.max(extent / spacing / contract.shape[::-1])

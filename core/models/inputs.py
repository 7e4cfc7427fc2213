"""Meeting a model's input contract: from a Scan to the tensor a network takes, and maps back."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from core.errors import BadInput
from core.models.card import InputContract
from core.models.carrying import changed
from core.models.channels import describe_channels, fed_channels
from core.models.input_grid import PLANE_AXIS, SQUARE, input_grid
from core.models.intensities import FULL_SCALE, meet_intensity
from core.scans.grid import Grid, resample
from core.scans.scan import Scan
from core.wording import percent


@dataclass(frozen=True, eq=False)
class PreparedInput:
    """A scan as the network sees it.

    Parameters
    ----------
    tensor : torch.Tensor, float32, shape (1, C, *spatial)
        What the network takes. 2D models get an image, first row on top.
    grid : Grid
        Grid of the tensor before a slice was turned into an image (a volume with one plane for 2D models on 3D scans).
    scan : Scan
        Where it came from.
    plane : str, optional
        For a 2D model on a volume: the plane that was taken.
    notes, warnings : tuple of str
        What was done to meet the contract ("resampled 1.5 → 3 mm"); what does not fit it.
    gain : float
        How much the tensor changes for one unit of the scan (before clipping, where the contract clips).
    picture_spacing_mm : tuple of float, optional
        What the contract says a pixel measures, for an image scaled to the model's size or without millimetres.
    """

    tensor: torch.Tensor
    grid: Grid
    scan: Scan
    plane: str | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    gain: float = 1.0
    picture_spacing_mm: tuple[float, ...] | None = None

    @property
    def spacing_mm(self) -> tuple[float, ...]:
        """Millimetres between neighbouring samples along each spatial axis of the tensor."""
        if self.picture_spacing_mm is not None:
            return self.picture_spacing_mm
        spacing = self.grid.spacing_mm
        if self.plane is None:
            return spacing
        return tuple(s for axis, s in enumerate(spacing) if axis != PLANE_AXIS[self.plane])[::-1]

    @property
    def in_millimetres(self) -> bool:
        """Whether `spacing_mm` is known: a picture whose pixels have no size in space is measured in its own pixels."""
        return self.scan.in_millimetres or self.picture_spacing_mm is not None

    def to_scan(self, values: np.ndarray, order: int = 1, fill: float = 0.0) -> np.ndarray:
        """Map in model space (spatial shape of the tensor) → array of the scan's spatial shape, float32.

        `fill` is the map's neutral value, used outside the model's field of view (1 for a mask, 0 for an attribution).
        """
        if self.plane is not None:
            values = image_to_plane(values, self.plane)
            return _spread_plane(values, self.grid, self.scan.grid, PLANE_AXIS[self.plane], order, fill)
        return resample(values, self.grid, self.scan.grid, order=order, fill=fill).astype(np.float32, copy=False)

    def on_output(self, shape: tuple[int, ...]) -> "PreparedInput":
        """The same scan on the grid of an answer: `to_scan` and `to_model` then move arrays of the output side.

        Parameters
        ----------
        shape : tuple of int
            Spatial shape of the network's answer, which covers the field of view of its input. One that is no whole
            multiple or fraction of the input's may come from a network that crops: that is warned of.
        """
        if shape == tuple(self.tensor.shape[2:]):
            return self
        kept = [axis for axis in range(len(self.grid.shape)) if self.plane is None or axis != PLANE_AXIS[self.plane]]
        turned = shape if self.plane is None else shape[::-1]
        if len(turned) != len(kept):
            raise BadInput(f"The model answers with shape {shape}, which is no image of its input: it cannot be shown.")
        sizes, affine = list(self.grid.shape), self.grid.affine.copy()
        for axis, size in zip(kept, turned, strict=True):
            step = self.grid.shape[axis] / size
            affine[:3, axis] = self.grid.affine[:3, axis] * step
            # both grids cover the same field of view: the first sample's centre moves by half the difference of steps
            affine[:3, 3] += self.grid.affine[:3, axis] * (step - 1) / 2
            sizes[axis] = size
        spacing = self.picture_spacing_mm
        if spacing is not None:
            spacing = tuple(s * n / m for s, n, m in zip(spacing, self.tensor.shape[2:], shape, strict=True))
        warnings = (*self.warnings, *_cropping_warnings(tuple(self.tensor.shape[2:]), shape))
        return replace(self, grid=Grid(tuple(sizes), affine), picture_spacing_mm=spacing, warnings=warnings)

    def changed_scan(self, image: np.ndarray) -> np.ndarray:
        """First channel of the scan with the change that `image` makes to the network's input, float32.

        Only the change is carried over, so that the scan read again has it (see `core.models.carrying`): where an
        explainer changed nothing, the scan is as it is.

        Parameters
        ----------
        image : numpy.ndarray
            First channel of the changed input, the tensor's spatial shape and units.
        """
        return changed(self, fed_channels(self.scan, self.tensor.shape[1])[0], image)

    def to_model(self, values: np.ndarray, order: int = 0) -> np.ndarray:
        """Array of the scan's spatial shape (a region) → model space, the spatial shape of the tensor."""
        on_grid = resample(values, self.scan.grid, self.grid, order=order)
        return plane_to_image(on_grid, self.plane) if self.plane is not None else on_grid

    def region_to_model(self, region: np.ndarray) -> np.ndarray:
        """Region of the scan's spatial shape, bool → model space: each sample as the scan's nearest one is marked.

        A region so fine that it falls between the model's samples marks those that lie nearest to it.
        """
        marked = self.to_model(region.astype(np.uint8)).astype(bool)
        if marked.any() or not region.any():
            return marked
        to_grid = np.linalg.inv(self.grid.affine) @ self.scan.affine
        index = np.zeros((int(region.sum()), 4))
        index[:, 3] = 1
        index[:, : region.ndim] = np.argwhere(region)
        nearest = np.rint(index @ to_grid.T)[:, : len(self.grid.shape)].astype(int)
        inside = nearest[((nearest >= 0) & (nearest < np.array(self.grid.shape))).all(axis=1)]
        found = np.zeros(self.grid.shape, dtype=bool)
        found[tuple(inside.T)] = True
        return plane_to_image(found, self.plane) if self.plane is not None else found


def prepare(scan: Scan, contract: InputContract, device: torch.device | str = "cpu") -> PreparedInput:
    """Turn `scan` into what a network with `contract` takes.

    Raises
    ------
    BadInput
        When no resampling can make the scan fit: an image for a 3D network, wrong number of channels, no overlap.
    """
    grid, plane = input_grid(scan, contract)
    notes = list(_describe_resampling(scan.grid, grid, plane))
    warnings = list(_field_of_view_warnings(scan.grid, grid))
    values = fed_channels(scan, contract.channels)
    notes += describe_channels(scan, contract.channels)
    intensities = meet_intensity(replace(scan, array=values, colours=None), contract.intensity)
    # around the scan is air: the lowest value, which is not always 0
    fill = (contract.intensity.low - intensities.offset) / intensities.gain
    channels = np.stack([resample(channel, scan.grid, grid, fill=fill) for channel in values])
    if plane is not None:
        channels = np.stack([plane_to_image(channel, plane) for channel in channels])
    channels = channels * np.float32(intensities.gain) + np.float32(intensities.offset)
    if contract.intensity.rescale == "minmax":
        channels = np.clip(channels, contract.intensity.low, contract.intensity.high)
    tensor = torch.from_numpy(np.ascontiguousarray(channels, dtype=np.float32))[None].to(device)
    return PreparedInput(
        tensor,
        grid,
        scan,
        plane,
        notes=(*notes, *intensities.notes),
        warnings=(*warnings, *intensities.warnings),
        gain=intensities.gain,
        picture_spacing_mm=contract.spacing_mm if _has_no_size_of_its_own(scan, contract) else None,
    )


def _has_no_size_of_its_own(scan: Scan, contract: InputContract) -> bool:
    """Whether a pixel measures what the contract says: an image scaled to a shape, or a picture without millimetres."""
    return scan.dimensions == 2 and (contract.shape is not None or scan.units in FULL_SCALE)


def plane_to_image(volume: np.ndarray, plane: str) -> np.ndarray:
    """One-plane volume (RAS+) → image as hung: superior (or anterior) on top, patient's right on the left."""
    flat = volume.squeeze(axis=PLANE_AXIS[plane])
    return np.ascontiguousarray(flat.T[::-1, ::-1])


def image_to_plane(image: np.ndarray, plane: str) -> np.ndarray:
    """Image as hung → one-plane volume (RAS+): undoes `plane_to_image`."""
    return np.expand_dims(np.ascontiguousarray(image[::-1, ::-1].T), PLANE_AXIS[plane])


def _spread_plane(values: np.ndarray, grid: Grid, target: Grid, axis: int, order: int, fill: float) -> np.ndarray:
    """Put a one-plane map into the scan's volume: on the slices it covers or runs through, elsewhere `fill`.

    A scan with slices thicker than the plane gets the map on the slice that holds the plane.
    """
    shape = list(grid.shape)
    shape[axis] = 3
    affine = grid.affine.copy()
    # no step between neighbouring voxels of the scan crosses more than this along the plane's axis
    thickest = float(np.abs(target.affine[axis, :3]).max())
    affine[:3, axis] *= max(1.0, thickest / grid.spacing_mm[axis])
    affine[:3, 3] -= affine[:3, axis]
    thick = np.repeat(values, 3, axis=axis)
    spread = resample(thick, Grid(tuple(shape), affine), target, order=order, fill=fill)
    edges = np.full(shape, 0, dtype=np.uint8)
    edges[tuple(slice(1, 2) if a == axis else slice(None) for a in range(3))] = 1
    inside = resample(edges, Grid(tuple(shape), affine), target, order=0)
    if not inside.any():
        raise BadInput("The plane this model reads lies outside the scan.")
    return np.where(inside > 0, spread, np.float32(fill)).astype(np.float32)


def _cropping_warnings(seen: tuple[int, ...], made: tuple[int, ...]) -> tuple[str, ...]:
    """An answer a little smaller or larger than the input is hardly a change of resolution."""
    if all(max(n, m) % min(n, m) == 0 for n, m in zip(seen, made, strict=True)):
        return ()
    return (
        f"the model answers with {_times(made)} to an input of {_times(seen)}, read as the same field of view: "
        "if the network crops, what lies over the scan is shifted and stretched",
    )


def _describe_resampling(source: Grid, target: Grid, plane: str | None) -> list[str]:
    notes = []
    if plane is not None:
        axis = PLANE_AXIS[plane]
        notes.append(f"{plane} slice at {target.affine[axis, 3]:.0f} mm taken from the volume")
    before, after = source.spacing_mm, target.spacing_mm
    if len(source.shape) == 2:
        # a picture has no millimetres to speak of: pixels are what a person knows
        shapes = f"{_times(source.shape)} → {_times(target.shape)} pixels"
        # it is scaled to fit, then padded; half a pixel more is rounding
        more = np.subtract(target.shape, np.multiply(source.shape, before) / after)
        changes = {"scaled": not np.allclose(before, after), "padded": more.max() > 0.5}
        done = " and ".join(name for name, happened in changes.items() if happened)
        return [*([] if source.shape == target.shape else [f"image {done} {shapes}"]), *_describe_shape(before, after)]
    if not np.allclose(before, after, atol=0.01):
        notes.append(f"resampled {_millimetres(before)} → {_millimetres(after)} mm")
    if plane is None and source.shape != target.shape and not notes:
        notes.append(f"cropped or padded {_times(source.shape)} → {_times(target.shape)}")
    return notes


def _describe_shape(before: tuple[float, ...], after: tuple[float, ...]) -> list[str]:
    """What became of pixels that were not as high as wide, or are not so for the model."""
    height, width = before[0] / before[1], after[0] / after[1]
    if abs(height / width - 1) <= SQUARE:
        return []
    made = "square" if abs(width - 1) <= SQUARE else f"{width:.3g} times as high"
    return [f"pixels {height:.3g} times as high as wide made {made}"]


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def _millimetres(spacing: tuple[float, ...]) -> str:
    rounded = [f"{s:.3g}" for s in spacing]
    return rounded[0] if len(set(rounded)) == 1 else "×".join(rounded)


def _field_of_view_warnings(source: Grid, target: Grid) -> list[str]:
    """How much of the model's field of view the scan covers."""
    inside = resample(np.ones(source.shape, np.uint8), source, target, order=0)
    share = float(inside.mean())
    if share == 0 and len(source.shape) == 2:
        raise BadInput(
            f"The picture is {_times(source.shape)} pixels, so small or narrow that nothing of it falls on the "
            f"{_times(target.shape)} that the model reads: give a larger part of it."
        )
    if share == 0:
        raise BadInput(
            "The scan and the model's grid do not overlap in space: bring the scan into the model's space (MNI) first."
        )
    return [f"the scan covers only {percent(share)} of what the model looks at"] if share < 0.6 else []

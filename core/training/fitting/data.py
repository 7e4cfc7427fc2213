"""From a cohort to tensors on one grid, met exactly as the finished model will meet a scan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from core.cohorts.cohort import SPLITS, Cohort, Entry
from core.errors import BadInput
from core.models.card import InputContract, Intensity
from core.models.inputs import prepare
from core.phantoms.grey_matter.generator import mni_grid, template_scan
from core.progress import Progress, Report, part_of
from core.scans.scan import Scan


@dataclass(frozen=True, eq=False)
class Images:
    """Scans of one split.

    Parameters
    ----------
    tensor : torch.Tensor, float32, shape (N, C, *spatial)
        On the model's grid, in the scans' own units.
    labels : torch.Tensor, int64, shape (N,)
        Index into the classes.
    entries : tuple of Entry
        Who they are.
    """

    tensor: torch.Tensor
    labels: torch.Tensor
    entries: tuple[Entry, ...]

    def __len__(self) -> int:
        return len(self.entries)


@dataclass(frozen=True, eq=False)
class TrainingImages:
    """What a network was trained on and what was held out, as it is fed: of them `core.acceptance` keeps statistics.

    Parameters
    ----------
    train : torch.Tensor, float32, shape (N, C, *spatial)
        Training scans.
    held_out : torch.Tensor, float32, shape (M, C, *spatial), optional
        Scans that no weight was learnt from.
    labels : torch.Tensor, int64, shape (N,), optional
        Classes of the training scans.
    """

    train: torch.Tensor
    held_out: torch.Tensor | None = None
    labels: torch.Tensor | None = None

    @classmethod
    def of(cls, parts: Mapping[str, Images]) -> "TrainingImages":
        """Those of every split."""
        held_out = [part.tensor for split, part in parts.items() if split != "train"]
        return cls(parts["train"].tensor, torch.cat(held_out) if held_out else None, parts["train"].labels)


def input_contract(
    example: Scan,
    spacing_mm: float,
    plane: str | None,
    position_mm: float | None,
    modality: str | None,
    space: str = "MNI152",
) -> InputContract:
    """What a network trained on scans like `example` is fed.

    Volumes go to the MNI box at `spacing_mm`, or stay on the example's own grid when `spacing_mm` is 0. With `plane`
    the network reads that slice of them. Images keep the example's size. `space` says where that grid lies.

    Raises
    ------
    BadInput
        For a plane of volumes without a position.
    """
    if plane is not None and position_mm is None and example.dimensions == 3:
        raise BadInput(f"Say where the {plane} slice lies: --param position_mm=MILLIMETRES.")
    intensity = Intensity(low=0, high=1, units=example.units or "")
    if example.dimensions == 2:
        return InputContract(
            dimensions=2, channels=example.channels, shape=example.shape, intensity=intensity, modality=modality
        )
    grid = mni_grid(spacing_mm) if spacing_mm else example.grid
    affine = tuple(tuple(float(v) for v in row) for row in grid.affine)
    shape: tuple[int, ...] = grid.shape
    spacing: tuple[float, ...] = grid.spacing_mm
    if plane is not None:
        columns, rows = [axis for axis in range(3) if axis != _PLANES.index(plane)]
        shape, spacing = (shape[rows], shape[columns]), (spacing[rows], spacing[columns])
    return InputContract(
        dimensions=len(shape),
        channels=example.channels,
        shape=shape,
        spacing_mm=spacing,
        affine=affine,
        space=space,
        plane=plane,
        position_mm=position_mm if plane is not None else None,
        intensity=intensity,
        modality=modality,
    )


_PLANES = ("sagittal", "coronal", "axial")


def load_images(
    cohort: Cohort, entries: Sequence[Entry], classes: Sequence[str], contract: InputContract, report: Report
) -> Images:
    """Read, prepare and stack the scans of `entries`.

    Raises
    ------
    BadInput
        When a scan cannot meet the contract; names the subject.
    """
    tensors = []
    for number, entry in enumerate(entries):
        report(Progress(number / len(entries), f"reading {entry.participant_id} {entry.session_id}".rstrip()))
        scan = cohort.load(entry)
        try:
            tensors.append(prepare(scan, contract).tensor)
        except BadInput as error:
            raise BadInput(f"{entry.participant_id} {entry.session_id}".rstrip() + f": {error}") from error
    labels = torch.tensor([classes.index(entry.label) for entry in entries])
    return Images(torch.cat(tensors), labels, tuple(entries))


def load_parts(cohort: Cohort, classes: Sequence[str], contract: InputContract, report: Report) -> dict[str, Images]:
    """`load_images` of every split that has scans, by its name."""
    parts: dict[str, Images] = {}
    done, total = 0, len(cohort.entries)
    for split in SPLITS:
        entries = cohort.part(split)
        if entries:
            stage = part_of(report, done / total, (done + len(entries)) / total)
            parts[split] = load_images(cohort, entries, classes, contract, stage)
            done += len(entries)
    return parts


def value_range(images: torch.Tensor) -> tuple[float, float]:
    """Lowest and highest value of the training range: 0 and 1 for probabilities, else the 0.1 and 99.9 percentiles.

    Raises
    ------
    BadInput
        When all values are the same.
    """
    low, high = float(images.min()), float(images.max())
    if low >= 0 and 0.5 < high <= 1:
        return 0.0, 1.0
    sample = images.flatten()[:: max(images.numel() // 1_000_000, 1)].numpy()
    low, high = (float(v) for v in np.percentile(sample, (0.1, 99.9)))
    if high <= low:
        raise BadInput("The training scans have one value everywhere: check the files of the cohort.")
    return low, high


def healthy_mean(images: Images, healthy: int) -> torch.Tensor:
    """Mean of the healthy training scans, shape (C, *spatial)."""
    return images.tensor[images.labels == healthy].mean(dim=0)


def grey_matter_support(contract: InputContract) -> np.ndarray:
    """Where the MNI grey-matter template exceeds 0.2 on the model's grid, bool, spatial shape."""
    open_contract = contract.model_copy(update={"intensity": Intensity(low=0, high=1)})
    return prepare(template_scan(), open_contract).tensor[0, 0].numpy() > 0.2


def planted_on_grid(cohort: Cohort, contract: InputContract) -> np.ndarray | None:
    """Labels of the planted regions on the model's grid (nearest neighbour), None without ground truth."""
    if cohort.truth is None:
        return None
    labels = cohort.truth.labels
    return prepare(labels, contract).to_model(labels.array[0], order=0)

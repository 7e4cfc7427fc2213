"""Phantoms as a cohort: made when asked for, or written as a folder with the ground truth beside the scans."""

from pathlib import Path

import numpy as np

from core.cohorts.cohort import Cohort, Entry, Truth
from core.cohorts.reading import read_cohort
from core.phantoms.grey_matter.generator import (
    PLANTED_REGIONS,
    PhantomParameters,
    mni_grid,
    phantom_scan,
    plan,
    planted_labels,
)
from core.progress import Progress, Report, silent
from core.scans.grid import Grid
from core.scans.scan import Scan
from core.tables import write_table


def phantom_cohort(parameters: PhantomParameters) -> Cohort:
    """The cohort without a folder: scans are made when they are asked for."""
    sessions = {(session.participant_id, session.session_id): session for session in plan(parameters)}
    entries = tuple(
        Entry(
            participant_id=session.participant_id,
            session_id=session.session_id,
            label=session.diagnosis,
            split=session.split,
            pair=session.pair,
            details={
                "age": f"{session.age:.1f}",
                "years_of_disease": f"{session.years_of_disease:.1f}",
                "atrophy": f"{session.atrophy:.3f}",
            },
        )
        for session in sessions.values()
    )

    def load(entry: Entry) -> Scan:
        return phantom_scan(sessions[entry.participant_id, entry.session_id], parameters)

    return Cohort("phantoms", entries, load, _truth(mni_grid(parameters.spacing_mm)))


def write_phantom_cohort(parameters: PhantomParameters, folder: Path, report: Report = silent) -> Cohort:
    """Write the cohort as a folder: ``participants.tsv``, one NIfTI a session, the ground truth, ``phantoms.json``.

    Returns
    -------
    Cohort
        The folder, read back.
    """
    cohort = phantom_cohort(parameters)
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, entry in enumerate(cohort.entries):
        report(Progress(number / len(cohort.entries), f"making {entry.participant_id} {entry.session_id}"))
        file = Path(entry.participant_id) / entry.session_id / f"{entry.participant_id}_{entry.session_id}_gm.nii.gz"
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        write_grey_matter(cohort.load(entry), folder / file)
        rows.append(
            {
                "participant_id": entry.participant_id,
                "session_id": entry.session_id,
                "diagnosis": entry.label,
                **entry.details,
                "split": entry.split,
                "pair": entry.pair,
                "file": file.as_posix(),
            }
        )
    write_table(folder / "participants.tsv", rows)
    write_truth(mni_grid(parameters.spacing_mm), folder)
    (folder / "phantoms.json").write_text(parameters.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return read_cohort(folder)


def write_grey_matter(scan: Scan, path: Path) -> None:
    """Write a 0..1 map as NIfTI with 256 grey levels (steps of 1/255, an eighth of the file)."""
    import nibabel

    image = nibabel.Nifti1Image(scan.array[0], scan.affine)
    image.header.set_data_dtype(np.uint8)
    image.header["descrip"] = b"Synthetic phantom, not a person"
    nibabel.save(image, path)


def write_truth(grid: Grid, folder: Path) -> None:
    """Write ``planted_regions.nii.gz`` (labels) and ``planted_regions.tsv`` (index, name, cm³)."""
    import nibabel

    labels = planted_labels(grid)
    nibabel.save(nibabel.Nifti1Image(labels, grid.affine), folder / "planted_regions.nii.gz")
    voxel_cm3 = float(np.prod(grid.spacing_mm)) / 1000
    rows = [
        {"index": str(k), "name": region.name, "volume_cm3": f"{np.sum(labels == k) * voxel_cm3:.2f}"}
        for k, region in enumerate(PLANTED_REGIONS, start=1)
    ]
    write_table(folder / "planted_regions.tsv", rows)


def _truth(grid: Grid) -> Truth:
    labels = Scan(planted_labels(grid)[None].astype(np.float32), grid.affine, units="label")
    return Truth(labels, tuple(region.name for region in PLANTED_REGIONS))

"""Phantoms as a cohort: made when asked for, or written as a folder with the ground truth beside the scans."""

from pathlib import Path

import numpy as np
import yaml

from core.cohorts.cohort import Cohort, Entry, Truth
from core.cohorts.reading import read_cohort
from core.files import write_json
from core.phantoms.grey_matter.generator import (
    DISEASED,
    HEALTHY,
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

_TITLE = "Synthetic grey matter"
_DESCRIPTION = "Grey-matter maps with planted atrophy of people who never lived, made by a program."
#: The template is nilearn's, ICBM 2009a symmetric.
_IMAGE = "space-MNI152NLin2009aSym_label-GM_probseg"
#: An empty cell, as BIDS has it.
_MISSING = "n/a"


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
    """Write the cohort as a BIDS dataset of derivatives, the ground truth and ``phantoms.json`` beside them.

    Returns
    -------
    Cohort
        The folder, read back.
    """
    cohort = phantom_cohort(parameters)
    folder.mkdir(parents=True, exist_ok=True)
    sessions: dict[str, list[dict[str, str]]] = {}
    for number, entry in enumerate(cohort.entries):
        report(Progress(number / len(cohort.entries), f"making {entry.participant_id} {entry.session_id}"))
        place = folder / entry.participant_id / entry.session_id / "anat"
        place.mkdir(parents=True, exist_ok=True)
        write_grey_matter(cohort.load(entry), place / f"{entry.participant_id}_{entry.session_id}_{_IMAGE}.nii.gz")
        sessions.setdefault(entry.participant_id, []).append({"session_id": entry.session_id, **entry.details})
    for participant, rows in sessions.items():
        write_table(folder / participant / f"{participant}_sessions.tsv", rows)
    participants = {
        entry.participant_id: {
            "participant_id": entry.participant_id,
            "diagnosis": entry.label,
            "split": entry.split or _MISSING,
            "pair": entry.pair or _MISSING,
        }
        for entry in cohort.entries
    }
    write_table(folder / "participants.tsv", list(participants.values()))
    write_truth(mni_grid(parameters.spacing_mm), folder)
    (folder / "phantoms.json").write_text(parameters.model_dump_json(indent=2) + "\n", encoding="utf-8")
    _write_description(folder)
    return read_cohort(folder)


def _write_description(folder: Path) -> None:
    """Write what BIDS asks of a dataset to say of itself, and which files here are none of its."""
    description = {
        "Name": _TITLE,
        "BIDSVersion": "1.10.0",
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "Lightbox", "Description": _DESCRIPTION}],
    }
    columns = {
        "diagnosis": {
            "Description": "Class",
            "Levels": {HEALTHY: "nothing was planted", DISEASED: "atrophy was planted"},
        },
        "split": {"Description": "Part of the cohort: train, validation or test"},
        "pair": {"Description": "Subjects of one pair differ in the disease and nothing else"},
    }
    card = {"title": _TITLE, "description": _DESCRIPTION, "synthetic": True}
    write_json(folder / "dataset_description.json", description)
    write_json(folder / "participants.json", columns)
    (folder / "cohort.yaml").write_text(yaml.safe_dump(card, sort_keys=False, width=120), encoding="utf-8")
    others = ("cohort.yaml", "phantoms.json", "planted_regions.*")
    (folder / ".bidsignore").write_text("".join(f"{name}\n" for name in others), encoding="utf-8")


def write_grey_matter(scan: Scan, path: Path) -> None:
    """Write a 0..1 map in MNI space as NIfTI with 256 grey levels (steps of 1/255, an eighth of the file)."""
    import nibabel

    image = nibabel.Nifti1Image(scan.array[0], scan.affine)
    image.set_sform(scan.affine, code="mni")
    image.set_qform(scan.affine, code="mni")
    image.header.set_data_dtype(np.uint8)
    image.header["descrip"] = b"Synthetic phantom, not a person"
    nibabel.save(image, path)


def write_truth(grid: Grid, folder: Path) -> None:
    """Write ``planted_regions.nii.gz`` (labels) and ``planted_regions.tsv`` (index, name, cm³)."""
    import nibabel

    labels = planted_labels(grid)
    image = nibabel.Nifti1Image(labels, grid.affine)
    image.set_sform(grid.affine, code="mni")
    image.set_qform(grid.affine, code="mni")
    image.header.set_intent("label", name="planted regions")
    nibabel.save(image, folder / "planted_regions.nii.gz")
    voxel_cm3 = float(np.prod(grid.spacing_mm)) / 1000
    rows = [
        {"index": str(k), "name": region.name, "volume_cm3": f"{np.sum(labels == k) * voxel_cm3:.2f}"}
        for k, region in enumerate(PLANTED_REGIONS, start=1)
    ]
    write_table(folder / "planted_regions.tsv", rows)


def _truth(grid: Grid) -> Truth:
    labels = Scan(planted_labels(grid)[None].astype(np.float32), grid.affine, units="label")
    return Truth(labels, tuple(region.name for region in PLANTED_REGIONS))

"""Phantoms as a cohort, in memory and as a folder."""

import csv
import json
import re
from fnmatch import fnmatch
from pathlib import Path

import nibabel
import numpy as np

from core.cohorts.reading import read_cohort
from core.phantoms.grey_matter.cohort import phantom_cohort, write_phantom_cohort
from core.phantoms.grey_matter.generator import PLANTED_REGIONS, PhantomParameters, mni_grid, planted_labels

SMALL = PhantomParameters(spacing_mm=6.0, twins=3, singles=1, sessions=2)


def test_a_written_cohort_reads_back_as_the_one_that_was_made(tmp_path: Path) -> None:
    parameters = SMALL
    made, read = phantom_cohort(parameters), write_phantom_cohort(parameters, tmp_path)
    assert [(e.participant_id, e.session_id, e.label, e.split, e.pair, e.details) for e in read.entries] == [
        (e.participant_id, e.session_id, e.label, e.split, e.pair, e.details) for e in made.entries
    ]
    entry = read.entries[3]
    np.testing.assert_allclose(read.load(entry).array, made.load(made.entries[3]).array, atol=0.5 / 255 + 1e-6)
    np.testing.assert_allclose(read.load(entry).affine, mni_grid(6.0).affine, atol=1e-4)
    assert read.truth is not None and read.truth.names == tuple(region.name for region in PLANTED_REGIONS)
    np.testing.assert_array_equal(read.truth.labels.array[0], planted_labels(mni_grid(6.0)))


def test_written_files_say_that_they_are_synthetic(tmp_path: Path) -> None:
    cohort = write_phantom_cohort(SMALL.model_copy(update={"twins": 1, "singles": 0, "sessions": 1}), tmp_path)
    header = nibabel.load(tmp_path / cohort.entries[0].file).header
    assert b"Synthetic phantom" in header["descrip"].item()
    assert PhantomParameters.model_validate_json((tmp_path / "phantoms.json").read_text()).twins == 1


def test_progress_is_told_for_every_scan(tmp_path: Path) -> None:
    fractions: list[float] = []
    write_phantom_cohort(SMALL, tmp_path, lambda progress: fractions.append(progress.fraction))
    assert len(fractions) == 16 and fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] < 1


#: A name of a derivative as the specification of BIDS 1.10 has it, for the entities and suffixes that occur here.
BIDS_NAME = re.compile(
    r"(?P<sub>sub-[0-9A-Za-z]+)/((?P<ses>ses-[0-9A-Za-z]+)/anat/(?P=sub)_(?P=ses)"
    r"_space-MNI152NLin2009aSym_label-GM_probseg\.nii\.gz|(?P=sub)_sessions\.tsv)"
)
AT_THE_TOP = {"dataset_description.json", "participants.tsv", "participants.json", ".bidsignore"}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_a_written_cohort_is_the_bids_dataset_that_it_says_it_is(tmp_path: Path) -> None:
    cohort = write_phantom_cohort(SMALL, tmp_path)
    ignored = (tmp_path / ".bidsignore").read_text().split()
    names = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    wrong = [
        name
        for name in names
        if name not in AT_THE_TOP
        and not BIDS_NAME.fullmatch(name)
        and not any(fnmatch(name, pattern) for pattern in ignored)
    ]
    assert wrong == []
    description = json.loads((tmp_path / "dataset_description.json").read_text())
    assert description["DatasetType"] == "derivative"
    assert {"Name", "BIDSVersion", "GeneratedBy"} <= set(description)
    people = table(tmp_path / "participants.tsv")
    assert [row["participant_id"] for row in people] == sorted({entry.participant_id for entry in cohort.entries})
    assert set(people[0]) - {"participant_id"} == set(json.loads((tmp_path / "participants.json").read_text()))
    for row in people:
        assert all(row.values())  # what is missing is n/a, not empty
        sessions = table(tmp_path / row["participant_id"] / f"{row['participant_id']}_sessions.tsv")
        assert [session["session_id"] for session in sessions] == ["ses-000", "ses-012"]
    assert {row["pair"] for row in people} > {"n/a"}


def test_written_images_say_which_space_they_are_in_and_labels_that_they_are_labels(tmp_path: Path) -> None:
    cohort = write_phantom_cohort(SMALL.model_copy(update={"twins": 1, "singles": 0, "sessions": 1}), tmp_path)
    for file in (cohort.entries[0].file, "planted_regions.nii.gz"):
        header = nibabel.load(tmp_path / file).header
        assert (int(header["sform_code"]), int(header["qform_code"])) == (4, 4)
    assert int(header["intent_code"]) == 1002
    assert cohort.synthetic and cohort.title == "Synthetic grey matter"


def test_a_cohort_that_an_earlier_version_wrote_is_read_as_before(tmp_path: Path) -> None:
    """One row a session, and the path of its scan in the table."""
    now = write_phantom_cohort(SMALL, tmp_path / "now")
    rows = ["participant_id\tsession_id\tdiagnosis\tage\tsplit\tpair\tfile"]
    for entry in now.entries:
        file = f"{entry.participant_id}/{entry.session_id}/{entry.participant_id}_{entry.session_id}_gm.nii.gz"
        (tmp_path / "then" / file).parent.mkdir(parents=True)
        (tmp_path / "then" / file).write_bytes((tmp_path / "now" / entry.file).read_bytes())
        cells = (entry.participant_id, entry.session_id, entry.label, "70.0", entry.split, entry.pair, file)
        rows.append("\t".join(cells))
    (tmp_path / "then" / "participants.tsv").write_text("\n".join(rows) + "\n")
    then = read_cohort(tmp_path / "then")
    assert [(e.participant_id, e.session_id, e.label, e.split, e.pair) for e in then.entries] == [
        (e.participant_id, e.session_id, e.label, e.split, e.pair) for e in now.entries
    ]
    assert then.notes == ()

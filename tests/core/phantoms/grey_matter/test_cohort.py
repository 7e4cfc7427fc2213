"""Phantoms as a cohort, in memory and as a folder."""

from pathlib import Path

import nibabel
import numpy as np

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

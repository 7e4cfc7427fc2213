"""Whatever headers say, sorting ends in series or in sentences, and the same headers always in the same."""

import tempfile
import warnings
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput
from core.scans import list_series
from tests.core.scans.dicom.making import write_shuffled
from tests.core.scans.making import AXIAL, slice_at

_PLACES = st.sampled_from([0.0, 1.0, 2.0, 3.0, 3.1, 1e-9, -1e-9, 50.0, 1e6, 1e15, 1e155, 1e300, -1e300])
_SLICES = st.fixed_dictionaries(
    {
        "position": st.tuples(_PLACES, _PLACES, _PLACES),
        "orientation": st.sampled_from([AXIAL, (0.0, 1.0, 0.0, 0.0, 0.0, -1.0), (1.0, 0.01, 0.0, 0.0, 1.0, 0.0)]),
        "SliceThickness": st.sampled_from([0.0, 1.0, 5.0, 1e-12, 1e300]),
        "SpacingBetweenSlices": st.sampled_from([0.0, 3.0, -3.0, 1e-12]),
        "InstanceNumber": st.sampled_from([1, 2, 3, -5, 2147483647]),
        "TemporalPositionIdentifier": st.sampled_from([None, 1, 2]),
        "EchoNumbers": st.sampled_from([None, 1, [1, 2]]),
        "DiffusionBValue": st.sampled_from([None, 0.0, 1000.0, float("nan"), float("inf")]),
        "AcquisitionNumber": st.sampled_from([None, 1, 2]),
        "ImageType": st.sampled_from([None, ["ORIGINAL", "PRIMARY", "M"], ["DERIVED", "SECONDARY", "P"], ["X"]]),
    }
)


def file_of(number, drawn):
    elements = dict(drawn)
    position, orientation = elements.pop("position"), elements.pop("orientation")
    data = slice_at([0, 0, 0], np.full((2, 2), number, np.int16), orientation)
    data.ImagePositionPatient = [f"{value:.9g}" for value in position]
    for keyword, value in elements.items():
        setattr(data, keyword, f"{value:.9g}" if keyword in ("SliceThickness", "SpacingBetweenSlices") else value)
    return data


@settings(max_examples=100, deadline=None)
@given(slices=st.lists(_SLICES, min_size=1, max_size=9), seeds=st.tuples(st.integers(0, 99), st.integers(0, 99)))
def test_any_headers_end_in_series_or_sentences_whatever_the_files_are_called(slices, seeds):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        files = [file_of(number, drawn) for number, drawn in enumerate(slices)]
        outcomes = []
        for seed in seeds:
            with tempfile.TemporaryDirectory() as folder:
                outcomes.append(outcome_of(write_shuffled(files, Path(folder), seed)))
    assert outcomes[0] == outcomes[1]


def outcome_of(folder):
    try:
        choices = list_series(folder)
    except BadInput as refused:
        return str(refused)
    found = []
    for choice in choices:
        try:
            scans = [choice.read(index) for index in range(choice.volumes)]
            found.append((choice.key, choice.shape, [scan.content_hash for scan in scans]))
        except BadInput as refused:
            found.append((choice.key, choice.problem, str(refused)))
    return found

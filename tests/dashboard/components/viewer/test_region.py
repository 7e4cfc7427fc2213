import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput
from dashboard.components.viewer.region import MAX_RUNS, decode_region, encode_region

SHAPE = [3, 4, 5]


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_what_is_encoded_comes_back_in_2d_and_3d(data):
    shape = data.draw(st.lists(st.integers(1, 6), min_size=2, max_size=3))
    bits = data.draw(st.lists(st.booleans(), min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
    region = np.array(bits).reshape(shape)
    back = decode_region(encode_region(region), shape)
    if not region.any():
        assert back is None
    else:
        np.testing.assert_array_equal(back, region)


def test_runs_count_along_the_first_axis_first():
    region = np.zeros(SHAPE, dtype=bool)
    region[1:3, 2, 4] = True
    assert encode_region(region) == {"shape": SHAPE, "runs": [1 + 2 * 3 + 4 * 12, 2]}


def test_a_single_asymmetric_voxel_lands_where_it_was():
    region = decode_region({"shape": SHAPE, "runs": [2 + 1 * 3 + 3 * 12, 1]}, SHAPE)
    assert np.argwhere(region).tolist() == [[2, 1, 3]]


def test_nothing_marked_is_none():
    assert decode_region(None, SHAPE) is None
    assert decode_region({"shape": SHAPE, "runs": []}, SHAPE) is None


@pytest.mark.parametrize(
    "payload",
    [
        "region",
        7,
        [],
        {},
        {"shape": SHAPE},
        {"shape": SHAPE, "runs": [0, 1], "more": 1},
        {"shape": [3, 4], "runs": [0, 1]},
        {"shape": [5, 4, 3], "runs": [0, 1]},
        {"shape": [3, 4, 5.0], "runs": [0, 1]},
        {"shape": [10**12] * 3, "runs": [0, 1]},
        {"shape": "345", "runs": [0, 1]},
        {"shape": SHAPE, "runs": "01"},
        {"shape": SHAPE, "runs": {"0": 1}},
        {"shape": SHAPE, "runs": [0]},
        {"shape": SHAPE, "runs": [0, 0]},
        {"shape": SHAPE, "runs": [-1, 2]},
        {"shape": SHAPE, "runs": [0, -1]},
        {"shape": SHAPE, "runs": [59, 2]},
        {"shape": SHAPE, "runs": [60, 1]},
        {"shape": SHAPE, "runs": [5, 3, 6, 1]},
        {"shape": SHAPE, "runs": [5, 1, 2, 1]},
        {"shape": SHAPE, "runs": [0, 2**70]},
        {"shape": SHAPE, "runs": [0, 2**61, 2**61, 2**61]},
        {"shape": SHAPE, "runs": [0.0, 1.0]},
        {"shape": SHAPE, "runs": [True, 1]},
        {"shape": SHAPE, "runs": [None, 1]},
        {"shape": SHAPE, "runs": [[0], [1]]},
        {"shape": SHAPE, "runs": [0, 1] * (MAX_RUNS + 1)},
    ],
)
def test_a_hostile_payload_is_refused_with_one_sentence(payload):
    with pytest.raises(BadInput) as refusal:
        decode_region(payload, SHAPE)
    assert str(refusal.value).endswith(".")
    assert "\n" not in str(refusal.value)


def test_a_region_may_be_ragged_up_to_a_bound():
    shape = [2 * MAX_RUNS + 2, 1]
    comb = [value for start in range(0, 2 * MAX_RUNS, 2) for value in (start, 1)]
    assert decode_region({"shape": shape, "runs": comb}, shape).sum() == MAX_RUNS
    with pytest.raises(BadInput, match="too ragged"):
        decode_region({"shape": shape, "runs": [*comb, 2 * MAX_RUNS, 1]}, shape)

"""A few damaged files of every kind; ``make fuzz`` tries as many as there is time for."""

import pytest

from tests.fuzz.targets import targets
from tests.fuzz.trying import attempt, case

TARGETS = targets()
CASES = 60

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("name", TARGETS)
def test_a_sound_file_is_read(name):
    for seed in TARGETS[name].seeds:
        assert attempt(TARGETS[name], seed).ending == "read"


@pytest.mark.parametrize("name", TARGETS)
def test_a_damaged_file_is_read_or_refused_in_a_sentence_soon_and_in_little_memory(name):
    target = TARGETS[name]
    # each of packed pixels starts a decoder
    outcomes = {seed: attempt(target, case(target, seed)) for seed in range(CASES // 4 if "packed" in name else CASES)}
    faults = {seed: outcome.fault for seed, outcome in outcomes.items() if outcome.fault}
    assert not faults, "\n".join(f"case {seed}: {fault}" for seed, fault in faults.items())
    assert any(outcome.ending == "refused" for outcome in outcomes.values()), "the damage does nothing"

"""Training as a run: what decides it, what it refuses and what it leaves."""

import json
from pathlib import Path
from typing import Any

import pytest

from core.cohorts.library import cohort_stamp
from core.errors import BadInput
from core.progress import silent
from core.runs.kinds.training import TrainingSpec
from core.runs.spec import RunContext


class Named:
    """What `TrainingSpec` needs of a card."""

    def model_dump(self, mode: str) -> dict[str, str]:
        return {"name": "made", "mode": mode}


class Recipe:
    """Trains nothing, and says what it was given."""

    def __init__(self) -> None:
        self.given: tuple[Any, ...] = ()

    def parameters(self, values: dict[str, Any]) -> dict[str, Any]:
        if "weather" in values:
            raise BadInput("There is no parameter 'weather': leave it out.")
        paths = {name: Path(value) for name, value in values.items() if name == "weights"}
        return {"epochs": 3, **values, **paths}

    def train(self, *given: Any) -> Named:
        self.given = given
        return Named()


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch) -> Recipe:
    made = Recipe()
    monkeypatch.setattr("core.runs.kinds.training.get_recipe", {"none": made}.__getitem__)
    return made


def test_a_training_run_trains_with_its_parameters_and_says_where_the_model_is(recipe: Recipe, tmp_path: Path) -> None:
    spec = TrainingSpec(recipe="none", cohort=tmp_path, out=tmp_path / "model", parameters={"seed": 5})
    assert spec.title() == "train none · model"
    result = tmp_path / "result"
    result.mkdir()
    spec.execute(RunContext(None, tmp_path, result, silent))  # type: ignore[arg-type]
    assert recipe.given == ({"epochs": 3, "seed": 5}, tmp_path, tmp_path / "model", silent)
    said = json.loads((result / "training.json").read_text())
    stamp = cohort_stamp(tmp_path / "model")
    assert said == {"model": str(tmp_path / "model"), "card": {"name": "made", "mode": "json"}, "stamp": stamp}


def test_another_cohort_or_another_file_that_a_parameter_names_is_another_training(
    recipe: Recipe, tmp_path: Path
) -> None:
    cohort, weights = tmp_path / "cohort", tmp_path / "weights"
    cohort.mkdir()
    spec = TrainingSpec(recipe="none", cohort=cohort, out=tmp_path / "model", parameters={"weights": str(weights)})
    empty = spec.inputs()
    assert empty["files"] == {"weights": None}
    (cohort / "cohort.csv").write_text("image\n")
    assert spec.inputs()["cohort"] != empty["cohort"]
    weights.write_text("one")
    first = spec.inputs()["files"]
    weights.write_text("two")
    assert first != spec.inputs()["files"] != {"weights": None}
    assert TrainingSpec(recipe="none", out=tmp_path / "model").inputs() == {"cohort": None, "files": {}}


def test_a_training_holds_as_long_as_its_model_is_as_it_was_written(recipe: Recipe, tmp_path: Path) -> None:
    out, result = tmp_path / "model", tmp_path / "result"
    spec = TrainingSpec(recipe="none", out=out)
    assert not spec.holds(result)
    out.mkdir()
    result.mkdir()
    (out / "weights.safetensors").write_text("weights")
    spec.execute(RunContext(None, tmp_path, result, silent))  # type: ignore[arg-type]
    assert spec.holds(result)
    (out / "weights.safetensors").write_text("others")
    assert not spec.holds(result)


def test_parameters_and_a_cohort_that_are_not_there_are_refused_before_anything_is_trained(
    recipe: Recipe, tmp_path: Path
) -> None:
    TrainingSpec(recipe="none", cohort=tmp_path, out=tmp_path).check(None)  # type: ignore[arg-type]
    TrainingSpec(recipe="none", out=tmp_path).check(None)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="The cohort folder gone is not there"):
        TrainingSpec(recipe="none", cohort=tmp_path / "gone", out=tmp_path).check(None)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="weather"):
        TrainingSpec(recipe="none", out=tmp_path, parameters={"weather": 1}).check(None)  # type: ignore[arg-type]
    assert recipe.given == ()

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import core.runs.spec
from core.errors import BadInput
from core.models.card import write_card
from core.runs.kinds.explanation import ExplanationSpec
from core.runs.kinds.training import TrainingSpec
from core.runs.spec import LOCAL_OWNER, kinds, parse_spec
from core.runs.store.identity import ProcessIdentity
from core.runs.store.store import RunStore
from core.settings import settings
from tests.core.tiny import tiny_card

SCAN = "0" * 64


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "a-model"
    folder.mkdir()
    write_card(tiny_card("a-model", (16, 20)), folder)
    (folder / "weights.safetensors").write_bytes(b"weights")
    return folder


def spec(model: Path, **fields: object) -> ExplanationSpec:
    return ExplanationSpec(**{"scan": SCAN, "model": str(model), "explainer": "mask", **fields})  # type: ignore[arg-type]


def test_every_file_of_the_kinds_folder_is_a_kind() -> None:
    assert {"explanation", "training"} <= kinds().keys()


def test_a_spec_survives_its_way_through_the_store(model: Path) -> None:
    given = spec(model, parameters={"lambda_1": 1e-4, "mu": "blur"}, region="f" * 64, target="AD")
    assert parse_spec("explanation", given.model_dump_json()) == given


@pytest.mark.parametrize(
    "change",
    [
        {"scan": "1" * 64},
        {"explainer": "saliency"},
        {"target": "AD"},
        {"preset": "paper"},
        {"parameters": {"lambda_1": 1e-4}},
        {"region": "2" * 64},
        {"owner": "somebody else"},
    ],
)
def test_whatever_decides_the_result_changes_the_fingerprint(model: Path, change: dict[str, object]) -> None:
    assert spec(model, **change).fingerprint() != spec(model).fingerprint()


def test_equal_requests_have_equal_fingerprints_whatever_the_order(model: Path) -> None:
    one = spec(model, parameters={"a": 1, "b": 2}).fingerprint()
    assert one == spec(model, parameters={"b": 2, "a": 1}).fingerprint()


@pytest.mark.parametrize("file", ["weights.safetensors", "card.yaml", "references.safetensors"])
def test_a_retrained_model_is_another_model_under_the_same_name(model: Path, file: str) -> None:
    before = spec(model).fingerprint()
    with (model / file).open("ab") as content:
        content.write(b"# changed")
    assert spec(model).fingerprint() != before


def test_new_code_does_not_take_old_results_for_its_own(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = spec(model).fingerprint()
    monkeypatch.setattr(core.runs.spec, "meaning_of", lambda modules: f"new code of {modules}")
    assert spec(model).fingerprint() != before


def test_a_model_whose_card_cannot_be_read_is_refused(model: Path) -> None:
    (model / "card.yaml").write_text("name: a-model")
    with pytest.raises(BadInput, match=r"card\.yaml"):
        spec(model).fingerprint()


def test_another_atlas_gives_another_fingerprint(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = spec(model).fingerprint()
    atlas = tmp_path / "atlas.nii"
    atlas.write_bytes(b"labels")
    monkeypatch.setenv("LIGHTBOX_ATLAS", str(atlas))
    settings.cache_clear()
    try:
        assert spec(model).fingerprint() != before
        atlas.unlink()
        with pytest.raises(BadInput, match="LIGHTBOX_ATLAS"):
            spec(model).fingerprint()
    finally:
        monkeypatch.undo()
        settings.cache_clear()


@pytest.mark.parametrize("field", [{"scan": "../../etc/passwd"}, {"region": "x"}, {"surprise": 1}])
def test_what_does_not_fit_a_spec_is_refused(model: Path, field: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        spec(model, **field)


def test_a_scan_or_a_model_that_is_not_there_is_refused_before_it_is_queued(store: RunStore, model: Path) -> None:
    with pytest.raises(BadInput, match="open its file again"):
        store.of(LOCAL_OWNER).add(spec(model), ProcessIdentity.of())
    assert store.of(LOCAL_OWNER).runs() == []
    assert list((store.root / "runs").iterdir()) == []


def test_a_cohort_that_is_not_there_is_refused_before_it_is_queued(store: RunStore, tmp_path: Path) -> None:
    wanted = TrainingSpec(recipe="classifier", cohort=tmp_path / "nowhere", out=tmp_path / "model")
    with pytest.raises(BadInput, match=r"not there"):
        store.of(LOCAL_OWNER).add(wanted, ProcessIdentity.of())


@pytest.mark.parametrize("changes", [{"recipe": "alchemy"}, {"parameters": {"alchemy": 1}}])
def test_a_recipe_or_a_parameter_that_is_not_there_is_refused_before_it_is_queued(
    store: RunStore, tmp_path: Path, changes: dict[str, Any]
) -> None:
    wanted = TrainingSpec(**{"recipe": "classifier", "out": tmp_path / "model", **changes})
    with pytest.raises(BadInput, match="'alchemy'"):
        store.of(LOCAL_OWNER).add(wanted, ProcessIdentity.of())

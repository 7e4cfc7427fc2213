"""Model folders that strangers wrote: what loads, and what is refused with one sentence."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import save_file

from core.errors import BadInput
from core.models import load_model, save_model
from core.models.folders import list_cards
from core.models.zoo import build
from core.scans.scan import Scan
from core.settings import settings

SHAPE = (8, 10, 8)
ARGUMENTS = {"shape": list(SHAPE), "classes": 3, "blocks": [[4, 1], [4, 1]]}


def written(folder: Path, changes: dict[str, Any] | None = None, state: dict[str, torch.Tensor] | None = None) -> Path:
    """A model folder with a good card over which `changes` (dotted names) are laid."""
    card: dict[str, Any] = {
        "name": "by-hand",
        "title": "By hand",
        "task": "classification",
        "synthetic": True,
        "architecture": {"name": "block-cnn", "arguments": dict(ARGUMENTS)},
        "input": {"dimensions": 3, "shape": list(SHAPE), "intensity": {"low": 0, "high": 1}},
        "classes": ["a", "b", "c"],
        "training": {"data": "none"},
    }
    for name, value in (changes or {}).items():
        *path, last = name.split(".")
        section = card
        for part in path:
            section = section[part]
        section[last] = value
    folder.mkdir(parents=True)
    (folder / "card.yaml").write_text(yaml.safe_dump(card), encoding="utf-8")
    save_file(state or weights(), folder / "weights.safetensors")
    return folder


def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return dict(build("block-cnn", dict(ARGUMENTS)).state_dict())


def scan() -> Scan:
    return Scan(np.random.default_rng(0).random((1, *SHAPE), dtype=np.float32), np.eye(4))


def test_a_folder_written_by_hand_loads_and_answers(tmp_path: Path) -> None:
    said = load_model(written(tmp_path / "m")).predict(scan())
    assert said.keys() == {"a", "b", "c"}
    assert sum(said.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"classes": ["a", "a", "b"]}, "same name"),
        ({"target": "z"}, "target 'z'"),
        ({"healthy": "z"}, "healthy 'z'"),
        ({"input.shape": [0, 8, 8]}, "1 or more"),
        ({"input.shape": [8, 8]}, "2 numbers for a 3D model"),
        ({"input.spacing_mm": [1, 1]}, "3 lengths above 0"),
        ({"input.spacing_mm": [0, 1, 1]}, "3 lengths above 0"),
        ({"input.spacing_mm": [float("nan"), 1, 1]}, "finite"),
        ({"input.affine": [[0] * 4] * 4}, "three different directions"),
        ({"input.affine": [[1, 2], [3, 4]]}, "4 rows of 4"),
        ({"input.affine": np.eye(4).tolist(), "input.shape": None}, "needs input.shape"),
        ({"input.intensity": {"low": 1, "high": 0}}, "not below"),
        ({"input.intensity": {"low": float("nan"), "high": 1}}, "finite"),
        ({"architecture.name": "nothing"}, "no architecture 'nothing'"),
        ({"architecture.arguments": {"shape": [1, 2, 3, 4]}}, "does not take these arguments"),
        ({"architecture.arguments": {**ARGUMENTS, "classes": -1}}, "does not take these arguments"),
        ({"architecture.arguments": {**ARGUMENTS, "blocks": "x"}}, "does not take these arguments"),
        ({"architecture.arguments": {**ARGUMENTS, "dropout": 7}}, "does not take these arguments"),
        ({"attribution_layer": "nowhere"}, "no layer 'nowhere'"),
        ({"feature_layers": ["nowhere"]}, "no layer 'nowhere'"),
        ({"references": ["healthy_mean"]}, "references.safetensors is missing"),
    ],
)
def test_a_wrong_card_is_refused_and_the_field_named(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words) as refused:
        load_model(written(tmp_path / "m", changes))
    assert "Value error" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"classes": ["a", "b"]}, "names 2 classes"),
        ({"input.shape": [6, 6, 40]}, "does not fit its architecture"),
    ],
)
def test_a_card_that_does_not_fit_its_network_is_said_when_asked(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    model = load_model(written(tmp_path / "m", changes))
    with pytest.raises(BadInput, match=words):
        model.predict(scan())


@pytest.mark.parametrize("content", [b"title: " + b"[" * 5000, b"title: 2019-13-45"])
def test_a_card_that_yaml_cannot_make_anything_of_is_refused(tmp_path: Path, content: bytes) -> None:
    (written(tmp_path / "m") / "card.yaml").write_bytes(content)
    with pytest.raises(BadInput, match=r"card\.yaml of m is not valid YAML"):
        load_model(tmp_path / "m")


def test_a_scan_of_a_size_that_a_network_of_any_size_cannot_take_is_said(tmp_path: Path) -> None:
    model = load_model(written(tmp_path / "m", {"input.shape": None}))
    model = dataclasses.replace(model, network=torch.nn.MaxPool3d(2))
    with pytest.raises(BadInput, match="give a scan of another size, or mend the card's input"):
        model.predict(Scan(np.ones((1, 1, 1, 1), np.float32), np.eye(4)))


def test_a_card_that_is_not_utf_8_is_refused_and_leaves_the_others_in_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "good")
    (tmp_path / "latin").mkdir()
    (tmp_path / "latin" / "card.yaml").write_bytes(b"title: \xe9\n")
    with pytest.raises(BadInput, match="UTF-8"):
        load_model(tmp_path / "latin")
    monkeypatch.setenv("LIGHTBOX_MODELS_DIR", str(tmp_path))
    settings.cache_clear()
    try:
        assert "by-hand" in [card.name for card in list_cards()]
        assert load_model("by-hand").folder == tmp_path / "good"
    finally:
        monkeypatch.undo()
        settings.cache_clear()


def test_weights_that_are_missing_foreign_or_not_finite_are_refused(tmp_path: Path) -> None:
    folder = written(tmp_path / "none")
    (folder / "weights.safetensors").unlink()
    with pytest.raises(BadInput, match="has no weights"):
        load_model(folder)
    (folder / "weights.safetensors").mkdir()
    with pytest.raises(BadInput, match="is no file but a pipe, a device or a folder"):
        load_model(folder)
    folder = written(tmp_path / "pickle")
    torch.save(weights(), folder / "weights.safetensors")
    with pytest.raises(BadInput, match="not a safetensors file"):
        load_model(folder)
    partial = weights()
    del partial["classifier.weight"]
    with pytest.raises(BadInput, match=r"classifier\.weight"):
        load_model(written(tmp_path / "partial", state=partial))
    with pytest.raises(BadInput, match=r"NaN or infinity in classifier\.bias"):
        load_model(written(tmp_path / "nan", state={**weights(), "classifier.bias": torch.full((3,), torch.nan)}))


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("healthy_mean", np.zeros((3, 3), np.float32), "has shape"),
        ("healthy_mean", np.full(SHAPE, np.nan, np.float32), "NaN or infinity"),
        ("support", np.ones((1, *SHAPE), np.float32), "has shape"),
        ("support", np.zeros(SHAPE, np.float32), "is empty"),
    ],
)
def test_references_that_no_explainer_could_use_are_refused(
    tmp_path: Path, name: str, values: np.ndarray, words: str
) -> None:
    folder = written(tmp_path / "m", {"references": [name]})
    save_arrays({name: values}, folder / "references.safetensors")
    with pytest.raises(BadInput, match=words):
        load_model(folder)


def test_an_answer_that_is_not_finite_is_not_passed_on(tmp_path: Path) -> None:
    model = load_model(written(tmp_path / "m"))
    with pytest.raises(BadInput, match="no finite answer"):
        model.probabilities(torch.full((1, 1, *SHAPE), torch.inf))


def test_weights_stored_in_half_come_back_as_float32_close_to_what_they_were(tmp_path: Path) -> None:
    model = load_model(written(tmp_path / "m"))
    save_model(tmp_path / "half", model.card, model.network, half=True)
    back = load_model(tmp_path / "half")
    assert (tmp_path / "half" / "weights.safetensors").stat().st_size < 0.7 * (
        tmp_path / "m" / "weights.safetensors"
    ).stat().st_size
    assert {weight.dtype for weight in back.network.parameters()} == {torch.float32}
    assert back.predict(scan()) == pytest.approx(model.predict(scan()), abs=2e-3)

"""The library's folders, found and named without torch."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import BadInput
from core.models.folders import folder_hash, library_folders, resolve
from core.settings import settings


def folder(parent: Path, name: str, **files: bytes) -> Path:
    made = parent / name
    made.mkdir(parents=True)
    for file, content in {"card.yaml": b"name: x", **{k.replace("_", "."): v for k, v in files.items()}}.items():
        (made / file).write_bytes(content)
    return made


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folders as shipped and as configured: ``tmp_path/assets/models`` and ``tmp_path/own``."""
    monkeypatch.setattr("core.models.folders.ASSETS", tmp_path / "assets")
    monkeypatch.setenv("LIGHTBOX_MODELS_DIR", str(tmp_path / "own"))
    settings.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    settings.cache_clear()


def test_ones_own_models_stand_beside_the_shipped_ones_and_win_over_them(library: Path) -> None:
    shipped, both = folder(library / "assets" / "models", "shipped"), folder(library / "assets" / "models", "both")
    own = folder(library / "own", "both")
    assert library_folders() == {"shipped": shipped, "both": own}
    assert resolve("both") == own != both


def test_a_path_is_a_model_when_it_holds_a_card(library: Path) -> None:
    folder(library / "own", "known")
    elsewhere = folder(library / "elsewhere", "mine")
    assert resolve(elsewhere) == elsewhere
    with pytest.raises(BadInput, match=r"no model 'unknown'.*known"):
        resolve("unknown")


def test_an_empty_library_says_how_to_fill_it(library: Path) -> None:
    with pytest.raises(BadInput, match="make assets"):
        resolve("anything")


def test_the_hash_follows_the_content_and_the_place_of_every_file(tmp_path: Path) -> None:
    contents: list[dict[str, bytes]] = [
        {"weights_safetensors": b"1"},
        {"weights_safetensors": b"2"},
        {"references_safetensors": b"1"},
        {"weights_safetensors": b"1", "references_safetensors": b"1"},
    ]
    hashes = [folder_hash(folder(tmp_path, f"m{n}", **files)) for n, files in enumerate(contents)]
    assert len(set(hashes)) == len(contents)
    assert folder_hash(folder(tmp_path, "copy", **contents[0])) == hashes[0]
    (tmp_path / "m0" / "notes.txt").write_text("beside the point")
    assert folder_hash(tmp_path / "m0") == hashes[0]

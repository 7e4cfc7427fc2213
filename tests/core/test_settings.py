import re

import pytest

from core.errors import BadInput
from core.settings import ROOT, Settings, settings


@pytest.fixture(autouse=True)
def fresh_settings(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"LIGHTBOX_{name.upper()}", raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_the_default_is_open_to_this_machine_only():
    assert settings().host == "127.0.0.1"
    assert settings().port == 8501


def test_the_environment_beats_the_file(monkeypatch, tmp_path):
    (tmp_path / "lightbox.toml").write_text('port = 9001\ndevice = "cpu"\n')
    monkeypatch.setenv("LIGHTBOX_PORT", "9002")
    assert settings().port == 9002
    assert settings().device == "cpu"


@pytest.mark.parametrize(("name", "value"), [("DEVICE", "tpu"), ("WORKER_SLOTS", "0"), ("STORE_LIMIT_GB", "lots")])
def test_a_wrong_value_is_named_in_one_sentence(monkeypatch, name, value):
    monkeypatch.setenv(f"LIGHTBOX_{name}", value)
    with pytest.raises(BadInput, match=f"LIGHTBOX_{name} is wrong"):
        settings()


def test_an_unknown_key_in_the_file_is_named(tmp_path):
    (tmp_path / "lightbox.toml").write_text("colour = 3\n")
    with pytest.raises(BadInput, match="LIGHTBOX_COLOUR"):
        settings()


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "lightbox.toml").write_text("port = \n")
    with pytest.raises(BadInput, match=r"lightbox\.toml"):
        settings()


def test_every_setting_stands_in_the_documentation_with_its_default():
    rows = (ROOT / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8").splitlines()
    said = dict(re.findall(r"^\| `(LIGHTBOX_\w+)` \| ([^|]+) \|", "\n".join(rows), flags=re.MULTILINE))
    assert said.keys() == {f"LIGHTBOX_{name.upper()}" for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        default = field.default
        words = "none" if default is None else f"`{default:g}`" if isinstance(default, float) else f"`{default}`"
        assert said[f"LIGHTBOX_{name.upper()}"] == words


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch):
    for name in ("ATLAS", "MODELS_DIR", "PORT", "STORE_PATH"):
        monkeypatch.setenv(f"LIGHTBOX_{name}", "")
    assert (settings().atlas, settings().models_dir, settings().port) == (None, None, 8501)
    assert str(settings().store_path) == ".lightbox"

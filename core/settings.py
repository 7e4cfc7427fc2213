"""Configuration by environment (``LIGHTBOX_*``) and file (``lightbox.toml``): docs/reference/configuration.md."""

import tomllib
from functools import lru_cache
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from core.errors import BadInput

ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "assets"


class Settings(BaseSettings):
    """What a person who runs Lightbox can choose. Environment beats file beats default."""

    # an empty variable (a bare line of a compose file) is one that is not set
    model_config = SettingsConfigDict(
        env_prefix="LIGHTBOX_", env_ignore_empty=True, toml_file="lightbox.toml", extra="forbid"
    )

    host: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 opens it to the network")
    allowed_hosts: str = Field("", description="names the app is opened under, commas between: app.example.org,*.lab")
    port: int = Field(8501, ge=1, le=65535, description="port of the app")
    device: str = Field("auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$", description="auto, cpu, cuda or cuda:N")
    worker_slots: int = Field(1, ge=1, le=64, description="explanations that run at the same time on one device")
    worker: str = Field("process", description="where runs execute: process, inline, or a plug-in's")
    threads: int = Field(
        0, ge=0, le=256, description="torch threads of a run; 0: all cores but one, shared between the slots"
    )
    store_path: Path = Field(Path(".lightbox"), description="folder of scans and runs, made when missing")
    store_limit_gb: float = Field(10.0, gt=0, description="the janitor removes the oldest runs above this size")
    upload_limit_mb: int = Field(1024, ge=1, le=16384, description="largest upload; it may unpack to four times this")
    atlas: Path | None = Field(None, description="label NIfTI; names beside it (.tsv, .csv, .txt, .xml)")
    models_dir: Path | None = Field(None, description="folder of model folders, beside the ones in assets/models")
    cohorts_dir: Path | None = Field(None, description="folder of cohort folders, beside the ones in assets/cohorts")
    plugins: bool = Field(True, description="whether plug-ins of other installed packages are used")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment first, then ``lightbox.toml`` in the working directory."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once (tests call ``settings.cache_clear()``).

    Raises
    ------
    BadInput
        When a value is out of range or the file cannot be read; names the setting.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "LIGHTBOX_" + "_".join(str(part) for part in first["loc"]).upper()
        raise BadInput(f"The setting {name} is wrong: {first['msg']} (given: {first['input']!r}).") from error
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"lightbox.toml cannot be read: {error}.") from error

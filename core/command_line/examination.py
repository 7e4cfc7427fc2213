"""What works on this machine, what does not, and how to mend it."""

import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from core.errors import LightboxError
from core.files import size_of, temporary_beside

_PACKAGES = ("streamlit", "torch", "captum", "nibabel", "pydicom", "scikit-image", "nilearn", "SQLAlchemy", "pydantic")
_LOW_DISK = 2 * 10**9


class State(StrEnum):
    """How a check ended."""

    FINE = "fine"
    LIMITED = "limited"
    BROKEN = "broken"

    @property
    def mark(self) -> str:
        """One character for a terminal."""
        return {"fine": "✓", "limited": "!", "broken": "✗"}[self]


@dataclass(frozen=True)
class CheckUp:
    """One thing that was looked at.

    Parameters
    ----------
    name : str
        What.
    state : State
        limited: Lightbox works without it; broken: it does not.
    detail : str
        What was found.
    mend : str
        What to do about it; empty when there is nothing to do.
    """

    name: str
    state: State
    detail: str
    mend: str = ""

    def as_dict(self) -> dict[str, str]:
        """For JSON."""
        return {"name": self.name, "state": self.state.value, "detail": self.detail, "mend": self.mend}


def examine() -> list[CheckUp]:
    """Look at everything; a check that fails unexpectedly is itself a finding, never an exception."""
    found: list[CheckUp] = []
    for check in _CHECKS:
        found.extend(_guarded(check))
    return found


def _guarded(check: Callable[[], Iterator[CheckUp]]) -> Iterator[CheckUp]:
    name = check.__name__.strip("_")
    try:
        yield from check()
    except LightboxError as error:
        yield CheckUp(name, State.BROKEN, str(error), "do what the sentence says, then run doctor again")
    except Exception as error:
        detail = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"
        yield CheckUp(name, State.BROKEN, detail, "install again (`make setup`); if it stays, report it")


def _versions() -> Iterator[CheckUp]:
    missing, found = [], [f"Python {platform.python_version()}"]
    for package in _PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            missing.append(package)
    yield CheckUp("versions", State.FINE, ", ".join(found))
    if missing:
        yield CheckUp("packages", State.BROKEN, f"missing: {', '.join(missing)}", "install again (`make setup`)")


def _settings() -> Iterator[CheckUp]:
    from core.settings import settings

    changed = {name: getattr(settings(), name) for name in sorted(settings().model_fields_set)}
    detail = ", ".join(f"{name}={value}" for name, value in changed.items()) or "all at their defaults"
    yield CheckUp("settings", State.FINE, detail)


def _worker() -> Iterator[CheckUp]:
    from core.runs.execution.base import WORKERS
    from core.settings import settings

    yield CheckUp("worker", State.FINE, WORKERS.get(settings().worker).title)


def _device() -> Iterator[CheckUp]:
    import torch

    from core.models.library import choose_device
    from core.settings import settings
    from core.threads import threads_of_a_run, usable_cores

    device = choose_device()
    if device.type == "cuda":
        yield CheckUp("device", State.FINE, f"{torch.cuda.get_device_name(device)} ({device})")
        return
    threads = threads_of_a_run(settings().worker_slots)
    yield CheckUp("device", State.FINE, f"CPU, {usable_cores()} cores, {threads} thread(s) a run")


def _models() -> Iterator[CheckUp]:
    from core.models.folders import left_out, library_folders
    from core.models.library import load_model
    from core.settings import settings

    folders, own = library_folders(), settings().models_dir
    if own is not None and not own.is_dir():
        yield CheckUp("models folder", State.LIMITED, f"{own} is not there", "make it, or mend LIGHTBOX_MODELS_DIR")
    if not folders:
        mend = "run `make assets`, or set LIGHTBOX_MODELS_DIR to a folder of model folders"
        yield CheckUp("models", State.BROKEN, "the library is empty", mend)
    loaded = set()
    for name, folder in folders.items():
        try:
            model = load_model(folder)
        except LightboxError as error:
            yield CheckUp(f"model {name}", State.BROKEN, str(error), "restore or remove this model folder")
        else:
            weights = sum(parameter.numel() for parameter in model.network.parameters())
            loaded.add(f"The model in {name}")
            yield CheckUp(f"model {name}", State.FINE, f"{model.card.task}, {weights:,} weights, loads")
            for sentence in model.what_was_seen():
                yield CheckUp(f"model {name}", State.LIMITED, sentence)
    # what cannot be read is told above: a name that two cards have is not
    for left in left_out():
        if left.what in loaded:
            yield CheckUp("models", State.LIMITED, left.sentence, "give each card a name of its own")


def _explainers() -> Iterator[CheckUp]:
    from core.explainers import explainers

    yield CheckUp("explainers", State.FINE, ", ".join(explainers()))


def _plugins() -> Iterator[CheckUp]:
    from core.command_line.listings import everything_left_out
    from core.plugins import plugins

    left_out = everything_left_out()
    found = dict.fromkeys(plugin.origin for plugin in plugins() if not plugin.ours)
    yield CheckUp("plug-ins", State.FINE, ", ".join(found) or "none")
    for left in left_out:
        mend = "mend or uninstall this plug-in; the rest of Lightbox works without it"
        yield CheckUp(left.what, State.LIMITED, f"left out: {left.reason}", mend)


def _scans() -> Iterator[CheckUp]:
    from core.settings import ASSETS

    folder = ASSETS / "scans"
    files = [path.name for path in sorted(folder.glob("*")) if path.is_file()] if folder.is_dir() else []
    if files:
        yield CheckUp("demo scans", State.FINE, f"{len(files)} files")
    else:
        yield CheckUp("demo scans", State.LIMITED, "none: only your own scans can be opened", "run `make assets`")


def _cohorts() -> Iterator[CheckUp]:
    from core.cohorts.library import cohort_folders
    from core.cohorts.selection import read_cohort_card
    from core.settings import settings

    folders, own = cohort_folders(), settings().cohorts_dir
    if own is not None and not own.is_dir():
        yield CheckUp("cohorts folder", State.LIMITED, f"{own} is not there", "make it, or mend LIGHTBOX_COHORTS_DIR")
    yield CheckUp("cohorts", State.FINE, ", ".join(folders) or "none in the library; those of a command need none")
    for name, folder in folders.items():
        try:
            read_cohort_card(folder)
        except LightboxError as error:
            yield CheckUp(f"cohort {name}", State.LIMITED, str(error), "mend or remove its cohort.yaml")


def _atlas() -> Iterator[CheckUp]:
    from core.metrics.atlas import atlas_for
    from core.models.folders import list_cards

    contract = next((card.input for card in list_cards() if card.input.affine is not None), None)
    atlas = atlas_for(contract) if contract is not None else None
    if atlas is None:
        yield CheckUp("atlas", State.LIMITED, "no model lies in MNI space, so regions have no names")
    else:
        yield CheckUp("atlas", State.FINE, f"{atlas.title}, {len(atlas.names)} regions")


def _store() -> Iterator[CheckUp]:
    from core.runs import LOCAL_OWNER, RunStore
    from core.settings import settings

    root, limit = settings().store_path, settings().store_limit_gb
    store = RunStore.open(root)
    _write_and_remove(store.root)
    used, free = size_of(store.root), shutil.disk_usage(store.root).free
    detail = (
        f"{used / 1e9:.2f} of {limit:g} GB used, {free / 1e9:.1f} GB free, {len(store.of(LOCAL_OWNER).runs())} runs"
    )
    store.close()
    if free < _LOW_DISK:
        yield CheckUp("store", State.LIMITED, detail, "free some disk space, or set LIGHTBOX_STORE_PATH elsewhere")
    else:
        yield CheckUp("store", State.FINE, detail)


def _write_and_remove(root: Path) -> None:
    probe = temporary_beside(root / "probe")
    try:
        probe.write_bytes(b"0" * 4096)
    except OSError as error:
        raise LightboxError(
            f"The store {root} cannot be written ({error.strerror}): free space, or set LIGHTBOX_STORE_PATH elsewhere."
        ) from error
    finally:
        probe.unlink(missing_ok=True)


def _chromium() -> Iterator[CheckUp]:
    found: Any = os.environ.get("LIGHTBOX_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found:
        yield CheckUp("chromium", State.FINE, "found; browser tests can run")
    else:
        yield CheckUp(
            "chromium", State.LIMITED, "not found; only browser tests need it", "run `make test`, which installs it"
        )


_CHECKS = (
    _versions,
    _settings,
    _worker,
    _device,
    _models,
    _explainers,
    _plugins,
    _scans,
    _cohorts,
    _atlas,
    _store,
    _chromium,
)

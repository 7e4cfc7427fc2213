"""What pages ask of the backend process. Nothing here touches Streamlit; everything returned is small and picklable."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.acceptance.verdict import Acceptance
from core.errors import BadInput
from core.explainers.base import Side
from core.runs.store.landmarks import Landmark
from core.settings import settings

#: A mask of more different values than these is no image of labels.
MOST_LABELS = 12
_SIDES: tuple[Side, Side] = ("input", "output")

if TYPE_CHECKING:
    from core.models.model import Model
    from core.runs.store.shelf import Shelf
    from core.runs.store.store import RunStore
    from core.scans.collect import Upload
    from core.scans.loading import SeriesChoice


@dataclass(frozen=True)
class Prediction:
    """What a model says about a scan, and what had to be done to ask it.

    Parameters
    ----------
    probabilities : dict of str to float
        Class → probability; empty for a regressor.
    notes, warnings : tuple of str
        How the input contract was met; what does not fit it.
    acceptance : Acceptance, optional
        Whether the model can read the scan at all.
    """

    probabilities: dict[str, float]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    acceptance: Acceptance | None = None

    @property
    def refused(self) -> bool:
        """Whether what the model says of this scan is not to be believed."""
        return self.acceptance is not None and self.acceptance.refused

    @property
    def most_likely(self) -> str | None:
        """The class that the model gives most; None of a regressor."""
        return max(self.probabilities, key=self.probabilities.__getitem__) if self.probabilities else None


@dataclass(frozen=True)
class RegionRule:
    """What an explainer does with a region.

    Parameters
    ----------
    maps : dict of Side to Side
        Where a region can be marked → where the map of it lies. Empty: nowhere.
    needed : bool
        Whether there is nothing to explain without one.
    """

    maps: Mapping[Side, Side]
    needed: bool

    @property
    def sides(self) -> tuple[Side, ...]:
        """Where a region can be marked."""
        return tuple(self.maps)


@dataclass(frozen=True)
class Series:
    """One image among several in an upload.

    Parameters
    ----------
    key, description : str
        Its name, and what it is technically.
    volumes : int
        How many it holds.
    problem : str, optional
        Why it cannot be read.
    volume_names : tuple of str
        What sets each volume apart; empty where nothing does.
    is_dicom : bool
        Whether it is one of the series of a study; otherwise it is a file of its own.
    """

    key: str
    description: str
    volumes: int
    problem: str | None = None
    volume_names: tuple[str, ...] = ()
    is_dicom: bool = False


@dataclass(frozen=True)
class Reading:
    """What came of an upload: either the scan, now in the store, or the images to choose from.

    Parameters
    ----------
    scan : str, optional
        Content hash of the stored scan.
    choices : tuple of Series
        To choose from, when nothing was stored yet.
    """

    scan: str | None = None
    choices: tuple[Series, ...] = ()


def read_upload(files: Sequence["Upload"], owner: str, series: str | None = None, volume: int | None = None) -> Reading:
    """Read an upload into the store, or list what it holds when there is something to choose.

    Parameters
    ----------
    files : sequence of core.scans.Upload
        Where the browser's files were spooled to.
    owner : str
        Whose scan it becomes.
    series, volume : optional
        What was chosen.

    Raises
    ------
    BadInput
        One sentence on what is wrong with the file and what to do.
    """
    from core.scans import Scan, load_upload, load_upload_or_choices

    with memory_as_sentence():
        found = load_upload_or_choices(files) if series is None else load_upload(files, series=series, volume=volume)
        if isinstance(found, Scan):
            return Reading(scan=shelf(owner).add_scan(found))
        return Reading(choices=tuple(series_of(choice) for choice in found))


def read_asset(
    path: Path, title: str, owner: str, landmarks: Path | None = None, names: Mapping[int, str] | None = None
) -> str:
    """Put a scan that comes with Lightbox into the store under its title; returns its content hash.

    Parameters
    ----------
    path, title, owner
        The file, what the scan is called, whose it becomes.
    landmarks : pathlib.Path, optional
        Image of labels; they are kept with the scan unless it has landmarks already.
    names : mapping of int to str, optional
        What the labels are called.
    """
    from core.scans import load_scan

    scan = load_scan(path)
    found = shelf(owner).add_scan(scan, title)
    if landmarks is not None:
        from core.cohorts.landmark_labels import read_landmarks as read_labels

        keep_landmarks(found, owner, read_labels(landmarks, scan, dict(names or {}), title))
    return found


def keep_landmarks(scan: str, owner: str, landmarks: Mapping[str, np.ndarray]) -> None:
    """Give a stored scan the landmarks it comes with, unless it has some: what a person drew is never replaced.

    Parameters
    ----------
    scan, owner : str
        Content hash, and whose it is.
    landmarks : mapping of str to numpy.ndarray of bool
        Name → where it is, the scan's spatial shape.
    """
    if landmarks and not shelf(owner).landmarks(scan):
        kept = [Landmark(name, shelf(owner).add_region(region)) for name, region in landmarks.items()]
        shelf(owner).keep_landmarks(scan, kept)


def read_landmarks(files: Sequence["Upload"], scan: str, owner: str) -> dict[str, str]:
    """Read a mask that was uploaded for a stored scan; its regions are in the store afterwards.

    Parameters
    ----------
    files : sequence of core.scans.Upload
        The one file, as it was spooled.
    scan, owner : str
        Content hash of the scan it belongs to, and whose it is.

    Returns
    -------
    dict of str to str
        Name → content hash of the region. Whole numbers up to `MOST_LABELS` are so many landmarks; of anything else,
        whatever is above 0 is one.

    Raises
    ------
    BadInput
        One sentence: it cannot be read, is of another size, lies elsewhere, or marks nothing.
    """
    from core.scans import load_uploaded_mask

    with memory_as_sentence():
        film = shelf(owner).scan(scan)
        marked = load_uploaded_mask(files[0], film)
    labels = [int(value) for value in np.unique(marked[marked > 0])[: MOST_LABELS + 1]]
    if not labels:
        raise BadInput("The mask marks nothing: every sample of it is 0.")
    if len(labels) == 1 or len(labels) > MOST_LABELS or (marked != np.rint(marked)).any():
        return {"landmark": shelf(owner).add_region(marked > 0)}
    return {f"landmark {label}": shelf(owner).add_region(marked == label) for label in labels}


def read_region(files: Sequence["Upload"], owner: str) -> str:
    """Read a marked region that was uploaded for no scan in particular; returns its content hash in the store.

    Raises
    ------
    BadInput
        One sentence: it cannot be read, or marks nothing.
    """
    from core.scans import load_uploaded_region

    with memory_as_sentence():
        return shelf(owner).add_region(load_uploaded_region(files[0]))


def predict(scan: str, owner: str, model: str, content: str) -> Prediction:
    """Ask a model about a stored scan.

    Parameters
    ----------
    scan : str
        Content hash.
    owner : str
        Who asks.
    model : str
        Library name.
    content : str
        Hash of the model's folder: a model that was replaced is loaded again.

    Raises
    ------
    BadInput
        When the scan cannot be made to fit.
    """
    from core.acceptance import judge

    loaded = loaded_model(model, content)
    prepared = loaded.prepare(shelf(owner).scan(scan))
    known = loaded.card.task == "classification"
    return Prediction(
        loaded.probabilities(prepared.tensor) if known else {},
        tuple(prepared.notes),
        tuple(prepared.warnings),
        judge(loaded, prepared),
    )


def unfit(model: str, content: str) -> dict[str, str]:
    """Explainers that do not fit a model, each with the reason as a sentence."""
    from core.explainers import explainers

    loaded = loaded_model(model, content)
    reasons = {name: cls.unfit(loaded) for name, cls in explainers().items()}
    return {name: reason for name, reason in reasons.items() if reason is not None}


def seen_of(model: str, content: str) -> tuple[str, ...]:
    """What was seen of a model's network when it was asked, and must be known before it is believed."""
    return loaded_model(model, content).what_was_seen()


def region_rule(model: str, content: str, explainer: str, preset: str, changes: Mapping[str, Any]) -> RegionRule:
    """What an explainer with these parameters does with a region that is marked for a model.

    Parameters
    ----------
    model, content : str
        As in `predict`.
    explainer, preset : str
        Its name, and the preset that `changes` are over.
    changes : mapping of str to Any
        Parameters.
    """
    from core.explainers import get_explainer

    loaded, cls = loaded_model(model, content), get_explainer(explainer)
    maps: dict[Side, Side] = {}
    for side in _SIDES:
        steered = {**changes, **cls.steered_by_region.get(side, {})}
        parameters = cls.parameters_for(loaded, cls.parameters(preset, steered))
        if cls.region_side(loaded, parameters) == side:
            maps[side] = cls.map_side(loaded, parameters)
    alone = cls.parameters_for(loaded, cls.parameters(preset, changes))
    return RegionRule(maps, cls.needs_region(loaded, alone))


def generate(scan: str, owner: str, model: str, content: str) -> np.ndarray:
    """The image a regressor makes of a stored scan, float32 ``(C_out, *scan shape)``, in the units of its card."""
    return _generated(scan, owner, model, content)


@lru_cache(maxsize=4)
def _generated(scan: str, owner: str, model: str, content: str) -> np.ndarray:
    loaded = loaded_model(model, content)
    return loaded.generate(loaded.prepare(shelf(owner).scan(scan)))


def layers(model: str, content: str) -> tuple[tuple[str, str, int], ...]:
    """Layers of a model for its page: dotted name, kind with its main numbers, number of weights."""
    network = loaded_model(model, content).network
    return tuple(
        (name, str(module), sum(weight.numel() for weight in module.parameters()))
        for name, module in network.named_modules()
        if name and not list(module.children())
    )


def left_out_plugins() -> list[str]:
    """A sentence for each thing that a plug-in brings and that cannot be used; imports all of them."""
    from core.command_line.listings import everything_left_out

    return [left.sentence for left in everything_left_out()]


def get_ready() -> None:
    """Import what the first prediction needs, while nobody waits for it."""
    import core.models.library
    import core.runs.store.store  # noqa: F401
    from core.acceptance.space import get_ready as get_template_ready

    get_template_ready()


@lru_cache(maxsize=4)
def loaded_model(name: str, content: str) -> "Model":
    """A model of the library, kept in this process; `content` is the hash of its folder."""
    import torch

    from core.models import load_model

    # the server and the runs share these cores
    torch.set_num_threads(1)
    return load_model(name, device="cpu")


def series_of(choice: "SeriesChoice") -> Series:
    """What can be sent to the page of an image that was found."""
    return Series(choice.key, choice.description, choice.volumes, choice.problem, choice.volume_names, choice.is_dicom)


@lru_cache(maxsize=1)
def store() -> "RunStore":
    """The store, opened once in this process."""
    from core.runs.store.store import RunStore

    return RunStore.open(settings().store_path)


def shelf(owner: str) -> "Shelf":
    """What belongs to `owner`, as this process sees it."""
    return store().of(owner)


@contextmanager
def memory_as_sentence() -> Iterator[None]:
    """Say in a sentence that the memory does not suffice."""
    try:
        yield
    except MemoryError as problem:
        raise BadInput("This image is larger than the memory that is left: give a smaller part of it.") from problem

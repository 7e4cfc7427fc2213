"""The model card: what a model is for, what it wants to be fed, and how it came to be (``card.yaml``)."""

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.cards import read_yaml_card
from core.errors import BadInput
from core.wording import spelled_out

#: How a classifier's network answers; see `Card.answers`.
AnswerKind = Literal["softmax", "sigmoid", "probabilities", "independent_probabilities"]
#: Kinds in which each class has a probability of its own, so that even a single class says something.
INDEPENDENT: tuple[AnswerKind, ...] = ("sigmoid", "independent_probabilities")


#: Lead of the names of references that are scans of single healthy subjects; a number follows.
HEALTHY_SUBJECT = "healthy_"


def is_healthy_subject(name: str) -> bool:
    """Whether a reference of this name is the scan of a healthy subject (``healthy_1``; not ``healthy_mean``)."""
    return name.startswith(HEALTHY_SUBJECT) and name.removeprefix(HEALTHY_SUBJECT).isdecimal()


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Architecture(_Section):
    """A class of the zoo by name, and its constructor's arguments."""

    name: str = Field(description="name registered in core.models.zoo")
    arguments: dict[str, Any] = Field(default_factory=dict)


class Intensity(_Section):
    """The values the network was trained on."""

    low: float = Field(description="lowest value of the training range")
    high: float = Field(description="highest value of the training range")
    units: str = Field("", description="what the values are, e.g. grey-matter probability, HU")
    rescale: Literal["none", "minmax"] = Field(
        "none", description="minmax maps each scan's own 0.5..99.5 percentile to low..high before the network"
    )

    @model_validator(mode="after")
    def _low_is_below_high(self) -> "Intensity":
        if self.low >= self.high:
            raise ValueError(f"low {self.low:g} is not below high {self.high:g}")
        return self


class InputContract(_Section):
    """What the network must be fed. A scan that differs is resampled, and the person is told.

    With ``affine`` the grid is fixed in ``space``. Without it the grid follows the scan: spacing and
    shape are applied around the scan's centre. For 2D models, ``plane`` and ``position_mm`` say which slice of a
    volume to take.
    """

    dimensions: Literal[2, 3]
    channels: int = Field(1, ge=1)
    shape: tuple[int, ...] | None = Field(None, description="spatial shape; None: any")
    spacing_mm: tuple[float, ...] | None = Field(None, description="one number an axis of shape; 2D: rows, columns")
    affine: tuple[tuple[float, ...], ...] | None = Field(None, description="4x4 index → RAS+ mm of the fixed grid")
    space: Literal["MNI152", "other"] = Field(
        "MNI152", description="space that affine is given in; only in MNI152 do regions have names"
    )
    orientation: Literal["RAS"] = "RAS"
    multiple_of: int = Field(1, ge=1, description="when shape is None: pad to multiples of this")
    plane: Literal["axial", "coronal", "sagittal"] | None = None
    position_mm: float | None = Field(None, description="RAS+ coordinate of the slice a 2D model takes from a volume")
    intensity: Intensity
    modality: str | None = Field(None, description="what kind of image, for people: grey-matter map, chest X-ray")

    @model_validator(mode="after")
    def _shapes_agree(self) -> "InputContract":
        if self.shape is not None and len(self.shape) != self.dimensions:
            raise ValueError(f"input.shape has {len(self.shape)} numbers for a {self.dimensions}D model")
        if self.shape is not None and min(self.shape) < 1:
            raise ValueError("input.shape must hold numbers of samples, 1 or more")
        if self.spacing_mm is not None and (len(self.spacing_mm) != self.dimensions or min(self.spacing_mm) <= 0):
            raise ValueError(f"input.spacing_mm must be {self.dimensions} lengths above 0")
        return self

    @model_validator(mode="after")
    def _affine_is_a_place_in_space(self) -> "InputContract":
        if self.affine is None:
            return self
        if self.shape is None:
            raise ValueError("input.affine fixes the grid in space and needs input.shape")
        if [len(row) for row in self.affine] != [4] * 4:
            raise ValueError("input.affine must be 4 rows of 4 numbers")
        if tuple(self.affine[3]) != (0, 0, 0, 1) or abs(np.linalg.det(np.array(self.affine)[:3, :3])) < 1e-12:
            raise ValueError("input.affine must take three different directions and end with the row 0, 0, 0, 1")
        return self


class OutputContract(_Section):
    """What a regressor answers: an image on the input's field of view.

    The network's values ``network_low`` and ``network_high`` mean ``low`` and ``high`` in `units`; a value between or
    beyond them follows on the same straight line.
    """

    channels: int = Field(1, ge=1)
    network_low: float = 0.0
    network_high: float = 1.0
    low: float = 0.0
    high: float = 1.0
    units: str = Field("", description="what the values are, e.g. HU, signal")
    modality: str | None = Field(None, description="what kind of image, for people: T2-weighted slice, CT")

    @model_validator(mode="after")
    def _low_is_below_high(self) -> "OutputContract":
        if self.network_low >= self.network_high or self.low >= self.high:
            raise ValueError("output: low must be below high, network_low below network_high")
        return self

    @property
    def gain(self) -> float:
        """Physical units for one unit of the network."""
        return (self.high - self.low) / (self.network_high - self.network_low)

    @property
    def offset(self) -> float:
        """Physical value of the network's 0."""
        return self.low - self.network_low * self.gain


class Training(_Section):
    """Where the weights come from."""

    data: str
    recipe: str = ""
    command: str = ""
    seed: int | None = None
    details: dict[str, Any] = Field(default_factory=dict)


class Card(_Section):
    """Everything about a model except its numbers.

    ``references`` names arrays in ``references.safetensors``, given on the model's grid, that explainers may use:
    ``healthy_mean`` (mean of the healthy training scans), ``support`` (where a mask may paint, 0/1) and ``healthy_1``,
    ``healthy_2`` … (scans of single healthy subjects).

    ``answers`` says how the numbers of a classifier's network are to be read. ``softmax``: one logit a class, of which
    softmax is taken. ``sigmoid``: logits of which sigmoid is taken, one a class that may hold beside others, or a
    single one that speaks for the second of two classes. ``probabilities``: softmax (or, for a single number for the
    second of two classes, sigmoid) is already inside the network. ``independent_probabilities``: one probability a
    class, sigmoid inside the network. None: logits for softmax, unless the network is seen to answer with
    probabilities.
    """

    #: Fields that came after the first records: at their default they are no part of what a card is known by.
    _LATER: ClassVar[tuple[str, ...]] = ("answers",)
    #: Words for people that came after the first records: a model with other words is the same model.
    _WORDS: ClassVar[tuple[str, ...]] = ("class_titles",)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    title: str
    description: str = ""
    task: Literal["classification", "regression"]
    synthetic: bool = Field(description="trained on synthetic data; shown on screen wherever the model is used")
    architecture: Architecture
    input: InputContract
    output: OutputContract | None = Field(None, description="what a regressor answers; a classifier has none")
    classes: tuple[str, ...] = ()
    class_titles: dict[str, str] = Field(
        default_factory=dict, description="classes in words for people, by name; one that is not in it is its own title"
    )
    answers: AnswerKind | None = Field(None, description="how a classifier's numbers are read; None: as they look")
    target: str | None = Field(None, description="class explained unless the person picks another")
    healthy: str | None = Field(None, description="the class that means nothing was found")
    feature_layers: tuple[str, ...] = Field((), description="convolution layers a person may pick, first to last")
    attribution_layer: str | None = Field(None, description="layer Grad-CAM uses by default")
    references: tuple[str, ...] = ()
    training: Training
    metrics: dict[str, Any] = Field(default_factory=dict)
    license: str = ""

    @model_validator(mode="after")
    def _is_plain(self) -> "Card":
        try:
            json.dumps(self.model_dump(mode="json"))
        except (ValueError, RecursionError) as error:  # bytes, numbers of thousands of digits
            raise ValueError("it holds a value that is no text, number, list or table") from error
        return self

    @property
    def identity(self) -> str:
        """The card as JSON, for hashes: fields that came later and are at their default leave it what it was."""
        unset = {name for name in self._LATER if getattr(self, name) == type(self).model_fields[name].get_default()}
        return self.model_dump_json(exclude=unset.union(self._WORDS))

    def title_of(self, name: str) -> str:
        """A class in words: its title on this card, else what a usual abbreviation stands for, else its name."""
        return self.class_titles.get(name) or spelled_out(name)

    def called(self, name: str) -> str:
        """The same with the name in brackets behind it, where that is another: "Alzheimer's disease (AD)"."""
        title = self.title_of(name)
        return title if title == name else f"{title} ({name})"

    @model_validator(mode="after")
    def _classes_fit_the_task(self) -> "Card":
        fewest = 1 if self.answers in INDEPENDENT else 2
        if self.task == "classification" and len(self.classes) < fewest:
            raise ValueError(
                "a classification model needs at least two classes, or one with answers: sigmoid (a logit) or "
                "answers: independent_probabilities"
            )
        if self.task == "regression" and self.answers is not None:
            raise ValueError("a regression model answers with an image: leave answers out")
        if self.task == "regression" and (self.output is None or self.classes):
            raise ValueError("a regression model has an output and no classes")
        if self.task == "classification" and self.output is not None:
            raise ValueError("a classification model answers with classes: leave output out")
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("two classes have the same name")
        for role, name in (("target", self.target), ("healthy", self.healthy)):
            if name is not None and name not in self.classes:
                raise ValueError(f"{role} {name!r} is not one of the classes")
        for name, title in self.class_titles.items():
            if name not in self.classes:
                raise ValueError(f"class_titles names {name!r}, which is not one of the classes")
            if not title.strip():
                raise ValueError(f"the title of {name!r} in class_titles is empty: leave it out")
        if self.class_titles and len(set(map(self.title_of, self.classes))) < len(self.classes):
            raise ValueError("two classes have the same title in class_titles")
        return self


def read_card(folder: Path) -> Card:
    """Read ``folder/card.yaml``.

    Raises
    ------
    BadInput
        When the file is missing, is not YAML, or does not fit `Card`; names the field.
    """
    path = folder / "card.yaml"
    if not os.path.lexists(path):
        raise BadInput(f"{folder.name} is not a model folder: it has no card.yaml.")
    try:
        status = path.stat()
    except OSError as error:
        raise BadInput(f"card.yaml of {folder.name} cannot be read ({error.strerror}).") from error
    found = _read_card(folder, status.st_mtime_ns, status.st_size)
    if isinstance(found, str):
        raise BadInput(found)
    return found


@lru_cache(maxsize=256)
def _read_card(folder: Path, _changed: int, _size: int) -> Card | str:
    """The card as its file is now, or why it is none: reading YAML takes long where a page looks at every card."""
    try:
        return read_yaml_card(folder / "card.yaml", Card)
    except BadInput as error:
        return str(error)


def write_card(card: Card, folder: Path) -> None:
    """Write `card` as ``folder/card.yaml``."""
    text = yaml.safe_dump(card.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=110)
    (folder / "card.yaml").write_text(text, encoding="utf-8")

"""What a model format is. Importable without torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from core.registry import Registry, not_a_subclass

if TYPE_CHECKING:
    from core.models.card import Card
    from core.models.model import Model


class Format(ABC):
    """One way in which models are kept. Subclass it in one file of this folder; torch is imported inside `load`.

    Class attributes
    ----------------
    name : str
        Short name.
    title : str
        For people: what it is, and by which files it is known.
    """

    name: ClassVar[str]
    title: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        FORMATS.offer(cls)

    @classmethod
    @abstractmethod
    def sniff(cls, path: Path) -> bool:
        """Whether a folder or file is in this format. Looks at names and first bytes only: asked of whole libraries."""

    @classmethod
    @abstractmethod
    def files(cls, path: Path) -> list[Path]:
        """The files whose bytes decide what the model answers; a change of any makes it another model."""

    @classmethod
    @abstractmethod
    def card(cls, path: Path) -> Card:
        """What the model is, without its weights.

        Raises
        ------
        core.errors.BadInput
            When it cannot be read.
        """

    @classmethod
    @abstractmethod
    def load(cls, path: Path, device: str | None = None) -> Model:
        """The model, ready to be asked: in eval mode, gradients of the weights off.

        Parameters
        ----------
        path : pathlib.Path
            One that `sniff` recognises.
        device : str, optional
            As for `core.models.library.load_model`.

        Raises
        ------
        core.errors.BadInput
            When it is damaged or does not fit its card. Nothing may be unpickled.
        """


def _complaint(cls: Any) -> str | None:
    """Why something cannot be a format, as the end of a sentence."""
    return not_a_subclass(cls, Format, "title")


FORMATS: Registry[type[Format]] = Registry(
    "formats",
    "model format",
    [__package__],
    without={"base"},
    judge=_complaint,
    describe=lambda cls: {"title": cls.title},
)

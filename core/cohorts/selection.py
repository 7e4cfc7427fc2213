"""Which rows and folders of a cohort are read, and what ``cohort.yaml`` says about it."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from core.cards import read_yaml_card

CARD = "cohort.yaml"


def as_names(value: Any) -> Any:
    """``"Others, Hip"`` of a command line as two names; what is no text stays as it is."""
    if isinstance(value, str):
        return tuple(name.strip() for name in value.split(",") if name.strip())
    return value


#: Names of classes: a sequence, or text with commas between them.
Names = Annotated[tuple[str, ...], BeforeValidator(as_names)]


class Selection(BaseModel):
    """How a cohort folder is read; recipes and studies take these fields beside their own.

    A field that is left empty is what the folder's ``cohort.yaml`` says, and else the usual, see `usual`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str = Field("", description="table of the cohort; by default participants.tsv or participants.csv")
    images: str = Field("", description="folder below the cohort that the table's files are in; by default itself")
    label_column: str = Field("", description="column that holds the class; by default diagnosis")
    subject_column: str = Field("", description="column that names the subject; by default participant_id")
    separator: str = Field("", description="what stands between the classes of a row with several: such rows are out")
    exclude: Names = Field((), description="classes to leave out, with commas between them")
    minimum: int = Field(0, ge=0, description="classes with fewer scans are left out; by default 1")

    @property
    def selection(self) -> "Selection":
        """Only these fields, of a model that has others too."""
        return Selection(**{name: getattr(self, name) for name in Selection.model_fields})

    def over(self, below: "Selection") -> "Selection":
        """These choices, and those of `below` where nothing was chosen."""
        return Selection(**{name: getattr(self, name) or getattr(below, name) for name in Selection.model_fields})

    @staticmethod
    def usual() -> "Selection":
        """What holds where neither a person nor ``cohort.yaml`` says otherwise."""
        return Selection(label_column="diagnosis", subject_column="participant_id", minimum=1)


class CohortCard(Selection):
    """What ``cohort.yaml`` may say: what the cohort is, and how its folder is to be read."""

    title: str = Field("", max_length=200, description="for people; by default the folder's name")
    description: str = Field("", max_length=4000, description="where the scans come from, in a few sentences")
    synthetic: bool = Field(False, description="made by a program and of nobody: every result says so")


def read_cohort_card(folder: Path) -> CohortCard:
    """Read ``cohort.yaml`` of `folder`; a folder without one has an empty card.

    Raises
    ------
    BadInput
        When it is not YAML or does not fit `CohortCard`; names the field.
    """
    path = folder / CARD
    if not path.is_file():
        return CohortCard()
    return read_yaml_card(path, CohortCard)

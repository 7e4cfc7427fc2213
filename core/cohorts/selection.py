"""Which rows and folders of a cohort are read, and what ``cohort.yaml`` says about it."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, StringConstraints

from core.cards import read_yaml_card
from core.parameters import Parameters, parameter

CARD = "cohort.yaml"
#: heading of these settings
COHORT_GROUP = "What is read"


def as_names(value: Any) -> Any:
    """``"Others, Hip"`` of a command line as two names; what is no text stays as it is."""
    if isinstance(value, str):
        return tuple(name.strip() for name in value.split(",") if name.strip())
    return value


#: Names of classes: a sequence, or text with commas between them.
Names = Annotated[tuple[str, ...], BeforeValidator(as_names)]


class Selection(Parameters):
    """How a cohort folder is read; recipes and studies take these fields beside their own.

    A field that is left empty is what the folder's ``cohort.yaml`` says, and else the usual, see `usual`.
    """

    table: str = parameter(
        "", "Table of the cohort; by default participants.tsv or participants.csv.", group=COHORT_GROUP, advanced=True
    )
    images: str = parameter(
        "",
        "Folder below the cohort that the table's files are in; by default the cohort itself.",
        group=COHORT_GROUP,
        advanced=True,
    )
    image: str = parameter(
        "",
        "Which image of a session in a BIDS tree: its suffix, with entities before it where several have that (T1w, "
        "label-GM_probseg). By default the only kind that there is, or T1w.",
        group=COHORT_GROUP,
        advanced=True,
    )
    label_column: str = parameter(
        "", "Column of the table that holds the class; by default diagnosis.", group=COHORT_GROUP, advanced=True
    )
    subject_column: str = parameter(
        "", "Column of the table that names the subject; by default participant_id.", group=COHORT_GROUP, advanced=True
    )
    separator: str = parameter(
        "",
        "What stands between the classes of a row that has several: such rows are left out.",
        group=COHORT_GROUP,
        advanced=True,
    )
    exclude: Names = parameter((), "Classes to leave out, with commas between them.", group=COHORT_GROUP)
    minimum: int = parameter(
        0, "Classes with fewer scans are left out; by default 1.", minimum=0, unit="scans", group=COHORT_GROUP
    )

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

    title: Annotated[str, StringConstraints(max_length=200)] = parameter(
        "", "Title for people; by default the folder's name."
    )
    description: Annotated[str, StringConstraints(max_length=4000)] = parameter(
        "", "Where the scans come from, in a few sentences."
    )
    synthetic: bool = parameter(False, "Made by a program and of nobody: every result says so.")


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

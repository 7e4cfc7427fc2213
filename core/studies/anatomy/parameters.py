"""Settings of the study "anatomy"."""

from typing import Literal

from core.cohorts.selection import Names, Selection
from core.parameters import parameter

#: Films of each class that are drawn where there is no cohort, unless another number is asked for.
MADE_FILMS = 20


class AnatomyStudyParameters(Selection):
    """Settings of the study, beside how the cohort is read."""

    others: Names = parameter(
        (), "Further networks, library names or folders with commas between them.", picks="models"
    )
    classes: Names = parameter(
        (), "Only films of these classes, with commas between them; by default of all.", advanced=True
    )
    films: int = parameter(
        0,
        f"At most so many films of each class; 0: all, of made ones {MADE_FILMS}.",
        minimum=0,
        maximum=100_000,
        title="films of each class (0: all)",
    )
    part: Literal["test", "validation", "train", "all"] = parameter(
        "test",
        "Films of this split; all takes every film, and so does test where the cohort has no splits and no share is "
        "held out.",
        title="split",
    )
    test: float = parameter(
        0.0,
        "Where the cohort has no splits: share of patients held out, as the recipe does.",
        minimum=0,
        maximum=0.59,
        advanced=True,
    )
    validation: float = parameter(0.0, "The same for the validation split.", minimum=0, maximum=0.49, advanced=True)
    seed: int = parameter(0, "Seed of that split: the one the networks were trained with.", minimum=0, advanced=True)
    explainer: str = parameter("deconvnet", "What draws the maps.", picks="explainer", advanced=True)
    filters: int = parameter(25, "Strongest filters of the layer, of deconvnet.", minimum=1, maximum=100_000)
    layer: str = parameter("", "Layer they are taken from; by default the card's.", picks="layer", advanced=True)
    score: Literal["sum", "max", "mean"] = parameter("sum", "How a filter's activation is measured.")
    random_weights: int = parameter(
        3, "Films of each class explained with random weights too, as a control; 0: none.", minimum=0, maximum=100_000
    )

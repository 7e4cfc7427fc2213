"""Settings of the recipe "anatomy"."""

from typing import Literal

from core.cohorts.selection import Selection
from core.parameters import parameter
from core.training.base import CHANGES, DRAWN, HELD_OUT, LEARNING, NETWORK
from core.training.fitting.parameters import AugmentationRanges, NetworkParameters, architecture_of

#: of the people on the films that networks are judged on beside their own test set
SHIFTED_SEED = 9000


class AnatomyParameters(Selection, AugmentationRanges, NetworkParameters):
    """Settings of the recipe."""

    architecture: str = architecture_of("anatomy-cnn")
    seed: int = parameter(0, "Seed of phantoms, split, weights, batches and augmentation.", minimum=0, **LEARNING)
    network: Literal["shallow", "deeper", "regularised"] = parameter(
        "regularised",
        "Which of the paper's networks, table 2, 3 or 4: regularised has batch norm and dropout.",
        reference="tables 2 to 4",
        **NETWORK,
    )
    augment: bool | None = parameter(
        None,
        "Change films at random while training; by default not for shallow and deeper, as published.",
        reference="section 3",
        **CHANGES,
    )
    size: int = parameter(
        224,
        "Rows and columns of the network's input.",
        minimum=16,
        maximum=1024,
        unit="pixels",
        paper=224,
        reference="section 3",
        **NETWORK,
    )
    epochs: int = parameter(60, "Times as many films as there are for training.", minimum=1, unit="epochs", **LEARNING)
    batch: int = parameter(
        16, "Films a batch; balanced, rounded up to as many of each class.", minimum=2, unit="films", **LEARNING
    )
    learning_rate: float = parameter(
        1e-3, "Peak of the one-cycle schedule (Adam).", above=0, maximum=1, scale="log", **LEARNING
    )
    gradient_clip: float = parameter(1.0, "Longest gradient.", above=0, advanced=True, **LEARNING)
    balanced: bool = parameter(
        True, "Every batch holds every class in equal number, however uneven the cohort.", **LEARNING
    )
    precision: Literal["float32", "bfloat16"] = parameter(
        "float32",
        "Of the convolutions while training; bfloat16 is faster where the processor has it.",
        advanced=True,
        **LEARNING,
    )
    test: float = parameter(
        0.1,
        "Share of patients for testing, where the cohort has no splits.",
        minimum=0,
        below=0.6,
        paper=0.1,
        reference="section 3",
        **HELD_OUT,
    )
    validation: float = parameter(
        0.0, "Share of patients for validation, where the cohort has no splits.", minimum=0, below=0.5, **HELD_OUT
    )
    half: bool = parameter(True, "Store weights as float16, half the size.", advanced=True, **NETWORK)
    films: int = parameter(80, "Films of each class.", minimum=2, unit="films", **DRAWN)
    marker: Literal["none", "random", "class"] = parameter(
        "random",
        "Side markers. Random: on every other film, whatever it shows. Class: on all of them, letter and corner tell "
        "the class, and three films in four show any part of the body.",
        **DRAWN,
    )
    shifted_films: int = parameter(
        25,
        "Films of each class, taken unlike those for training, to judge on; 0 draws none.",
        minimum=0,
        unit="films",
        **DRAWN,
    )

    @property
    def augmented(self) -> bool:
        """Whether films are changed while training."""
        return self.network == "regularised" if self.augment is None else self.augment

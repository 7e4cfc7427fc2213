"""Settings of the recipe "classifier"."""

from typing import Literal

from core.cohorts.selection import Selection
from core.parameters import parameter
from core.training.base import CHANGES, DRAWN, HELD_OUT, LEARNING, NETWORK, READ
from core.training.fitting.parameters import NetworkParameters, architecture_of

_USUAL = Selection.usual()


class ClassifierParameters(NetworkParameters):
    """Settings of the recipe; defaults made the demo model."""

    architecture: str = architecture_of("block-cnn")
    seed: int = parameter(0, "Seed of phantoms, split, weights, batches and fills.", minimum=0, **LEARNING)
    subject_column: str = parameter(
        _USUAL.subject_column,
        "Column of the table that names the subject, unless cohort.yaml names another.",
        advanced=True,
        **READ,
    )
    label_column: str = parameter(
        _USUAL.label_column, "Column of the table that holds the class, unless cohort.yaml names another.", **READ
    )
    images: str = parameter(
        "",
        "Folder below the cohort that the scans are in (derivatives/NAME); by default the cohort itself.",
        advanced=True,
        **READ,
    )
    image: str = parameter(
        "",
        "Which image of a session in a BIDS tree (T1w, label-GM_probseg); by default the only kind, or T1w.",
        advanced=True,
        **READ,
    )
    healthy: str | None = parameter(
        None,
        "Class that means nothing was found; by default CN, else the first that is not the target.",
        **READ,
    )
    target: str | None = parameter(None, "Class to explain; by default AD, else the last.", **READ)
    spacing_mm: float = parameter(
        3.0,
        "Distance of the samples in the MNI box; 0 stays on the first scan's own grid.",
        minimum=0,
        maximum=8,
        unit="mm",
        title="spacing",
        **READ,
    )
    space: Literal["MNI152", "other"] | None = parameter(
        None, "Space of the cohort's scans; by default MNI152, or other when the spacing is 0.", **READ
    )
    plane: Literal["axial", "coronal", "sagittal"] | None = parameter(
        None, "Train on one slice of each volume, cut this way; by default on whole volumes.", **READ
    )
    position_mm: float | None = parameter(None, "Where that slice is taken, RAS+.", unit="mm", title="position", **READ)
    support: Literal["template", "mean"] = parameter(
        "template",
        "Where masks may paint: where the MNI grey-matter template, or the healthy mean, exceeds 20 %.",
        advanced=True,
        **READ,
    )
    healthy_subjects: int | None = parameter(
        None,
        "Scans of single healthy training subjects that are kept beside the model: a mask is tested with their tissue. "
        "They leave with the model's folder, so that by default there are 3 of phantoms and none of a cohort's people.",
        minimum=0,
        maximum=20,
        unit="subjects",
        **READ,
    )
    phantom_twins: int = parameter(300, "Pairs of phantoms for training.", minimum=1, unit="pairs", **DRAWN)
    phantom_singles: int = parameter(120, "Phantoms of each class to validate and test.", minimum=2, **DRAWN)
    phantom_spacing_mm: float | None = parameter(
        None, "Voxel size of the phantoms; by default that of the input.", unit="mm", advanced=True, **DRAWN
    )
    phantom_blur_mm: float = parameter(
        4.0,
        "Strongest blur of the phantoms, full width at half maximum.",
        minimum=2,
        maximum=12,
        unit="mm",
        title="phantom blur",
        **DRAWN,
    )
    validation: float = parameter(
        0.1, "Share of subjects for validation, where the cohort has no splits.", minimum=0, below=0.5, **HELD_OUT
    )
    test: float = parameter(
        0.2, "Share of subjects for testing, where the cohort has no splits.", minimum=0, below=0.6, **HELD_OUT
    )
    steps: int = parameter(2000, "Batches in all.", minimum=1, unit="batches", **LEARNING)
    plain_share: float = parameter(
        0.3, "Share of the steps before random fills begin.", minimum=0, maximum=1, **CHANGES
    )
    fill_share: float = parameter(
        0.75, "Share of images that get a random fill after that.", minimum=0, maximum=1, **CHANGES
    )
    batch: int = parameter(4, "Images a batch, every class in equal number.", minimum=2, unit="images", **LEARNING)
    learning_rate: float = parameter(
        1e-3, "Peak of the one-cycle schedule (Adam).", above=0, maximum=1, scale="log", **LEARNING
    )
    gradient_clip: float = parameter(1.0, "Longest gradient.", above=0, advanced=True, **LEARNING)
    dropout: float = parameter(
        0.2,
        "Share of features dropped while training, before the linear layer of the recipe's own network.",
        minimum=0,
        below=1,
        **NETWORK,
    )
    half: bool = parameter(True, "Store weights as float16, half the size.", advanced=True, **NETWORK)

    @property
    def selection(self) -> Selection:
        """How a cohort folder is read: what is as usual leaves the word to ``cohort.yaml``."""
        named = {name: getattr(self, name) for name in ("subject_column", "label_column", "images", "image")}
        return Selection(**{name: value for name, value in named.items() if value != getattr(_USUAL, name)})

"""Settings that several recipes have. Importable without torch."""

import json
from typing import Annotated, Any

from pydantic import BeforeValidator

from core.parameters import Parameters, parameter
from core.training.base import CHANGES, HELD_OUT, LEARNING, NETWORK, READ


def _read_arguments(value: Any) -> Any:
    """JSON of a command line as a mapping; what is no text stays as it is."""
    if not isinstance(value, str):
        return value
    try:
        read = json.loads(value)
    except json.JSONDecodeError:
        read = None
    if not isinstance(read, dict):
        raise ValueError('write arguments as JSON, such as {"width": 8}')
    return read


def architecture_of(name: Any) -> Any:
    """Declare `NetworkParameters.architecture` with a recipe's own network, `name`, as the default."""
    return parameter(
        name,
        "Network that is trained: one that is there for the recipe's task, of the product or of a plug-in.",
        picks="architecture",
        **NETWORK,
    )


class NetworkParameters(Parameters):
    """Settings of every recipe that trains whatever network is named; the recipe says which is its own."""

    architecture: str = architecture_of(...)
    architecture_arguments: Annotated[dict[str, Any], BeforeValidator(_read_arguments)] = parameter(
        {},
        'Arguments of the network\'s constructor, over those that the recipe gives, as JSON: {"width": 8}.',
        advanced=True,
        **NETWORK,
    )


class PairParameters(Parameters):
    """Settings of every recipe on pairs: which files, whose they are, what is held out."""

    seed: int = parameter(0, "Seed of phantoms, split, weights and batches.", minimum=0, **LEARNING)
    input_folder: str | None = parameter(
        None,
        "Folder of the images shown; by default T1, MRI, MR or input. Of a BIDS tree their suffix, T1w.",
        advanced=True,
        **READ,
    )
    target_folder: str | None = parameter(
        None,
        "Folder of the images to make; by default T2, CT or target. Of a BIDS tree their suffix, T2w.",
        advanced=True,
        **READ,
    )
    case_pattern: str = parameter(
        r"[^_.]+",
        "Regular expression at the start of a file name that says whose it is, e.g. \\d\\d.",
        advanced=True,
        **READ,
    )
    quality_table: str | None = parameter(
        None, "CSV in the cohort folder with two columns: file name, figure of quality.", advanced=True, **READ
    )
    quality_from: float = parameter(0.0, "Pairs below this quality are left out.", advanced=True, **READ)
    validation: float = parameter(
        0.1, "Share of cases for validation, where the folder has no such split.", minimum=0, below=0.5, **HELD_OUT
    )
    test: float = parameter(
        0.2, "Share of cases for testing, where the folder has no splits.", minimum=0, below=0.6, **HELD_OUT
    )


class AugmentationRanges(Parameters):
    """How far each transform may go; all zero changes nothing. Every film of every batch draws anew."""

    crop: float = parameter(
        0.2, "Share of each side cut away, at most; the rest is enlarged.", minimum=0, below=1, **CHANGES
    )
    rotation: float = parameter(20.0, "Either way, at most.", minimum=0, maximum=180, unit="degrees", **CHANGES)
    translation: float = parameter(0.1, "Share of each side, either way, at most.", minimum=0, maximum=0.5, **CHANGES)
    shear: float = parameter(
        10.0, "Either way, rows and columns, at most.", minimum=0, maximum=45, unit="degrees", **CHANGES
    )
    stretch: float = parameter(
        0.2, "Each side longer or shorter by this share, at most.", minimum=0, maximum=1, **CHANGES
    )
    flip: float = parameter(0.5, "Share of films mirrored left to right.", minimum=0, maximum=1, **CHANGES)
    upside_down: float = parameter(0.0, "Share of films mirrored top to bottom.", minimum=0, maximum=1, **CHANGES)

"""Settings of the recipe "autoencoder"."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from core.cohorts.selection import as_names
from core.parameters import parameter
from core.training.base import DRAWN, LEARNING, NETWORK
from core.training.fitting.parameters import NetworkParameters, PairParameters, architecture_of

#: as `core.models.zoo.autoencoder.PAPER_WIDTHS`, which needs torch
_PAPER_WIDTHS = (16, 8, 8)
_SECTION = "section 4.1"


class AutoencoderParameters(PairParameters, NetworkParameters):
    """Settings of the recipe; widths, optimiser, loss and batch are the paper's."""

    architecture: str = architecture_of("autoencoder")
    widths: Annotated[tuple[int, ...], BeforeValidator(as_names), Field(min_length=1, max_length=6)] = parameter(
        _PAPER_WIDTHS,
        "Filters of each block of the encoder, with commas between them; the decoder has them in reverse.",
        paper=_PAPER_WIDTHS,
        reference=_SECTION,
        **NETWORK,
    )
    epochs: int = parameter(
        500,
        "Passes over the training pairs; 0 only judges the starting weights.",
        minimum=0,
        unit="epochs",
        paper=500,
        reference=_SECTION,
        **LEARNING,
    )
    batch: int = parameter(32, "Pairs a batch.", minimum=1, unit="pairs", paper=32, reference=_SECTION, **LEARNING)
    learning_rate: float = parameter(1e-3, "Of Nadam, at its highest.", above=0, maximum=1, scale="log", **LEARNING)
    schedule: Literal["constant", "cosine"] = parameter(
        "cosine",
        "Cosine falls to a hundredth at the last epoch; constant is the paper's.",
        paper="constant",
        reference=_SECTION,
        **LEARNING,
    )
    patience: int = parameter(
        0,
        "Stop after so many epochs without a better validation; 0 never stops.",
        minimum=0,
        unit="epochs",
        advanced=True,
        **LEARNING,
    )
    weights: Path | None = parameter(
        None,
        "Safetensors file to start from, of the same layers (conv0 .. conv6); with epochs=0 it becomes the model.",
        advanced=True,
        **NETWORK,
    )
    phantom_train: int = parameter(240, "Pairs for training.", minimum=1, unit="pairs", **DRAWN)
    phantom_held_out: int = parameter(40, "Pairs to validate, and as many to test.", minimum=1, unit="pairs", **DRAWN)
    phantom_rows: int = parameter(232, "Rows of a slice, 1 mm each.", minimum=32, maximum=232, advanced=True, **DRAWN)
    phantom_columns: int = parameter(
        200, "Columns of a slice, 1 mm each.", minimum=32, maximum=200, advanced=True, **DRAWN
    )

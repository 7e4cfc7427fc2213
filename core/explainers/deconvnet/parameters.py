"""Parameters of the deconvnet."""

from __future__ import annotations

from typing import Literal

from core.explainers.checked_map import MapParameters
from core.parameters import parameter

PAPER_FILTERS = 25


_PARAMETERS = "What to show"


class DeconvnetParameters(MapParameters):
    """Parameters of `Deconvnet`."""

    layer: str = parameter(
        "",
        "Layer whose filters are followed back, by name; empty takes the one the model's card names, else the last "
        "with a map over space that the answer rests on. Activation is taken after the norm and rectifier that "
        "directly follow it.",
        group=_PARAMETERS,
        reference="section 2",
        picks="layer",
    )
    filters: int = parameter(
        PAPER_FILTERS,
        "How many filters, strongest first, chosen for each image anew.",
        minimum=1,
        maximum=4096,
        scale="log",
        group=_PARAMETERS,
        paper=PAPER_FILTERS,
        reference="section 3",
    )
    score: Literal["sum", "max", "mean"] = parameter(
        "sum",
        "What makes a filter strong: the sum, the maximum or the mean of its rectified activation. Sum and mean give "
        "one order; the maximum prefers filters that answer strongly in one place. The paper does not say.",
        group=_PARAMETERS,
    )
    combine: Literal["overlay", "magnitude", "together"] = parameter(
        "overlay",
        "How filters become one map: overlay adds up their signed projections, magnitude adds up their sizes, so that "
        "nothing cancels, together projects them jointly in one pass.",
        group=_PARAMETERS,
    )
    separate: Literal["auto", "each", "combined"] = parameter(
        "auto",
        "Whether each filter's own projection is kept beside the combined map: auto keeps them for images and not for "
        "volumes.",
        group=_PARAMETERS,
    )

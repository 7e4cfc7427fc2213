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
        "Layer whose filters are followed back, by name; automatic takes the one that the model's description "
        "names, else the last with a map over space that the answer rests on. Activation is taken after the norm "
        "and rectifier that directly follow it.",
        group=_PARAMETERS,
        reference="section 2",
        picks="layer",
        title="Layer",
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
        title="Filters shown",
    )
    score: Literal["sum", "max", "mean"] = parameter(
        "sum",
        "What makes a filter strong: the sum, the maximum or the mean of its rectified activation. Sum and mean "
        "give one order; the maximum prefers filters that answer strongly in one place. The paper does not say.",
        group=_PARAMETERS,
        title="Strongest by",
        words={"sum": "their whole activation", "max": "their highest activation", "mean": "their mean activation"},
    )
    combine: Literal["overlay", "magnitude", "together"] = parameter(
        "overlay",
        "How filters become one map: adding up their signed projections, adding up their sizes, so that nothing "
        "cancels, or projecting them jointly in one pass.",
        group=_PARAMETERS,
        title="Combined by",
        words={"overlay": "adding up", "magnitude": "adding up sizes", "together": "one joint pass"},
    )
    separate: Literal["auto", "each", "combined"] = parameter(
        "auto",
        "Whether each filter's own projection is kept beside the combined map.",
        group=_PARAMETERS,
        title="Each filter alone",
        advanced=True,
        words={"auto": "for images", "each": "always", "combined": "never"},
    )

"""RISE as somebody else's package would have it: public names only."""

import numpy as np

from core.explainers import BaselineMap, BaselineParameters, MapArray
from core.explainers.hiding import hide
from core.explainers.sampling import baseline_image, scores_of
from core.parameters import parameter


class RiseParameters(BaselineParameters):
    masks: int = parameter(
        500, "Random masks. More: less noise.", minimum=10, maximum=8000, group="How long", paper=4000
    )
    cells: int = parameter(7, "Cells of a mask along each axis.", minimum=2, maximum=32, group="What to hide", paper=7)
    kept: float = parameter(
        0.5, "Share of the cells that stay visible.", minimum=0.05, maximum=0.95, group="What to hide", paper=0.5
    )


def masks_of(shape, parameters):
    """Random grids of cells, enlarged smoothly and shifted by part of a cell; 1 where the scan stays visible."""
    import torch

    random = torch.Generator().manual_seed(parameters.seed)
    larger = [n + -(-n // parameters.cells) for n in shape]
    mode = {2: "bilinear", 3: "trilinear"}[len(shape)]
    for _ in range(parameters.masks):
        cells = torch.rand((1, 1, *[parameters.cells] * len(shape)), generator=random) < parameters.kept
        grown = torch.nn.functional.interpolate(cells.float(), size=larger, mode=mode, align_corners=False)[0, 0]
        corner = [int(torch.randint(m - n + 1, (1,), generator=random)) for n, m in zip(shape, larger, strict=True)]
        yield grown[tuple(slice(c, c + n) for c, n in zip(corner, shape, strict=True))].numpy()


def make_rise():
    """The class; made when it is wanted, so that it is known to a test and not to all of them."""

    class Rise(BaselineMap):
        name = "toy-rise"
        title = "RISE"
        summary = "The map shows how likely the class is where a place stays visible among random masks."
        reference = "Petsiuk, Das, Saenko, BMVC 2018, arXiv:1806.07421, eq. 6"
        parameters_model = RiseParameters
        hide_by = "positive"

        def attribute(self, question, parameters):
            x, fill = question.prepared.tensor, baseline_image(question, parameters)
            shape = tuple(x.shape[2:])
            total = np.zeros(shape)
            for mask, score in scores_of(
                question,
                masks_of(shape, parameters),
                lambda mask: hide(x, 1 - mask, fill),
                parameters.masks,
                probability=True,
            ):
                total += score * mask
            values = total / (parameters.masks * parameters.kept)
            return MapArray(values.astype(np.float32), "RISE", "attribution", "probability")

    return Rise

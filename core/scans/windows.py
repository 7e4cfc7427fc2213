"""Windows of grey values: the ones that radiologists know by name, and the one that a CT is looked at in first."""

from dataclasses import dataclass

import numpy as np

#: Unit of the scale that the named windows are on.
HOUNSFIELD = "HU"


@dataclass(frozen=True)
class Window:
    """Grey values from black to white.

    Parameters
    ----------
    name : str
        What it is called.
    low, high : float
        Values of black and of white, HU.
    """

    name: str
    low: float
    high: float


def _centred(name: str, level: float, width: float) -> Window:
    return Window(name, level - width / 2, level + width / 2)


#: Level and width as radiopaedia.org's article "Windowing (CT)" gives them, in the order of the keys 1 to 9.
CT_WINDOWS: tuple[Window, ...] = (
    _centred("Brain", 40, 80),
    _centred("Subdural", 75, 215),
    _centred("Stroke", 40, 40),
    _centred("Bone", 400, 1800),
    _centred("Soft tissue", 50, 400),
    _centred("Lung", -600, 1500),
    _centred("Mediastinum", 50, 350),
    _centred("Liver", 30, 150),
    _centred("Angiography", 300, 600),
)
_BRAIN, _SOFT_TISSUE = CT_WINDOWS[0], CT_WINDOWS[4]
#: What counts as body, fat, and bone, HU.
_BODY, _FAT, _BONE = -300.0, (-150.0, -30.0), 300.0
#: A head has much bone and little fat: shares of the body that tell it from trunk and limbs.
_LEAST_BONE, _MOST_FAT = 0.06, 0.2
#: Half of a brain's samples between water and 100 HU lie near this: above 50 it is muscle.
_BRAIN_MEDIAN = (15.0, 50.0)
#: Most samples looked at.
_THINNED = 200_000


def ct_window(values: np.ndarray) -> Window | None:
    """The window that a CT is opened in: brain for a head, soft tissue for everything else.

    Parameters
    ----------
    values : numpy.ndarray, real
        Samples in HU, 2D or 3D.

    Returns
    -------
    Window, optional
        None where there is nothing but air.
    """
    step = max(1, round((values.size / _THINNED) ** (1 / values.ndim)))
    thinned = values[(slice(None, None, step),) * values.ndim]
    body = thinned[thinned > _BODY]
    if not body.size:
        return None
    fat = np.mean((body > _FAT[0]) & (body < _FAT[1]))
    bone = np.mean(body > _BONE)
    tissue = body[(body > 0) & (body < 100)]
    middle = float(np.median(tissue)) if tissue.size else 0.0
    head = bone > _LEAST_BONE and fat < _MOST_FAT and _BRAIN_MEDIAN[0] < middle < _BRAIN_MEDIAN[1]
    return _BRAIN if head else _SOFT_TISSUE

"""Where models run."""

import torch

from core.errors import BadInput
from core.settings import settings


def choose_device(wanted: str | None = None) -> torch.device:
    """Device from the settings: auto takes a GPU where there is one.

    Raises
    ------
    BadInput
        When a GPU is asked for that torch does not see.
    """
    wanted = wanted or settings().device
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(wanted)
    if device.type == "cuda" and (not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count()):
        raise BadInput(f"The device {wanted} is not there: set LIGHTBOX_DEVICE to cpu or auto.")
    return device

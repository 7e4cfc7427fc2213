"""Which channels of a scan a network is fed."""

import numpy as np

from core.errors import BadInput
from core.scans.samples import COLOURS
from core.scans.scan import Scan


def fed_channels(scan: Scan, channels: int) -> np.ndarray:
    """What a network of so many channels is fed of `scan`, on the scan's own grid.

    One channel is a colour picture's luminance. Three are its colours, or one grey image three times.

    Returns
    -------
    numpy.ndarray, float32, shape (channels, *scan.shape)

    Raises
    ------
    BadInput
        When the scan cannot give so many channels.
    """
    if scan.channels == channels:
        return scan.array
    if channels == COLOURS and scan.colours is not None:
        return scan.colours
    if channels == COLOURS and scan.channels == 1:
        return np.broadcast_to(scan.array, (channels, *scan.shape))
    raise BadInput(
        f"This model reads {channels} channel(s) and the scan has {scan.channels}: "
        "choose one volume of the series, or another model."
    )


def describe_channels(scan: Scan, channels: int) -> list[str]:
    """What to say about it; nothing where the scan has so many channels."""
    if scan.channels == channels:
        return []
    if scan.colours is not None:
        return ["the model is fed the picture's red, green and blue, not its luminance"]
    return ["the grey image fed to the model three times, as each of its channels"]

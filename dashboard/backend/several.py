"""What pages ask of the backend process about several files that came at once: a glance at each, then the store."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from core.errors import BadInput
from core.scans.scan import Scan
from dashboard.backend import questions
from dashboard.look import pictures

if TYPE_CHECKING:
    from core.scans.collect import Upload

#: Longest side of a picture, pixels.
LONGEST = 112
_COLOURS = 64
#: Seconds that pictures may take altogether, and samples of the largest image that is pictured.
_PATIENCE, _MOST_SAMPLES = 5.0, 40_000_000


@dataclass(frozen=True)
class Glance:
    """What several files are, before any of them is kept.

    Parameters
    ----------
    pictures : dict of str to bytes
        Key of an image → PNG of its middle slice; those that were too large, or too late, have none.
    left_out : tuple of str
        A sentence for each reason for which files are no image.
    """

    pictures: dict[str, bytes]
    left_out: tuple[str, ...] = ()


def glance(files: Sequence["Upload"]) -> Glance:
    """Look at several files; nothing of them is kept.

    Raises
    ------
    BadInput
        When there is no image among them.
    """
    from core.scans import look_through_upload

    begun, shown = time.monotonic(), {}
    with questions.memory_as_sentence():
        choices, left_out = look_through_upload(files)
        for choice in choices:
            late = time.monotonic() - begun > _PATIENCE
            if late or choice.problem is not None or prod(choice.shape) * choice.volumes > _MOST_SAMPLES:
                continue
            try:
                shown[choice.key] = _picture(choice.read())
            except BadInput:  # it is said when it is opened
                continue
    return Glance(shown, tuple(left_out))


def read_several(files: Sequence["Upload"], owner: str, keys: Sequence[str]) -> tuple[list[str], list[str]]:
    """Put several images into the store.

    Parameters
    ----------
    files : sequence of core.scans.Upload
        Where the browser's files were spooled to.
    owner : str
        Whose scans they become.
    keys : sequence of str
        Those that are wanted, of `dashboard.backend.questions.Series`.

    Returns
    -------
    list of str, list of str
        Content hashes in the order of `keys`, and a sentence for each that could not be read.

    Raises
    ------
    BadInput
        When there is no image among the files.
    """
    from core.scans import look_through_upload

    read: list[str] = []
    problems: list[str] = []
    with questions.memory_as_sentence():
        known = {choice.key: choice for choice in look_through_upload(files)[0]}
        for key in keys:
            try:
                scan = known[key].read()
            except BadInput as problem:
                problems.append(f"{known[key].description} was not opened. {problem}")
                continue
            read.append(questions.shelf(owner).add_scan(scan))
    return list(dict.fromkeys(read)), problems


def _picture(scan: Scan) -> bytes:
    """The middle axial slice as radiologists see it: the face up, the right on the left; an image as it is."""
    values = scan.array[0]
    film = values if values.ndim == 2 else values[::-1, ::-1, values.shape[2] // 2].T
    return pictures.film_png(np.nan_to_num(film, posinf=0.0, neginf=0.0), longest=LONGEST, colours=_COLOURS)

"""Values of DICOM elements as numbers, whatever the file holds there."""

import hashlib
import math
from typing import Any

import numpy as np


def first_number(value: Any) -> float | None:
    """First number in `value`, None for everything that is none."""
    values = as_list(value)
    try:
        number = float(values[0])
    except (IndexError, TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def as_list(value: Any) -> list[Any]:
    """The values of an element as a list; empty for an empty element."""
    if value is None or value == "":
        return []
    return [value] if isinstance(value, str | bytes | int | float) else list(value)


def vector(value: Any, length: int) -> np.ndarray | None:
    """Exactly `length` finite numbers as float64, else None."""
    numbers = [first_number(part) for part in as_list(value)] if value is not None else []
    if len(numbers) != length or None in numbers:
        return None
    return np.array(numbers, dtype=np.float64)


def unit_vectors(orientation: np.ndarray | None) -> np.ndarray | None:
    """Row and column directions, made exactly of length one; None when they span no plane."""
    if orientation is None:
        return None
    row, column = orientation[:3], orientation[3:]
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if min(lengths) < 0.5 or np.linalg.norm(np.cross(row, column)) < 0.5:
        return None
    return np.concatenate([row / lengths[0], column / lengths[1]])


def short_hash(text: str) -> str:
    """16 hex digits that stand for a UID, which could lead back to the patient."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]

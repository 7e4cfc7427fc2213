"""Which healthy subjects a model keeps beside its weights, and under which names."""

from collections.abc import Mapping, Sequence

import numpy as np

from core.cohorts.cohort import Entry
from core.models.card import HEALTHY_SUBJECT, is_healthy_subject

#: Kept of phantoms, whose images may go anywhere.
PHANTOM_SUBJECTS = 3


def one_each(entries: Sequence[Entry], count: int) -> list[Entry]:
    """At most `count` of the entries, each of another subject, spread evenly over the list: the same for the same list.

    Parameters
    ----------
    entries : sequence of Entry
        Healthy scans for training.
    count : int
        How many.
    """
    subjects = list({entry.participant_id: entry for entry in reversed(entries)}.values())[::-1]
    wanted = min(count, len(subjects))
    return [subjects[int((number + 0.5) * len(subjects) / wanted)] for number in range(wanted)]


def healthy_references(images: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Images of healthy subjects as references of a card: ``healthy_1``, ``healthy_2`` …."""
    return {f"{HEALTHY_SUBJECT}{number}": image for number, image in enumerate(images, start=1)}


def without_subjects(references: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """All references but those of healthy subjects."""
    return {name: values for name, values in references.items() if not is_healthy_subject(name)}

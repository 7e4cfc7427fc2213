"""Functional groups: where multi-frame objects say what a frame has for itself and what all frames share."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def functional_groups(dataset: "Dataset") -> tuple[Any, list[Any]]:
    """What all frames share, None without; and what each has for itself, empty without."""
    shared = list(dataset.get("SharedFunctionalGroupsSequence") or ())
    return shared[0] if shared else None, list(dataset.get("PerFrameFunctionalGroupsSequence") or ())


class FunctionalGroups:
    """Looks an element up in the frame's own groups, then the shared ones, then the top level.

    Parameters
    ----------
    dataset : pydicom.Dataset
        The file.
    shared, own : optional
        The item that all frames share, and the frame's own.
    """

    def __init__(self, dataset: "Dataset", shared: Any, own: Any) -> None:
        self.dataset = dataset
        self._levels = [level for level in (own, shared) if level is not None]

    def get(self, group: str, keyword: str) -> Any:
        """Value of an element that stands in `group`, or at the top level; None without it."""
        for level in self._levels:
            items = level.get(group)
            if items and items[0].get(keyword) is not None:
                return items[0].get(keyword)
        return self.dataset.get(keyword)

    def item(self, group: str) -> Any:
        """The item of a functional group, the frame's own or the shared one; None without one."""
        return next((level.get(group)[0] for level in self._levels if level.get(group)), None)

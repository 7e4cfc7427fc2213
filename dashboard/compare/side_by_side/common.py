"""What the maps of several runs may be compared by: where they lie, and what their values are."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.wording import listed
from dashboard.compare.side_by_side.members import Member
from dashboard.intake import catalogue


@dataclass(frozen=True)
class Common:
    """How far maps can be compared.

    Parameters
    ----------
    samples : bool
        Sample by sample.
    resampled : bool
        Only after they were brought onto the grid of the first.
    values : bool
        Their values are of one unit, so that they may be subtracted.
    notes : tuple of str
        What must be known of it, a sentence each.
    """

    samples: bool
    resampled: bool
    values: bool
    notes: tuple[str, ...]


def common_of(members: Sequence[Member]) -> Common:
    """How far the maps of finished runs can be compared.

    Parameters
    ----------
    members : sequence of Member
        With results, at least one.
    """
    first = members[0]
    one_grid = all(first.grid.same_as(member.grid) for member in members)
    in_mni = all(member.in_mni_space for member in members)
    one_scan = len({member.scan for member in members}) == 1
    resampled = not one_grid and in_mni and len(first.grid.shape) == 3
    notes = []
    if resampled:
        notes.append(
            f"The scans lie on different grids in MNI space: for every figure below, the maps were resampled onto the "
            f"grid of {first.letter}."
        )
    elif not one_grid:
        notes.append(
            "The scans lie on different grids, and nothing says that these have to do with each other: no sample of "
            "one map is held against a sample of another."
        )
    elif not one_scan and not in_mni:
        notes.append(
            "These are different scans on one grid: the same sample shows the same place of the body only as far as "
            "they were taken or registered alike."
        )
    units = _units(members)
    if len(units) > 1:
        told = listed([f"{listed(letters)} in {unit}" for unit, letters in units.items()])
        notes.append(
            f"The values have different meanings ({told}): where maps are strong is compared, by rank and place, and "
            "no value is subtracted from another."
        )
    sides = {side: [member.letter for member in members if member.main.side == side] for side in ("input", "output")}
    if all(sides.values()):
        notes.append(
            f"{listed(sides['input'])} lies on the scan and {listed(sides['output'])} on the image that the model "
            "makes of it: one grid, two pictures."
        )
    empty = [member.letter for member in members if member.empty]
    if empty:
        notes.append(f"The map of {listed(empty)} is zero everywhere: it has no likeness to any other.")
    return Common(one_grid or resampled, resampled, len(units) == 1, tuple(notes))


def _units(members: Sequence[Member]) -> dict[str, list[str]]:
    """Letters by what the values of their maps are."""
    found: dict[str, list[str]] = {}
    for member in members:
        found.setdefault(unit_of(member), []).append(member.letter)
    return found


def unit_of(member: Member) -> str:
    """What the values of a map mean: their unit, and whose they are; two methods may share a unit and no meaning."""
    explainer = catalogue.explainer_title(str(member.run.request["explainer"]))
    return f"{member.main.unit or member.main.title} of {explainer}"

"""Pairs of images of the same slice or volume: what an image-to-image model is shown and what it should answer."""

import csv
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.cohorts import bids
from core.cohorts.cohort import SPLITS
from core.cohorts.places import refuse_outside
from core.errors import BadInput
from core.scans.scan import Scan

#: folders looked for when none are named: (input, target)
KNOWN_FOLDERS = (("T1", "T2"), ("MRI", "CT"), ("MR", "CT"), ("input", "target"))
#: of a BIDS tree, when none are named
_SUFFIXES = ("T1w", "T2w")
_SUFFIX = re.compile(r"(\.nii)?\.(gz|nii|png|jpe?g|tiff?|mgz|mgh|dcm)$", re.IGNORECASE)


@dataclass(frozen=True)
class Pair:
    """One image and what should become of it.

    Parameters
    ----------
    name : str
        File name without its ending.
    case : str
        Whose it is: pairs of one case stay on one side of a split.
    split : str
        ``train``, ``validation``, ``test``, or empty where it is open.
    """

    name: str
    case: str
    split: str = ""


@dataclass(frozen=True, eq=False)
class PairCohort:
    """Pairs, how to read the two scans of one (input, target), and why others were left out."""

    name: str
    pairs: tuple[Pair, ...]
    load: Callable[[Pair], tuple[Scan, Scan]]
    left_out: Mapping[str, str]
    input_name: str
    target_name: str

    def part(self, split: str) -> tuple[Pair, ...]:
        """Pairs of one split."""
        return tuple(pair for pair in self.pairs if pair.split == split)


def read_pairs(
    folder: Path,
    input_folder: str | None = None,
    target_folder: str | None = None,
    case_pattern: str = r"[^_.]+",
    quality_table: str | None = None,
    quality_from: float = 0.0,
) -> PairCohort:
    r"""Find pairs of files with the same name (endings may differ) in two folders of `folder`.

    The two folders may also lie below ``train``, ``validation`` and ``test``: those are then the splits. In a BIDS tree
    the two images of a session are a pair, told apart by their suffixes (T1w and T2w).

    Parameters
    ----------
    folder : pathlib.Path
        What holds them.
    input_folder, target_folder : str, optional
        Names of the two folders; by default the first of T1/T2, MRI/CT, MR/CT, input/target that is there. In a BIDS
        tree the suffixes, with entities before them where several images have that; by default T1w and T2w.
    case_pattern : str
        Regular expression met at the start of a file's name: what it matches says whose image it is. By default all
        up to the first ``_``; ``\d\d`` takes the first two digits.
    quality_table : str, optional
        CSV inside `folder`, a row a file: its name, then a figure of quality (any header).
    quality_from : float
        Pairs below this quality are left out; so are those the table does not name.

    Raises
    ------
    BadInput
        No such folders, no pair, a name twice, a pattern that is none or that a name does not meet, a broken table.
    """
    try:
        pattern = re.compile(case_pattern)
    except re.error as error:
        raise BadInput(f"case_pattern is not a regular expression: {error}.") from error
    split_folders = {split: folder / split for split in SPLITS if (folder / split).is_dir()} or {"": folder}
    tree = bids.is_tree(folder)
    if tree:
        input_folder, target_folder = _named_both(input_folder, target_folder) or _SUFFIXES
    else:
        input_folder, target_folder = _folder_names(folder, split_folders, input_folder, target_folder)
    quality = _read_quality(folder, quality_table) if quality_table else None

    files: dict[str, tuple[Path, Path]] = {}
    pairs: list[Pair] = []
    left_out: dict[str, str] = {}
    for split, place in split_folders.items():
        find = bids.images_by_session if tree else _images_of_folder
        inputs, targets = (_inside(folder, find(place, name)) for name in (input_folder, target_folder))
        left_out |= dict.fromkeys(sorted(inputs.keys() ^ targets.keys()), "without its partner")
        for name in sorted(inputs.keys() & targets.keys()):
            if name in files:
                raise BadInput(f"{name} is in two splits: keep every image in one.")
            if quality is not None and not quality.get(name, -np.inf) >= quality_from:
                left_out[name] = f"quality below {quality_from:g}" if name in quality else "not in the quality table"
                continue
            match = pattern.match(name)
            if match is None or not match.group():
                raise BadInput(f"The name {name} does not meet case_pattern {case_pattern!r}: it must say whose it is.")
            files[name] = inputs[name], targets[name]
            pairs.append(Pair(name, match.group(), split))
    if not pairs:
        what = "sessions both images," if tree else "files the same name in"
        raise BadInput(f"{folder.name} holds no pair: give {what} {input_folder} and {target_folder}.")

    def load(pair: Pair) -> tuple[Scan, Scan]:
        from core.scans import load_scan

        source, target = files[pair.name]
        return load_scan(source), load_scan(target)

    return PairCohort(folder.name, tuple(pairs), load, left_out, input_folder, target_folder)


def split_by_case(cohort: PairCohort, validation: float, test: float, seed: int) -> PairCohort:
    """Give every pair a split, whole cases at a time.

    A cohort with splits keeps them; where it has no validation part, that share of the training cases becomes it.
    `test` is used only where there is no split at all. A share above 0 gets at least one case.

    Raises
    ------
    BadInput
        When a case is in two splits, or there are too few cases to have some left for training.
    """
    _refuse_shared_cases(cohort)
    parts = {pair.split for pair in cohort.pairs}
    if parts == {""}:
        cohort = _hold_out(cohort, "", {"validation": validation, "test": test}, seed)
    elif "validation" not in parts and "train" in parts:
        cohort = _hold_out(cohort, "train", {"validation": validation}, seed)
    return cohort


def _hold_out(cohort: PairCohort, source: str, shares: Mapping[str, float], seed: int) -> PairCohort:
    """Cases of the split `source`, shuffled, go to the splits of `shares` in turn and the rest to train."""
    cases = np.random.default_rng(seed).permutation(sorted({pair.case for pair in cohort.part(source)})).tolist()
    counts = {split: max(round(share * len(cases)), 1) if share > 0 else 0 for split, share in shares.items()}
    if sum(counts.values()) >= len(cases):
        raise BadInput(
            f"The pairs belong to {len(cases)} case(s), too few to train, validate and test on different ones: "
            "give more, or a case_pattern that tells them apart."
        )
    order = [split for split, count in counts.items() for _ in range(count)]
    split_of = {case: order[at] if at < len(order) else "train" for at, case in enumerate(cases)}
    moved = [replace(pair, split=split_of[pair.case]) if pair.split == source else pair for pair in cohort.pairs]
    return replace(cohort, pairs=tuple(moved))


def _refuse_shared_cases(cohort: PairCohort) -> None:
    split_of: dict[str, str] = {}
    for pair in cohort.pairs:
        if split_of.setdefault(pair.case, pair.split) != pair.split:
            raise BadInput(
                f"The case {pair.case} is in {split_of[pair.case]} and in {pair.split}: keep each case in one split, "
                "or give a case_pattern that tells cases apart."
            )


def _named_both(first: str | None, second: str | None) -> tuple[str, str] | None:
    if (first is None) != (second is None):
        raise BadInput("Name both folders, input_folder and target_folder, or neither.")
    return (first, second) if first and second else None


def _folder_names(
    folder: Path, places: Mapping[str, Path], input_folder: str | None, target_folder: str | None
) -> tuple[str, str]:
    """The two names that are folders in every place."""
    named = _named_both(input_folder, target_folder)
    if named and (set(named) & {".", ".."} or any("/" in name or "\\" in name for name in named)):
        raise BadInput("input_folder and target_folder are names of folders inside the cohort, not paths.")
    wanted: tuple[tuple[str, str], ...] = (named,) if named else KNOWN_FOLDERS
    for names in wanted:
        if all((place / name).is_dir() for place in places.values() for name in names):
            return names
    options = " or ".join(" and ".join(names) for names in wanted)
    raise BadInput(
        f"{folder.name} holds no folders {options}: "
        "name them with --param input_folder=NAME --param target_folder=NAME."
    )


def _inside(root: Path, images: dict[str, Path]) -> dict[str, Path]:
    """`images` once none of them lies outside the cohort, links followed."""
    for path in images.values():
        refuse_outside(root, path, f"The file {path.name} lies")
    return images


def _images_of_folder(place: Path, name: str) -> dict[str, Path]:
    """Name without ending → file, for every image file of the folder `name`."""
    folder = place / name
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not _SUFFIX.search(path.name) or not path.is_file():
            continue
        stem = _SUFFIX.sub("", path.name)
        if stem in found:
            raise BadInput(f"{folder.name} holds two files called {stem}: keep one.")
        found[stem] = path
    return found


def _read_quality(folder: Path, table: str) -> dict[str, float]:
    path = folder / table
    if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
        raise BadInput(f"The cohort folder holds no quality table {table}.")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if row][1:]
        return {_SUFFIX.sub("", row[0].strip()): float(row[1]) for row in rows}
    except (UnicodeDecodeError, csv.Error, ValueError, IndexError) as error:
        raise BadInput(f"{table} must be CSV: a header, then a file name and a number in each row.") from error

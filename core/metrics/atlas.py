"""Atlases: a label volume with names (any NIfTI and a table), and the coarse one that is built in."""

import csv
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import BadInput
from core.metrics.parcellation import parcellate, region_names
from core.models.card import InputContract
from core.models.input_grid import contract_grid
from core.models.inputs import plane_to_image
from core.scans.grid import Grid, resample
from core.settings import settings


@dataclass(frozen=True, eq=False)
class Atlas:
    """Labels on a grid with their names.

    Parameters
    ----------
    title : str
        What it is, for people.
    labels : numpy.ndarray, int32
        Label of each sample, 0 for none.
    names : dict of int to str
        Label → region name.
    """

    title: str
    labels: np.ndarray
    names: dict[int, str]


def atlas_for(contract: InputContract) -> Atlas | None:
    """The configured (or else the built-in) atlas, sampled where the model looks.

    The labels are resampled with nearest neighbour to the map's grid, never the map to the atlas.

    Parameters
    ----------
    contract : InputContract
        For models with a grid fixed (``affine``) in MNI space; for others there is no honest name to give.

    Returns
    -------
    Atlas or None
        Labels have the spatial shape of the model's input tensor. None when the model has no fixed place in MNI space.
    """
    if contract.affine is None or contract.space != "MNI152":
        return None
    plane = contract.plane if contract.dimensions == 2 else None
    grid = contract_grid(contract)
    path = settings().atlas
    key = (grid.shape, tuple(grid.affine.ravel()))
    atlas = _built_in(*key) if path is None else _from_file(path, path.stat().st_mtime if path.exists() else 0.0, *key)
    if plane is None:
        return atlas
    return Atlas(atlas.title, plane_to_image(atlas.labels, plane), atlas.names)


def read_atlas(path: Path, grid: Grid) -> Atlas:
    """Label NIfTI with its names, on `grid`.

    Parameters
    ----------
    path : pathlib.Path
        Label volume; names stand beside it in a file of the same stem (.tsv, .csv, .txt, .xml).
    grid : Grid
        Where to sample, nearest neighbour.

    Raises
    ------
    BadInput
        When the volume or its names cannot be read.
    """
    import nibabel

    if not path.is_file():
        raise BadInput(f"The atlas {path.name} is not there: set LIGHTBOX_ATLAS to a label volume.")
    try:
        image: Any = nibabel.load(path)
        labels = np.asarray(image.dataobj).squeeze()
    except Exception as error:
        raise BadInput(
            f"The atlas {path.name} cannot be read as NIfTI: set LIGHTBOX_ATLAS to a label volume."
        ) from error
    if labels.ndim != 3 or not np.array_equal(labels, np.round(labels)):
        raise BadInput(f"The atlas {path.name} is not a volume of whole-number labels.")
    source = Grid(tuple(labels.shape), np.asarray(image.affine))
    return Atlas(
        title=path.name.split(".")[0],
        labels=resample(labels.astype(np.int32), source, grid, order=0),
        names=read_names(_names_beside(path)),
    )


def read_names(path: Path) -> dict[int, str]:
    """Label names from TSV, CSV, TXT or XML (AAL, FSL and BIDS forms); background rows (label 0) are left out.

    A row gives one whole number and one text. Where a row holds several, the label is the column called index, label,
    value or roi_value, else the last whole number (AAL's TXT: ``1 Precentral_L 2001``).

    Raises
    ------
    BadInput
        When there is no name in it, or XML with entities.
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    pairs = _names_from_xml(text) if path.suffix == ".xml" else _names_from_table(text, path.suffix)
    names = {label: name for label, name in pairs if label > 0 and name}
    if not names:
        raise BadInput(f"No label names were found in {path.name}: give one whole number and one name a line.")
    return names


def _names_beside(path: Path) -> Path:
    stem = re.sub(r"\.nii(\.gz)?$", "", path.name)
    for suffix in (".tsv", ".csv", ".xml", ".txt"):
        candidate = path.with_name(stem + suffix)
        if candidate.is_file():
            return candidate
    raise BadInput(f"The atlas {path.name} has no names beside it: add {stem}.tsv with columns index and name.")


def _names_from_table(text: str, suffix: str) -> list[tuple[int, str]]:
    delimiter = {".tsv": "\t", ".csv": ","}.get(suffix)
    lines = [line for line in text.splitlines() if line.strip()]
    rows = (
        list(csv.reader(lines, delimiter=delimiter)) if delimiter else [re.split(r"\s+", row.strip()) for row in lines]
    )
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    column = next((header.index(name) for name in ("index", "roi_value", "label", "value") if name in header), None)
    pairs = []
    for row in rows:
        cells = [cell.strip() for cell in row]
        numbers = [cell for cell in cells if re.fullmatch(r"\d+", cell)]
        words = [cell for cell in cells if re.search(r"[A-Za-z]", cell)]
        if not numbers or not words:
            continue
        chosen = cells[column] if column is not None and column < len(cells) else numbers[-1]
        if re.fullmatch(r"\d+", chosen):
            pairs.append((int(chosen), words[0]))
    return pairs


def _names_from_xml(text: str) -> list[tuple[int, str]]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise BadInput("The atlas names hold XML entities, which are not read: use a TSV file instead.")
    pairs = []
    for node in ElementTree.fromstring(text).iter("label"):  # noqa: S314 - entities are refused above
        index = node.findtext("index") or node.get("index") or ""
        name = node.findtext("name") or (node.text or "")
        if index.strip().isdigit():
            pairs.append((int(index), name.strip()))
    return pairs


@lru_cache(maxsize=4)
def _built_in(shape: tuple[int, ...], affine: tuple[float, ...]) -> Atlas:
    grid = Grid(shape, np.array(affine).reshape(4, 4))
    return Atlas("built-in coarse parcellation", parcellate(grid), region_names())


@lru_cache(maxsize=4)
def _from_file(path: Path, modified: float, shape: tuple[int, ...], affine: tuple[float, ...]) -> Atlas:
    return read_atlas(path, Grid(shape, np.array(affine).reshape(4, 4)))

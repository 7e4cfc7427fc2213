"""The library: folders of models that whoever runs the server put there. Nothing here is ever unpickled."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save, save_file

from core.errors import BadInput
from core.files import write_atomically
from core.models.card import Card, write_card
from core.models.devices import choose_device
from core.models.folders import format_of, library_folders, list_cards, resolve
from core.models.model import Model

__all__ = [
    "choose_device",
    "library_folders",
    "list_cards",
    "load_model",
    "resolve",
    "save_model",
    "save_references",
]


def load_model(name: str | Path, device: str | None = None) -> Model:
    """Load a model by library name or folder.

    Parameters
    ----------
    name : str or pathlib.Path
        Library name, or where a model is: a folder with ``card.yaml`` and ``weights.safetensors``, or whatever a format
        of `core.models.formats` reads.
    device : str, optional
        ``auto``, ``cpu``, ``cuda:N``; by default the settings'.

    Raises
    ------
    BadInput
        When it is no model, is damaged, or does not fit its card.
    """
    path = resolve(name)
    known = format_of(path)
    if known is None:
        raise BadInput(f"{path.name} is no model any more: restore its files.")
    return known.load(path, device)


def save_model(
    folder: Path,
    card: Card,
    network: torch.nn.Module,
    references: dict[str, np.ndarray] | None = None,
    half: bool = False,
) -> None:
    """Write a model folder: card, weights and references.

    Parameters
    ----------
    folder : pathlib.Path
        Made when missing; files of the same names are written over.
    card : Card
        Its ``references`` must name those given here.
    network : torch.nn.Module
        Whose weights and buffers are written.
    references : dict of str to numpy.ndarray, optional
        Arrays on the model's grid (``healthy_mean``, ``support``, ``healthy_1`` …), spatial shape; written as float16.
    half : bool
        Write the weights as float16, half the size; they are float32 again when loaded.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        key: (value.half() if half and value.is_floating_point() else value).detach().cpu().contiguous()
        for key, value in network.state_dict().items()
    }
    save_file(state, folder / "weights.safetensors")
    if references:
        save_file(_as_tensors(references), folder / "references.safetensors")
    write_card(card, folder)
    for path in folder.glob("*.safetensors"):
        path.chmod(0o644)  # safetensors writes for the owner alone; a server may run as somebody else


def save_references(folder: Path, card: Card, references: Mapping[str, np.ndarray]) -> Card:
    """Give a model folder other references; weights and everything else on the card stay.

    Parameters
    ----------
    folder : pathlib.Path
        Of the model.
    card : Card
        As it is.
    references : mapping of str to numpy.ndarray
        All of them, arrays on the model's grid; written as float16.

    Returns
    -------
    Card
        As it is now.

    Raises
    ------
    BadInput
        When the folder cannot be written to.
    """
    path, changed = folder / "references.safetensors", card.model_copy(update={"references": tuple(references)})
    content = save(_as_tensors(references))
    try:
        write_atomically(path, lambda file: file.write(content))
        write_card(changed, folder)
        path.chmod(0o644)
    except OSError as error:
        raise BadInput(f"The folder of {card.name} cannot be written to: copy it to where it can.") from error
    return changed


def _as_tensors(references: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """Half precision is enough of an image, where it reaches as far as its values do."""
    reach = float(np.finfo(np.float16).max)
    types = {name: np.float16 if np.abs(values).max() < reach else np.float32 for name, values in references.items()}
    return {k: torch.from_numpy(np.ascontiguousarray(v, dtype=types[k])) for k, v in references.items()}

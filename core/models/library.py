"""The library: folders of models that whoever runs the server put there. Nothing here is ever unpickled."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from core.errors import BadInput
from core.models.card import Card, write_card
from core.models.devices import choose_device
from core.models.folders import format_of, library_folders, list_cards, resolve
from core.models.model import Model

__all__ = ["choose_device", "library_folders", "list_cards", "load_model", "resolve", "save_model"]


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
        Arrays on the model's grid (``healthy_mean``, ``support``), spatial shape; written as float16.
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
        tensors = {k: torch.from_numpy(np.ascontiguousarray(v, dtype=np.float16)) for k, v in references.items()}
        save_file(tensors, folder / "references.safetensors")
    write_card(card, folder)
    for path in folder.glob("*.safetensors"):
        path.chmod(0o644)  # safetensors writes for the owner alone; a server may run as somebody else

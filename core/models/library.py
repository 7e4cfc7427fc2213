"""The library: folders of models that whoever runs the server put there. Nothing here is ever unpickled."""

from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file as load_numpy
from safetensors.torch import load_file, save_file

from core.errors import BadInput
from core.models.card import Card, read_card, write_card
from core.models.folders import library_folders, list_cards, resolve
from core.models.model import Model
from core.models.zoo import build
from core.settings import settings

__all__ = ["choose_device", "library_folders", "list_cards", "load_model", "resolve", "save_model"]


def choose_device(wanted: str | None = None) -> torch.device:
    """Device from the settings: auto takes a GPU where there is one.

    Raises
    ------
    BadInput
        When a GPU is asked for that torch does not see.
    """
    wanted = wanted or settings().device
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(wanted)
    if device.type == "cuda" and (not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count()):
        raise BadInput(f"The device {wanted} is not there: set LIGHTBOX_DEVICE to cpu or auto.")
    return device


def load_model(name: str | Path, device: str | None = None) -> Model:
    """Load a model by library name or folder.

    Parameters
    ----------
    name : str or pathlib.Path
        Library name, or folder with ``card.yaml`` and ``weights.safetensors``.
    device : str, optional
        ``auto``, ``cpu``, ``cuda:N``; by default the settings'.

    Raises
    ------
    BadInput
        When the folder is not a model, the architecture is unknown, or the weights do not fit it.
    """
    folder = resolve(name)
    card = read_card(folder)
    network = build(card.architecture.name, card.architecture.arguments)
    try:
        network.load_state_dict(load_file(folder / "weights.safetensors"))  # what is stored in half comes as float32
    except FileNotFoundError as error:
        raise BadInput(f"The model folder {folder.name} has no weights.safetensors.") from error
    except (SafetensorError, OSError) as error:
        raise BadInput(f"The weights of {folder.name} are not a safetensors file.") from error
    except (RuntimeError, TypeError) as error:
        raise BadInput(
            f"The weights of {folder.name} do not fit the architecture {card.architecture.name}: "
            f"{str(error).splitlines()[-1].strip()}"
        ) from error
    broken = [name for name, value in network.state_dict().items() if not torch.isfinite(value).all()]
    if broken:
        raise BadInput(f"The weights of {folder.name} hold NaN or infinity in {broken[0]}: train or export it again.")
    network.to(choose_device(device)).eval().requires_grad_(False)
    model = Model(card, network, folder, _load_references(folder, card))
    for layer in (*card.feature_layers, *filter(None, [card.attribution_layer])):
        model.layer(layer)
    return model


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


def _load_references(folder: Path, card: Card) -> dict[str, np.ndarray]:
    path = folder / "references.safetensors"
    if not card.references:
        return {}
    if not path.is_file():
        raise BadInput(f"The card of {folder.name} names references and references.safetensors is missing.")
    try:
        arrays = load_numpy(path)
    except (SafetensorError, OSError) as error:
        raise BadInput(f"The references of {folder.name} are not a safetensors file.") from error
    missing = [name for name in card.references if name not in arrays]
    if missing:
        raise BadInput(f"references.safetensors of {folder.name} lacks {', '.join(missing)}.")
    references = {name: arrays[name].astype(np.float32) for name in card.references}
    for name, values in references.items():
        _check_reference(folder, card, name, values)
    return references


def _check_reference(folder: Path, card: Card, name: str, values: np.ndarray) -> None:
    """A reference lies on the model's grid, sample by sample; a healthy mean may have channels before that."""
    shape = card.input.shape
    if shape is None:
        raise BadInput(f"The card of {folder.name} names references and no input.shape that they could lie on.")
    allowed = [shape] if name == "support" else [shape, (card.input.channels, *shape), (1, *shape)]
    if values.shape not in allowed:
        raise BadInput(f"The reference {name} of {folder.name} has shape {values.shape} and the model reads {shape}.")
    if not np.isfinite(values).all():
        raise BadInput(f"The reference {name} of {folder.name} holds NaN or infinity: make it again.")
    if name == "support" and not (values > 0.5).any():
        raise BadInput(f"The support of {folder.name} is empty: mark where a mask may paint with 1.")

"""Reading a model folder. Nothing here is ever unpickled."""

from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file as load_numpy
from safetensors.torch import load_file

from core.errors import BadInput
from core.models.card import Card, read_card
from core.models.devices import choose_device
from core.models.model import Model
from core.models.zoo import build


def load_folder(folder: Path, device: str | None = None) -> Model:
    """Build the architecture that the card names and give it the weights.

    Parameters
    ----------
    folder : pathlib.Path
        With ``card.yaml`` and ``weights.safetensors``.
    device : str, optional
        As for `core.models.library.load_model`.

    Raises
    ------
    BadInput
        When a file is missing or damaged, the architecture is unknown, or the weights do not fit it.
    """
    card = read_card(folder)
    _refuse_what_never_ends(folder)
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


def _refuse_what_never_ends(folder: Path) -> None:
    """A pipe or device in the place of a file would be read for ever."""
    for name in ("weights.safetensors", "references.safetensors"):
        if (folder / name).exists() and not (folder / name).is_file():
            raise BadInput(f"{name} of {folder.name} is no file but a pipe, a device or a folder: restore it.")


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

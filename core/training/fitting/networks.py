"""From the architecture that somebody names to a network ready for its first step."""

import inspect
import json
from collections.abc import Mapping

import torch

from core.errors import BadInput
from core.models.card import Architecture
from core.models.trainable import FirstLook, Purpose, Task, TrainableNetwork
from core.models.zoo import architectures, build
from core.networks import convolutions, last_feature_map
from core.registry import look_up
from core.training.fitting.parameters import NetworkParameters

_KINDS: dict[Task, str] = {"classification": "classifiers", "regression": "networks from image to image"}


def chosen_class(recipe: str, parameters: NetworkParameters, task: Task) -> type[TrainableNetwork]:
    """The class of the architecture that `parameters` name.

    Raises
    ------
    BadInput
        When there is none, or the recipe named `recipe`, which trains for `task`, cannot train it.
    """
    name = parameters.architecture
    cls = look_up(name, architectures(), "architecture")
    if not issubclass(cls, TrainableNetwork):
        raise BadInput(
            f"The architecture {name} cannot be trained: its class is no core.models.trainable.TrainableNetwork."
        )
    if cls.task != task:
        fit = [other for other, found in architectures().items() if getattr(found, "task", None) == task]
        raise BadInput(
            f"The architecture {name} is one of the {_KINDS[cls.task]}, and the recipe {recipe} trains {_KINDS[task]}: "
            f"choose {' or '.join(fit)}, or another recipe."
        )
    if task == "regression" and not cls.any_size:
        raise BadInput(
            f"The architecture {name} reads images of one size, and the recipe {recipe} trains networks that read any."
        )
    return cls


def planned(
    cls: type[TrainableNetwork], parameters: NetworkParameters, purpose: Purpose, own: Mapping[str, str]
) -> Architecture:
    """Name and arguments of the network to make, as the card keeps them.

    Parameters
    ----------
    cls : type of TrainableNetwork
        From `chosen_class`.
    parameters : NetworkParameters
        The recipe's.
    purpose : Purpose
        What it is to be trained for.
    own : mapping of str to str
        Settings of the recipe that become arguments of the constructor: setting → argument. The recipe's own
        architecture gets them all; another one those that differ from their defaults.

    Raises
    ------
    BadInput
        When it cannot be built for this purpose, or has no such argument; says which.
    """
    name = parameters.architecture
    if purpose.dimensions not in cls.dimensions:
        read = " and ".join(f"{dimensions}D" for dimensions in cls.dimensions)
        raise BadInput(f"The architecture {name} reads {read} images, and these are {purpose.dimensions}D.")
    try:
        arguments = dict(cls.arguments_for(purpose))
    except (TypeError, ValueError, LookupError) as error:
        raise BadInput(f"The architecture {name} cannot be built for these images: {_reason(error)}.") from error
    taken = inspect.signature(cls).parameters
    for setting, argument in own.items():
        value, usual = getattr(parameters, setting), type(parameters).model_fields[setting].default
        if name != type(parameters).model_fields["architecture"].default:
            if value == usual:
                continue
            if argument not in taken:
                raise BadInput(f"The architecture {name} takes no {argument}: leave {setting} out.")
        arguments[argument] = value
    arguments |= parameters.architecture_arguments
    try:
        plain = json.loads(json.dumps(arguments))
    except (TypeError, ValueError) as error:
        raise BadInput(f"The architecture {name} has arguments that no card can keep: {_reason(error)}.") from error
    ordered = [*(argument for argument in taken if argument in plain), *(name for name in plain if name not in taken)]
    return Architecture(name=name, arguments={argument: plain[argument] for argument in ordered})


def built(architecture: Architecture, purpose: Purpose, example: torch.Tensor) -> TrainableNetwork:
    """A network with fresh weights, on the CPU, that has answered once.

    Parameters
    ----------
    architecture : Architecture
        From `planned`.
    purpose : Purpose
        What it is to be trained for.
    example : torch.Tensor, float32, shape (1, C, *spatial)
        One of the training images.

    Raises
    ------
    BadInput
        When its arguments do not fit, it cannot read the example, or its answer has another shape than it must.
    """
    network = build(architecture.name, architecture.arguments)
    assert isinstance(network, TrainableNetwork)
    classifies = purpose.task == "classification"
    wanted = (1, purpose.classes) if classifies else (1, purpose.channels_out, *example.shape[2:])
    size = "×".join(map(str, example.shape[2:]))
    network.eval()
    try:
        with torch.no_grad():
            answer = network(example)
    except (RuntimeError, TypeError, ValueError, LookupError, AttributeError) as error:
        raise BadInput(
            f"The architecture {architecture.name} cannot read an image of {size}: {_reason(error)}."
        ) from error
    shape = tuple(getattr(answer, "shape", ()))
    if shape != wanted:
        raise BadInput(
            f"The architecture {architecture.name} answers an image of {size} with an array of shape {shape}, and "
            f"{wanted} is wanted."
        )
    return network


@torch.no_grad()
def start(network: TrainableNetwork, look: FirstLook) -> None:
    """Let `network` set what is not learnt step by step."""
    network.start(look)


def layers_of(network: TrainableNetwork, example: torch.Tensor | None = None) -> tuple[tuple[str, ...], str | None]:
    """Names of the feature layers, and of the one that Grad-CAM takes; none and None for a network without any.

    Parameters
    ----------
    network : TrainableNetwork
    example : torch.Tensor, optional, shape (1, C, *spatial)
        A classifier's input: where the network does not name the layer for Grad-CAM, nor its feature layers, it is the
        last map over space that the answer to the example rests on.
    """
    own, chosen = network.feature_layers(), network.attribution_layer()
    features = tuple(convolutions(network) if own is None else own)
    if chosen is None and own is None and features and example is not None:
        device = next(network.parameters()).device
        chosen = last_feature_map(network, example.to(device))
        # it may be a group of layers, whose branches join in it
        features += () if chosen is None or chosen in features else (chosen,)
    return features, chosen or (features[-1] if features else None)


def _reason(error: Exception) -> str:
    """First line of an error, as the end of a sentence."""
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__

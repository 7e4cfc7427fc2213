"""What an architecture says of itself so that recipes can train it: a subclass of `TrainableNetwork`.

One that is no `TrainableNetwork` can be loaded, asked and explained all the same.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import nn

Task = Literal["classification", "regression"]


@dataclass(frozen=True)
class Purpose:
    """What a network is to be trained for.

    Parameters
    ----------
    task : {"classification", "regression"}
        Whether it answers with a logit a class, or with an image.
    dimensions : int
        2 or 3: of the images.
    channels : int
        Channels of the images.
    shape : tuple of int, optional
        Spatial shape of every image; None where it is open (regression): any multiple of
        `TrainableNetwork.multiple_of`.
    classes : int
        Number of classes; 0 for regression.
    channels_out : int
        Channels of the answer; 0 for classification.
    """

    task: Task
    dimensions: int
    channels: int
    shape: tuple[int, ...] | None = None
    classes: int = 0
    channels_out: int = 0


@dataclass(frozen=True, eq=False)
class FirstLook:
    """What is known of the training images before the first step, on the device of the network.

    Parameters
    ----------
    mean : torch.Tensor, float32, shape (C, *spatial)
        Mean image, as the network is fed: of the healthy scans where there is a healthy class.
    low, high : float
        Range of the values.
    mean_answer : torch.Tensor, float32, shape (C_out,), optional
        Mean of each channel of the true answers, in the network's own units; regression only.
    """

    mean: torch.Tensor
    low: float
    high: float
    mean_answer: torch.Tensor | None = None


class TrainableNetwork(nn.Module, ABC):
    """A network that recipes can train. Only `task` and `arguments_for` must be given.

    Class attributes
    ----------------
    task : {"classification", "regression"}
        What it is: which recipes can train it.
    dimensions : collection of int
        Of the images it can be built for.
    any_size : bool
        Regression: whether it answers images of any size, as recipes for image pairs need it.
    input_range, output_range : (float, float)
        Regression: the values that it is fed, and those it answers with.
    """

    task: ClassVar[Task]
    dimensions: ClassVar[Collection[int]] = (2, 3)
    any_size: ClassVar[bool] = True
    input_range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    output_range: ClassVar[tuple[float, float]] = (0.0, 1.0)

    @classmethod
    @abstractmethod
    def arguments_for(cls, purpose: Purpose) -> dict[str, Any]:
        """Arguments of the constructor that make a network for `purpose`: plain values, which the card keeps.

        A recipe adds its own (``dropout``) and those that a person asks for (``architecture_arguments``).

        Raises
        ------
        ValueError
            Where there can be none, with the reason as the end of a sentence.
        """

    @classmethod
    def multiple_of(cls, arguments: Mapping[str, Any]) -> int:
        """Regression: what the sides of an image must be multiples of; images are padded to it."""
        return 1

    def start(self, look: FirstLook) -> None:
        """Set what is not learnt step by step, once, before the first step and without gradients; by default nothing.

        The mean that the input is centred on, starting weights other than the constructor's, the last bias.
        """

    def slower_weights(self) -> Mapping[str, float]:
        """Weights by name that shall learn at a share of the learning rate; by default none. Classifiers only."""
        return {}

    def feature_layers(self) -> Sequence[str] | None:
        """Layers by name that a person may pick, first to last; None: every convolution."""
        return None

    def attribution_layer(self) -> str | None:
        """Layer that Grad-CAM takes unless another is asked for.

        None: the last of the feature layers; of a network that names none either, the last one with a map over space
        that the answer rests on.
        """
        return None

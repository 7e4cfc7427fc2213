"""From the name of an architecture to a network: what is asked of it, and one sentence where it does not fit."""

from typing import Any

import pytest
import torch

from core.errors import BadInput
from core.models.trainable import FirstLook, Purpose
from core.parameters import validate
from core.training import get_recipe
from core.training.fitting.networks import built, chosen_class, layers_of, planned, start
from core.training.fitting.parameters import NetworkParameters, architecture_of
from core.training.recipes.classifier.parameters import ClassifierParameters
from tests.core.training import toys

FILMS = Purpose("classification", 2, 1, (8, 9), classes=3)
VOLUMES = Purpose("classification", 3, 2, (5, 6, 7), classes=2)
PAIRS = Purpose("regression", 3, 1, channels_out=2)
DROPOUT = {"dropout": "dropout"}


def named(name: str, **values: Any) -> ClassifierParameters:
    return validate(ClassifierParameters, {"architecture": name, **values})


def test_the_purpose_becomes_arguments_in_the_order_of_the_constructor() -> None:
    made = planned(toys.ToyClassifier, named("toy-classifier"), VOLUMES, own=DROPOUT)
    assert made.name == "toy-classifier"
    assert list(made.arguments.items()) == [("channels", 2), ("classes", 2), ("dimensions", 3)]
    flat = planned(toys.ToyFlat, named("toy-flat"), FILMS, own={})
    assert flat.arguments == {"shape": [8, 9], "classes": 3, "channels": 1}  # a card keeps lists


def test_what_a_person_asks_for_goes_over_the_hook_and_the_recipe() -> None:
    parameters = named("toy-classifier", dropout="0.5", architecture_arguments='{"width": 3, "classes": 9}')
    made = planned(toys.ToyClassifier, parameters, FILMS, own=DROPOUT)
    assert made.arguments == {"channels": 1, "classes": 9, "dimensions": 2, "width": 3, "dropout": 0.5}
    untouched = planned(toys.ToyClassifier, named("toy-classifier"), FILMS, own=DROPOUT)
    assert "dropout" not in untouched.arguments  # the recipe's default is for its own network
    own = planned(chosen_class("r", named("block-cnn"), "classification"), named("block-cnn"), FILMS, own=DROPOUT)
    assert own.arguments["dropout"] == 0.2


def test_a_setting_that_the_architecture_does_not_take_is_refused() -> None:
    with pytest.raises(BadInput, match=r"^The architecture toy-flat takes no dropout: leave dropout out\.$"):
        planned(toys.ToyFlat, named("toy-flat", dropout=0.5), FILMS, own=DROPOUT)


@pytest.mark.parametrize(
    ("name", "task", "sentence"),
    [
        ("toy", "classification", r"no architecture 'toy'; there is .*toy-classifier"),
        ("toy-untrainable", "classification", r"toy-untrainable cannot be trained: its class is no .*TrainableNetwork"),
        (
            "toy-regressor",
            "classification",
            r"toy-regressor is one of the networks from image to image, and ",
        ),
        ("autoencoder", "classification", r"trains classifiers: choose anatomy-cnn or block-cnn or toy-"),
        (
            "block-cnn",
            "regression",
            r"block-cnn is one of the classifiers, and the recipe films trains networks ",
        ),
        (
            "toy-fixed-regressor",
            "regression",
            r"images of one size, and the recipe films trains networks that ",
        ),
    ],
)
def test_an_architecture_that_this_recipe_cannot_train_is_refused(name: str, task: Any, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        chosen_class("films", named(name), task)


@pytest.mark.parametrize(
    ("cls", "name", "purpose", "sentence"),
    [
        (toys.ToyFlat, "toy-flat", VOLUMES, r"toy-flat reads 2D images, and these are 3D\.$"),
        (
            toys.ToyFlat,
            "toy-flat",
            Purpose("classification", 2, 1, (8, 8), classes=2),
            r"toy-flat cannot be built for these images: toy-flat needs three classes\.$",
        ),
        (toys.ToyUncardable, "toy-uncardable", FILMS, r"toy-uncardable has arguments that no card can keep: .*dtype"),
    ],
)
def test_an_architecture_that_does_not_fit_the_images_is_refused(
    cls: Any, name: str, purpose: Purpose, sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence):
        planned(cls, named(name), purpose, own={})


@pytest.mark.parametrize(
    ("cls", "name", "arguments", "sentence"),
    [
        (
            toys.ToyWrongAnswer,
            "toy-wrong-answer",
            "{}",
            r"answers an image of 8×9 with an array of shape \(1, 4\), ",
        ),
        (toys.ToyBroken, "toy-broken", "{}", r"toy-broken cannot read an image of 8×9: "),
        (toys.ToyClassifier, "toy-classifier", '{"depth": 1}', r"does not take these arguments: .*'depth'"),
    ],
)
def test_a_network_that_cannot_answer_is_refused_before_training(
    cls: Any, name: str, arguments: str, sentence: str
) -> None:
    plan = planned(cls, named(name, architecture_arguments=arguments), FILMS, own={})
    with pytest.raises(BadInput, match=sentence):
        built(plan, FILMS, torch.zeros(1, 1, 8, 9))


def test_trying_a_network_out_draws_nothing_and_leaves_its_statistics() -> None:
    plan = planned(toys.ToyClassifier, named("toy-classifier"), FILMS, own={})
    torch.manual_seed(0)
    network = built(plan, FILMS, torch.rand(1, 1, 8, 9, generator=torch.Generator().manual_seed(1)))
    after = torch.rand(3)
    torch.manual_seed(0)
    plain = toys.ToyClassifier(**plan.arguments)
    assert torch.equal(torch.rand(3), after)
    for name, value in plain.state_dict().items():
        assert torch.equal(value, network.state_dict()[name])


def test_a_network_is_started_without_gradients() -> None:
    network = toys.ToyFlat((8, 9), 3, 1)
    look = FirstLook(torch.rand(1, 8, 9), 0.0, 1.0)
    start(network, look)
    assert network.started is look and not network.last.weight.any() and network.last.weight.grad is None


def test_layers_are_the_networks_own_or_every_convolution() -> None:
    assert layers_of(toys.ToyClassifier(1, 2, 3)) == (("first", "second"), "second")
    assert layers_of(toys.ToyRegressor(1, 1, 2)) == (("down",), "down")
    assert layers_of(toys.ToyFlat((8, 9), 3, 1)) == ((), None)


def test_a_regressor_answers_in_the_shape_of_the_image() -> None:
    plan = planned(toys.ToyRegressor, named("toy-regressor"), PAIRS, own={})
    assert plan.arguments == {"channels": 1, "channels_out": 2, "dimensions": 3}
    assert isinstance(built(plan, PAIRS, torch.zeros(1, 1, 4, 6, 8)), toys.ToyRegressor)


@pytest.mark.parametrize("typed", ["width=8", "[1]", '"width"', "{", "{width: 8}"])
def test_arguments_are_typed_as_json(typed: str) -> None:
    with pytest.raises(BadInput, match=r"^Parameter architecture_arguments: write arguments as JSON, such as \{"):
        named("toy-classifier", architecture_arguments=typed)


def test_every_recipe_has_a_network_of_its_own_that_it_can_train() -> None:
    with pytest.raises(BadInput, match="Parameter architecture is needed"):
        validate(NetworkParameters, {})
    own = {"classifier": "block-cnn", "anatomy": "anatomy-cnn", "autoencoder": "autoencoder", "pix2pix": "pix2pix-unet"}
    for recipe, name in own.items():
        parameters = get_recipe(recipe).parameters()
        assert parameters.architecture == name
        task = "regression" if recipe in ("autoencoder", "pix2pix") else "classification"
        assert chosen_class(recipe, parameters, task).task == task
    assert architecture_of("x").default == "x"

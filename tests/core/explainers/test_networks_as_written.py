"""Every explainer on networks the way people write them: those that write into their input, or read colours."""

import numpy as np
import pytest
import torch
from torch import nn

from core.explainers import Question, explain
from core.explainers.registry import explainers, get_explainer
from core.models.card import Architecture, Card, InputContract, Intensity, Training
from core.models.model import Model
from core.scans.scan import Scan
from tests.core.networks.userland import CLASSES, InPlaceInput, head, userland

SHAPE = (24, 26)
#: what makes the slow ones quick
QUICK = {
    "mask": {"iterations": 4, "start": "ones", "selection": "lowest_loss", "warm_up": 0},
    "ibix": {"jitters": 4, "superpixels": 9, "levels": "1", "body": False},
    "smoothgrad": {"samples": 3},
    "grad_cam": {"rectify": False},
    "occlusion": {"window_mm": 8.0, "stride_mm": 8.0},
    "deconvnet": {"filters": 4},
    "integrated_gradients": {"steps": 8},
}


def model_of(network: nn.Module, channels: int = 1, classes: int = CLASSES, shape: tuple[int, int] = SHAPE) -> Model:
    names = tuple("abcdef"[:classes])
    card = Card(
        name="written",
        title="Written by hand",
        task="classification",
        synthetic=True,
        architecture=Architecture(name="block-cnn", arguments={}),
        input=InputContract(
            dimensions=2,
            channels=channels,
            shape=shape,
            spacing_mm=(1.0, 1.0),
            intensity=Intensity(low=0, high=1, units="signal"),
        ),
        classes=names,
        training=Training(data="none", seed=0),
    )
    return Model(card, network.eval().requires_grad_(False))


def scan(seed: int = 1) -> Scan:
    return Scan(np.random.default_rng(seed).random((1, *SHAPE), dtype=np.float32), np.eye(4))


class OnACopy(nn.Module):
    """The same network, always given a copy."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.conv1, self.norm, self.conv2 = network.conv1, network.norm, network.conv2
        self.relu1, self.relu2, self.pool, self.head = network.relu1, network.relu2, network.pool, network.head

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = (x - 0.5) / 0.25
        return self.head(self.relu2(self.conv2(self.pool(self.relu1(self.norm(self.conv1(x)))))))


def region() -> np.ndarray:
    marked = np.zeros(SHAPE, dtype=bool)
    marked[8:14, 9:15] = True
    return marked


@pytest.mark.parametrize("name", sorted(explainers()))
def test_a_network_that_writes_into_its_input_is_explained_like_one_that_does_not(name):
    if get_explainer(name).unfit(model_of(userland("writes into its input"))):
        pytest.skip("explains other models")
    options = {"region": region()} if name == "ibix" else {}
    found = {}
    for kind, wrap in {"in place": lambda network: network, "on a copy": OnACopy}.items():
        given, model = scan(), model_of(wrap(userland("writes into its input")))
        untouched = given.array.copy()
        found[kind] = explain(given, model, name, parameters=QUICK.get(name), **options)
        np.testing.assert_array_equal(given.array, untouched)
    here, there = found["in place"], found["on a copy"]
    # a few steps need not find a mask: their curves tell what the network was asked and said
    assert here.arrays["map"].values.any() or len(here.history.get("iteration", ())) == 4
    for column, curve in there.history.items():
        assert here.history[column] == pytest.approx(curve, rel=1e-3, abs=1e-6), column
    for array in there.arrays:
        largest = np.abs(there.arrays[array].values).max()
        np.testing.assert_allclose(here.arrays[array].values, there.arrays[array].values, atol=1e-4 * largest)
    assert here.scores["before"] == pytest.approx(there.scores["before"], abs=1e-6)
    assert here.numbers.keys() == there.numbers.keys()
    if here.scores["after"]:
        assert here.scores["after"] == pytest.approx(there.scores["after"], abs=1e-4)


def test_whoever_asks_a_models_network_gives_it_a_copy():
    network = InPlaceInput().eval()
    model = model_of(network)
    Model(model.card, network)  # a second model of the same network sets nothing again
    assert len(network._forward_pre_hooks) == 1
    x = torch.rand(2, 1, *SHAPE)
    kept = x.clone()
    network(x)
    model.probabilities(x[:1])
    assert torch.equal(x, kept)
    watched = x.clone().requires_grad_(True)
    network(watched)[0, 0].backward()
    assert watched.grad.abs().sum() > 0


class Opponent(nn.Module):
    """Reads one colour minus another: a grey picture says nothing to it."""

    def __init__(self, green: float = -1.0) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.colours, self.conv = nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.Conv2d(4, 4, 3, padding=1)
        self.relu, self.head = nn.ReLU(), head(4)
        with torch.no_grad():
            w = torch.rand(4, 1, 3, 3) - 0.3
            self.colours.weight.copy_(torch.cat([w, green * w, torch.zeros_like(w)], 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.relu(self.conv(torch.tanh(self.colours(x)))))


class OfGrey(nn.Module):
    """A network of three channels as one of the grey image that is fed to each."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network(x.repeat(1, 3, 1, 1))


GRADIENTS = {
    "saliency": [{}, {"signed": True}],
    "smoothgrad": [{"samples": 3, "kind": kind} for kind in ("smoothgrad", "smoothgrad_sq", "vargrad")],
    "integrated_gradients": [{"steps": 8, "baseline": "constant"}],
    "guided_backpropagation": [{}],
    "occlusion": [{"window_mm": 8.0, "stride_mm": 8.0, "baseline": "constant"}],
    "ibix": [{"mode": "gradient", "direction": "backward", "compare": False, "body": False}],
}
CASES = [(name, options) for name, sets in GRADIENTS.items() for options in sets]


@pytest.mark.parametrize(("name", "options"), CASES)
def test_colours_that_cancel_in_a_grey_scan_leave_nothing_in_the_map(name, options):
    """A grey scan can change the score by nothing here, whatever each channel alone would do."""
    opposed = explain(scan(), model_of(Opponent(), 3), name, parameters=options).arrays["map"].values
    reading = explain(scan(), model_of(Opponent(green=1.0), 3), name, parameters=options).arrays["map"].values
    assert np.abs(reading).max() > 0
    assert np.abs(opposed).max() <= 1e-6 * np.abs(reading).max()


@pytest.mark.parametrize(("name", "options"), CASES)
def test_a_grey_scan_fed_to_three_channels_has_the_map_of_the_grey_network(name, options):
    network = Opponent(green=0.4)
    three = explain(scan(), model_of(network, 3), name, parameters=options).arrays["map"].values
    one = explain(scan(), model_of(OfGrey(network)), name, parameters=options).arrays["map"].values
    np.testing.assert_allclose(three, one, atol=1e-5 * np.abs(one).max())


def test_a_colour_picture_keeps_what_each_colour_does():
    grey = scan().array
    colours = np.concatenate([grey, 1 - grey, grey])
    picture = Scan(grey, np.eye(4), colours=colours)
    model = model_of(Opponent(), 3)
    question = Question(model, model.prepare(picture), 0)
    x = question.prepared.tensor.clone().requires_grad_(True)
    model.network(x)[0, 0].backward()
    found = get_explainer("saliency")().attribute(question, get_explainer("saliency").parameters()).values
    np.testing.assert_allclose(found, x.grad[0].abs().sum(dim=0).numpy(), atol=1e-7)
    assert found.max() > 0

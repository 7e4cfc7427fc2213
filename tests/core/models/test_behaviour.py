"""A network that is no function of the scan, or has no gradient, is noticed and said; nothing is said of the others."""

import importlib.util

import numpy as np
import pytest
import torch
from torch import nn

from core.errors import BadInput
from core.explainers import explain, explainers
from core.models.behaviour import observe, probe_input
from core.models.model import Model
from tests.core.models.userland import (
    SHAPE,
    Body,
    Dropping,
    HalfDetached,
    OfTheBatch,
    OneAtATime,
    model,
    scan,
)
from tests.shared import SHARED_DATA

NETWORKS = SHARED_DATA / "public_cases" / "networks" / "userland.py"


class Noisy(Body):
    """Draws from the generator that `draw` uses."""

    def __init__(self, draw, size: float = 1.0) -> None:
        super().__init__(3)
        self.draw, self.size = draw, size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.logits(x) + self.size * self.draw(x)


class Rarely(Body):
    """Another answer one time in three: two askings are mostly alike."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.logits(x) * (1.0 if torch.rand(()) < 0.67 else 3.0)


class Counting(Body):
    """Remembers how often it was asked."""

    def __init__(self) -> None:
        super().__init__(3)
        self.asked = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.asked += 1
        return self.logits(x) + torch.tensor([self.asked % 2, 0.0, 0.0])


CHANCE = {
    "dropout": lambda: Dropping(3),
    "torch": lambda: Noisy(lambda x: torch.randn(len(x), 3)),
    "numpy": lambda: Noisy(lambda x: torch.from_numpy(np.random.randn(len(x), 3).astype(np.float32))),  # noqa: NPY002
    "its own generator": lambda: Noisy(lambda x: torch.from_numpy(np.random.default_rng().normal(size=(len(x), 3)))),
    "rarely": lambda: Rarely(3),
    "a counter": Counting,
}


@pytest.mark.parametrize("kind", CHANCE)
def test_a_network_with_chance_in_it_is_noticed_and_not_explained(kind):
    torch.manual_seed(5)
    asked = model(CHANCE[kind]())
    assert asked.behaviour().spread > 0.01
    assert "differently each time" in " ".join(asked.prepare(scan()).warnings)
    for explainer in ("saliency", "occlusion", "mask"):
        with pytest.raises(BadInput, match=r"differently each time.*Turn its dropout or noise off"):
            explain(scan(), asked, explainer, target="a")
    assert sum(asked.predict(scan()).values()) == pytest.approx(1, abs=1e-5)


def test_chance_that_hardly_matters_is_said_and_explained():
    torch.manual_seed(5)
    found = explain(scan(), model(Noisy(lambda x: torch.randn(len(x), 3), 0.003)), "saliency", target="a")
    assert "differently each time" in found.warnings[0]


def test_asking_draws_from_nobodys_generator():
    asked = model(Body(3))
    before, drawn = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    asked.behaviour()
    assert torch.equal(before, torch.get_rng_state())
    assert (np.random.get_state()[1] == drawn).all()  # noqa: NPY002


@pytest.mark.parametrize("network", [OfTheBatch(3), OneAtATime(3)], ids=["statistics of the batch", "takes no batches"])
@pytest.mark.parametrize(
    ("explainer", "settings"),
    [
        ("occlusion", {"window_mm": 6.0, "stride_mm": 6.0, "batch": 4, "baseline": "constant"}),
        ("integrated_gradients", {"baseline": "constant", "batch": 4}),
        ("smoothgrad", {"batch": 4, "samples": 8}),
    ],
)
def test_a_scan_whose_answer_depends_on_company_is_asked_alone(network, explainer, settings):
    asked = model(network)
    assert asked.behaviour().alone
    found = explain(scan(), asked, explainer, target="b", **settings)
    assert "asked alone" in found.warnings[0]
    alone = explain(scan(), asked, explainer, target="b", **{**settings, "batch": 1})
    np.testing.assert_allclose(found.arrays["map"].values, alone.arrays["map"].values, atol=1e-5)


@pytest.mark.parametrize("engine", ["auto", "batches"])
def test_windows_of_a_network_that_looks_at_the_batch_are_those_of_the_scan_alone(engine):
    asked = model(OfTheBatch(3))
    settings = {
        "direction": "backward",
        "superpixels": 12,
        "jitters": 4,
        "sums": "signed",
        "body": False,
        "levels": "1",
    }
    found = explain(scan(), asked, "ibix", target="b", engine=engine, **settings)
    labels, values = found.arrays["superpixels"].values, found.arrays["map"].values
    x, place = asked.prepare(scan()).tensor, torch.from_numpy(labels == labels.max())
    steps = [sign * k * 0.392 / 2 for sign in (-1, 1) for k in (1, 2)]
    slopes = [float((asked.network(x + h * place)[0, 1] - asked.network(x)[0, 1]) / h) for h in steps]
    assert values[labels == labels.max()][0] * place.sum() == pytest.approx(np.mean(slopes), rel=1e-3)


@pytest.mark.parametrize(
    "error", [RuntimeError("DefaultCPUAllocator: can't allocate memory"), ValueError("one at a time"), AssertionError()]
)
def test_a_network_that_takes_no_two_at_once_is_asked_alone_however_it_refuses(error):
    class Large(Body):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if len(x) > 1:
                raise error
            return super().forward(x)

    asked = model(Large(3))
    assert asked.behaviour().alone
    assert asked.scores(torch.rand(3, 1, *SHAPE)).shape == (3, 3)


def test_a_network_that_leaves_torch_is_still_asked():
    def shares(logits, x):
        return torch.from_numpy(1 / (1 + np.exp(-logits(x).numpy())))

    asked = model(Changed(shares))
    assert asked.prepare(scan()).warnings == ()
    assert sum(asked.predict(scan()).values()) == pytest.approx(1, abs=1e-5)


def test_a_network_that_fails_as_nobody_thought_of_fails_when_it_is_asked_and_not_before():
    class Odd(Body):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise KeyError("whatever")

    asked = model(Odd(3))
    prepared = asked.prepare(scan())
    assert prepared.warnings == ()
    with pytest.raises(KeyError, match="whatever"):
        asked.probabilities(prepared.tensor)


def test_a_network_that_cannot_be_differentiated_is_refused_by_those_who_follow_gradients():
    class Backless(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, gradient):
            raise NotImplementedError("no way back")

    asked = model(Changed(lambda logits, x: Backless.apply(logits(x))))
    with pytest.raises(BadInput, match=r"cannot be differentiated \(no way back\)"):
        explain(scan(), asked, "saliency", target="a")


def test_scores_of_a_batch_are_those_of_each_scan_alone():
    asked = model(OfTheBatch(3))
    x = torch.rand(3, 1, *SHAPE, generator=torch.Generator().manual_seed(2)) * torch.tensor([1.0, 0.2, 3.0]).view(
        3, 1, 1, 1
    )
    each = torch.cat([asked.network(one[None]) for one in x])
    assert (asked.network(x) - each).abs().max() > 1e-3
    torch.testing.assert_close(asked.scores(x), each)


class Straight(torch.autograd.Function):
    """Rounds, and lets the gradient pass as if it did not."""

    @staticmethod
    def forward(ctx, x):
        return (x * 2).round() / 2

    @staticmethod
    def backward(ctx, gradient):
        return gradient


class Changed(Body):
    """Its answer is what `change` makes of scan and logits."""

    def __init__(self, change) -> None:
        super().__init__(3)
        self.change = change

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.change(self.logits, x)


def without_gradients(logits, x):
    with torch.no_grad():
        return logits(x)


NO_GRADIENT = {
    "detached": lambda: Changed(lambda logits, x: logits(x.detach())),
    "no_grad": lambda: Changed(without_gradients),
    "numpy": lambda: Changed(lambda logits, x: torch.from_numpy(logits(x).detach().numpy())),
    "argmax": lambda: Changed(lambda logits, x: nn.functional.one_hot(logits(x).argmax(1), 3).float()),
    "rounded answer": lambda: Changed(lambda logits, x: logits(x).round(decimals=1)),
    "rounded scan": lambda: Changed(lambda logits, x: logits((x * 4).round() / 4)),
    "signs": lambda: Changed(lambda logits, x: logits(torch.sign(x - 0.5))),
    "half detached": lambda: HalfDetached(3),
    "rounded, gradient passed": lambda: Changed(lambda logits, x: Straight.apply(logits(x))),
}


@pytest.mark.parametrize("kind", NO_GRADIENT)
def test_explainers_that_follow_gradients_refuse_a_network_without_them_and_others_go_on(kind):
    asked = model(NO_GRADIENT[kind]())
    for explainer, values in (
        ("saliency", {}),
        ("grad_cam", {"layer": "conv1"}),
        ("mask", {}),
        ("ibix", {"mode": "gradient"}),
    ):
        with pytest.raises(BadInput, match=r"needs the gradient of the network of userland.+occlusion"):
            explain(scan(), asked, explainer, target="a", **values)
    assert explain(scan(), asked, "occlusion", target="a", window_mm=6.0, stride_mm=6.0).target == "a"
    assert explain(scan(), asked, "ibix", target="a", superpixels=10).target == "a"


FINE = {
    "plain": Body(3),
    "batch norm": nn.Sequential(nn.BatchNorm2d(1), Body(3)),
    "instance norm": nn.Sequential(nn.InstanceNorm2d(1), Body(3)),
    "max pool and steps of a leaky rectifier": nn.Sequential(nn.MaxPool2d(2), nn.LeakyReLU(0.3), Body(3)),
    "sharp": Body(3, gain=300.0),
    "tiny": Body(3, gain=1e-3),
    "dropout as it should be": nn.Sequential(nn.Dropout(0.5), Body(3)),
    "writes into its input": Changed(lambda logits, x: logits(x.sub_(0.5).div_(0.25))),
}


@pytest.mark.parametrize("kind", FINE)
@pytest.mark.parametrize("contrast", [1.0, 0.0], ids=["a scan", "a blank scan"])
def test_nothing_is_said_of_a_network_that_is_a_function_with_a_slope(kind, contrast):
    asked = model(FINE[kind])
    given = scan()
    given.array[:] = 0.5 + contrast * (given.array - 0.5)
    prepared = asked.prepare(given)
    assert asked.behaviour(prepared.tensor).warnings(asked.card) == ()
    assert asked.scores is asked.network
    assert asked.why_no_gradient(prepared.tensor) is None


def test_every_explainer_says_whether_it_follows_gradients():
    following = {name for name, cls in explainers().items() if cls.needs_gradient(cls.parameters())}
    assert following >= {"saliency", "smoothgrad", "integrated_gradients", "grad_cam", "guided_backpropagation", "mask"}
    assert not following & {"occlusion", "ibix", "deconvnet"}


def test_a_volume_of_open_shape_is_probed_too():
    class Volume(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return nn.functional.dropout(x.mean((2, 3, 4)).repeat(1, 3) * torch.tensor([1.0, 2.0, 3.0]), 0.5)

    contract = {"dimensions": 3, "intensity": {"low": -1000, "high": 1000}, "multiple_of": 24}
    asked = model(Volume(), input=contract)
    assert probe_input(asked.card.input).shape == (1, 1, 48, 48, 48)
    assert asked.behaviour().spread > 0.01


def test_a_network_is_observed_once_however_often_it_is_asked():
    class Watched(Body):
        calls = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            return super().forward(x)

    asked = model(Watched(3))
    asked.prepare(scan())
    first = asked.network.calls
    assert first <= 3
    asked.prepare(scan(1))
    assert asked.network.calls == first


def test_a_regressors_noise_is_said(monkeypatch):
    from core.models.card import Card

    card = Card.model_validate(
        {
            "name": "maker", "title": "Maker", "task": "regression", "synthetic": True,
            "architecture": {"name": "none"},
            "input": {"dimensions": 2, "intensity": {"low": 0, "high": 1}}, "output": {}, "training": {"data": "none"},
        }
    )  # fmt: skip
    asked = Model(card, nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.AlphaDropout(0.5)).eval())
    x = torch.rand(1, 1, 16, 16)
    assert observe(asked._ask, asked.network, card, x).warnings(card) == ()
    asked.network[1].train()
    assert "the image differs by up to" in observe(asked._ask, asked.network, card, x).warnings(card)[0]


@pytest.fixture(scope="module")
def userland():
    spec = importlib.util.spec_from_file_location("shared_userland", NETWORKS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    torch.manual_seed(0)
    return module


@pytest.mark.skipif(not NETWORKS.is_file(), reason="the shared networks are not here")
def test_of_networks_as_users_write_them_only_the_faulty_are_spoken_of(userland):
    said = {}
    for name in (
        "InplaceReLU",
        "InplaceInput",
        "ResNet",
        "SENet",
        "WithSoftmax",
        "FunctionalDropout",
        "SeqOwn",
        "WeightNorm",
    ):
        said[name] = " ".join(model(getattr(userland, name)()).prepare(scan()).warnings)
    assert "softmax is inside it" in said.pop("WithSoftmax")
    assert "differently each time" in said.pop("FunctionalDropout")
    assert set(said.values()) == {""}

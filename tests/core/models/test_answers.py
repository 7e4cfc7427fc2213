"""A classifier's numbers are read as its card says, and what is explained is a logit whatever it answers with."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from core.errors import BadInput
from core.explainers import explain
from core.explainers.base import Question
from core.explainers.ibix.answers import ScoredResponses
from core.explainers.ibix.explainer import Ibix
from core.explainers.ibix.setup import Setup
from core.models.answers import Reading
from core.models.card import Card
from core.networks import WholeResponses, at, responses_for
from tests.core.models.userland import SHAPE, Body, model, scan

TWO, THREE = ("healthy", "ill"), ("a", "b", "c")


def squeezed(z: torch.Tensor) -> torch.Tensor:
    return z.sigmoid().squeeze(1)


def in_pixels(z: torch.Tensor) -> torch.Tensor:
    return z[:, :, None, None]


def softmax(z: torch.Tensor) -> torch.Tensor:
    return z.softmax(1)


#: What the network does last, its card's answers, classes, and the probabilities that are right.
KINDS: dict[str, tuple[Any, str | None, tuple[str, ...], Any]] = {
    "logits": (lambda z: z, None, THREE, lambda z: z.softmax(1)),
    "logits of a convolution": (in_pixels, "softmax", THREE, lambda z: z.softmax(1)),
    "softmax inside": (softmax, "probabilities", THREE, lambda z: z.softmax(1)),
    "softmax inside, unsaid": (softmax, None, THREE, lambda z: z.softmax(1)),
    "log-softmax inside": (lambda z: z.log_softmax(1), None, THREE, lambda z: z.softmax(1)),
    "one logit": (lambda z: z, "sigmoid", TWO, lambda z: torch.cat([1 - z.sigmoid(), z.sigmoid()], 1)),
    "one logit, squeezed": (
        lambda z: z.squeeze(1),
        "sigmoid",
        TWO,
        lambda z: torch.cat([(-z).sigmoid(), z.sigmoid()], 1),
    ),
    "one logit, squeezed away": (lambda z: z.squeeze(), "sigmoid", TWO, lambda z: torch.cat([-z, z], 1).sigmoid()),
    "one probability": (squeezed, "probabilities", TWO, lambda z: torch.cat([-z, z], 1).sigmoid()),
    "several may hold": (lambda z: z, "sigmoid", THREE, lambda z: z.sigmoid()),
    "several may hold, sigmoid inside": (torch.sigmoid, "independent_probabilities", THREE, lambda z: z.sigmoid()),
    "several may hold, unsaid": (torch.sigmoid, None, THREE, lambda z: z.sigmoid()),
    "one finding": (lambda z: z, "sigmoid", ("finding",), lambda z: z.sigmoid()),
}


def made(kind: str) -> tuple[Any, Body, Any]:
    end, answers, classes, right = KINDS[kind]
    outputs = 1 if classes == TWO else len(classes)
    network = Body(outputs, end)
    return model(network, classes, answers=answers), network, right


@pytest.mark.parametrize("kind", KINDS)
def test_probabilities_are_those_that_the_network_means(kind):
    asked, network, right = made(kind)
    for seed in range(3):
        prepared = asked.prepare(scan(seed))
        expected = right(network.logits(prepared.tensor))[0]
        np.testing.assert_allclose(list(asked.probabilities(prepared.tensor).values()), expected, atol=2e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_explained_is_a_logit(kind):
    """Softmax or sigmoid of it is the probability, and it moves with the scan as the network's own logits do."""
    asked, network, _ = made(kind)
    x = asked.prepare(scan()).tensor
    reading = asked.reading
    scores = asked.scores(x.repeat(3, 1, 1, 1))
    assert scores.shape == (3, len(asked.card.classes))
    torch.testing.assert_close(
        reading.probabilities(scores)[0], torch.tensor(list(asked.probabilities(x).values())), atol=1e-6, rtol=0
    )
    torch.testing.assert_close(
        reading.probabilities(scores)[:, 0], reading.margin(scores, 0).sigmoid(), atol=1e-6, rtol=0
    )
    z = network.logits(x)
    own = torch.cat([-z, z], 1) if asked.card.classes == TWO else z
    if reading.exclusive and not reading.single:
        own, scores = own - own.mean(1, keepdim=True), scores - scores.mean(1, keepdim=True)
    torch.testing.assert_close(scores[:1], own, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "logits"])
@pytest.mark.parametrize(
    ("explainer", "settings"),
    [
        ("saliency", {"signed": True}),
        ("integrated_gradients", {"baseline": "constant", "steps": 64}),
        ("occlusion", {"window_mm": 6.0, "stride_mm": 6.0, "baseline": "constant"}),
        ("grad_cam", {"layer": "conv2", "weighting": "elementwise", "rectify": False}),
        ("ibix", {"direction": "backward", "sums": "signed", "superpixels": 20, "body": False}),
    ],
)
def test_a_map_is_that_of_the_logits_inside_the_network(kind, explainer, settings):
    asked, network, _ = made(kind)
    target = asked.card.classes[-1]
    found = explain(scan(), asked, explainer, target=target, **settings).arrays["map"].values
    if explainer == "grad_cam":
        settings = {**settings, "layer": "body.conv2"}
    plain = model(Logits(network, asked.reading, kind.startswith("log-")), asked.card.classes, answers="sigmoid")
    expected = explain(scan(), plain, explainer, target=target, **settings).arrays["map"].values
    np.testing.assert_allclose(found, expected, atol=2e-3 * np.abs(expected).max())


class Logits(nn.Module):
    """What is to be explained of a `Body` that is read in some way, a number a class."""

    def __init__(self, body: Body, reading: Reading, logs: bool) -> None:
        super().__init__()
        self.body, self.logs = body, logs
        self.single, self.centred = reading.single, reading.kind == "probabilities" and not reading.single

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        z = self.body.logits(x)
        if self.single:
            return torch.cat([-z, z], 1)
        if self.logs:
            return z.log_softmax(1)
        return z - z.mean(1, keepdim=True) if self.centred else z


@pytest.mark.parametrize("gain", [180.0, 1000.0])
def test_a_sure_softmax_inside_does_not_stop_the_gradient(gain):
    """Where a probability is 1 in float32, its own logarithm hardly moves, and the logit does."""
    network = Body(3, softmax, gain=gain)
    asked = model(network, answers="probabilities")
    x = asked.prepare(scan()).tensor
    target = int(network(x).argmax())
    assert float(network(x).max()) > 0.99
    watched = x.clone().requires_grad_(True)
    asked.scores(watched)[0, target].backward()
    z = network.logits(again := x.clone().requires_grad_(True))[0]
    alive = network(x)[0] > 1e-37
    assert int(alive.sum()) == (3 if gain < 200 else 2)
    (z[target] - z[alive].mean()).backward()
    torch.testing.assert_close(watched.grad, again.grad, rtol=1e-3, atol=1e-3 * float(again.grad.abs().max()))


def test_a_mask_is_looked_for_where_a_class_holds_beside_a_likelier_one():
    network = Body(3, gain=1.0)
    with torch.no_grad():
        network.head.bias[:] = torch.tensor([3.0, 1.0, -3.0])
    found = explain(scan(), model(network, answers="sigmoid"), "mask", target="b", iterations=3, mu="constant")
    assert found.numbers["asked"] == 1.0
    beside = explain(scan(), model(network, answers="sigmoid"), "mask", target="c", iterations=3, mu="constant")
    assert beside.numbers["asked"] == 0.0
    assert "calls this scan a" in beside.warnings[0]


def test_a_mask_takes_the_only_finding_below_its_goal():
    network = Body(1, gain=1.0)
    with torch.no_grad():
        # nothing in the scan: -3; this scan: +3
        network.head.weight.abs_()
        for layer in (network.conv1, network.conv2, network.head):
            layer.bias.zero_()
        network.gain = float(6 / network.logits(torch.from_numpy(scan().array[None])))
        network.head.bias.fill_(-3 / network.gain)
    found = explain(
        scan(),
        model(network, ("finding",), answers="sigmoid"),
        "mask",
        mu="constant",
        mu_value=0.0,
        goal=0.5,
        iterations=40,
    )
    assert found.scores["before"]["finding"] == pytest.approx(1 / (1 + np.exp(-3)), abs=1e-5)
    assert found.scores["after"]["finding"] <= 0.5


def test_windows_are_used_whatever_the_network_answers_with():
    asked, network, _ = made("one probability")
    network.end = torch.sigmoid
    x = asked.prepare(scan()).tensor
    parameters = Ibix.parameters_for(asked, Ibix.parameters())
    found = Setup(Question(asked, asked.prepare(scan()), 1), parameters).responses
    assert isinstance(found, ScoredResponses)
    assert found.reason is None, found.reason
    box = (slice(3, 9), slice(4, 8))
    values = torch.rand(4, 1, 6, 4)
    _, answers = found.changed(box, values)
    whole = WholeResponses(asked.scores, x, 2**26)
    torch.testing.assert_close(answers, whole.changed(box, values)[1], atol=1e-4, rtol=1e-4)
    assert at(found.output[0], found.footprint(box)).shape == (2,)
    assert responses_for(network, x, 2**26).output.shape == (1, 1)


@pytest.mark.parametrize(
    ("end", "outputs", "classes", "answers", "words"),
    [
        (lambda z: z, 1, TWO, None, "write answers: sigmoid"),
        (lambda z: z, 1, TWO, "softmax", "write answers: sigmoid"),
        (lambda z: z, 3, TWO, None, "3 number.s. and its card names 2 classes"),
        (lambda z: z, 2, THREE, "sigmoid", "mend the card"),
        (lambda z: z, 3, THREE, "probabilities", "write answers: softmax"),
        (lambda z: z, 1, TWO, "probabilities", "write answers: sigmoid"),
        (lambda z: z, 3, THREE, "independent_probabilities", "write answers: sigmoid"),
        (torch.sigmoid, 3, THREE, "probabilities", "write answers: independent_probabilities"),
    ],
)
def test_numbers_that_are_not_what_the_card_says_are_refused(end, outputs, classes, answers, words):
    asked = model(Body(outputs, end), classes, answers=answers)
    with pytest.raises(BadInput, match=words):
        asked.probabilities(asked.prepare(scan()).tensor)


@pytest.mark.parametrize(
    ("end", "answers", "words"),
    [
        (softmax, None, "write answers: probabilities"),
        (softmax, "softmax", "probabilities are taken twice"),
        (torch.sigmoid, None, "write answers: independent_probabilities"),
        (torch.sigmoid, "sigmoid", "probabilities are taken twice"),
        (softmax, "probabilities", None),
        (torch.sigmoid, "independent_probabilities", None),
        (lambda z: z, None, None),
        (lambda z: z, "sigmoid", None),
    ],
)
def test_what_the_answers_look_like_is_said_where_the_card_does_not_say_it(end, answers, words):
    warnings = model(Body(3, end), answers=answers).prepare(scan()).warnings
    assert (words is None and not warnings) or words in " ".join(warnings)


def test_a_card_that_says_nothing_of_its_answers_is_known_by_what_it_was_known_by():
    """Stored runs name a model by the hash of its card: a field that came later must not change it."""
    card = model(Body(3)).card
    assert '"answers"' not in card.identity
    assert card.identity == card.model_dump_json(exclude={"answers", "class_titles"})
    assert card.model_copy(update={"class_titles": {"a": "first"}}).identity == card.identity
    said = card.model_copy(update={"answers": "softmax"})
    assert said.identity != card.identity
    assert Card.model_validate(said.model_dump()) == said


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"classes": ("one",)}, "at least two classes"),
        ({"classes": ("one",), "answers": "softmax"}, "at least two classes"),
        ({"classes": (), "answers": "sigmoid"}, "at least two classes"),
        ({"answers": "logits"}, "answers"),
        ({"task": "regression", "classes": (), "output": {}, "answers": "sigmoid"}, "leave answers out"),
    ],
)
def test_a_card_whose_answers_do_not_fit_its_task_is_refused(fields, words):
    with pytest.raises(ValueError, match=words):
        model(Body(3), **{"classes": THREE, **fields})


def test_a_reading_of_classes_that_exclude_each_other_adds_up_to_one():
    scores = torch.randn(5, 3, generator=torch.Generator().manual_seed(1))
    assert Reading("softmax", 3, 3).probabilities(scores).sum(1).sub(1).abs().max() < 1e-6
    assert Reading("sigmoid", 3, 3).probabilities(scores).sum(1).sub(1).abs().max() > 0.05
    assert SHAPE == (24, 20)

"""Deconvnet as an explainer: parameters, what is recorded, what is refused."""

import dataclasses
import gc
import re
import weakref

import numpy as np
import pytest
import torch
from torch import nn

from core.errors import BadInput, Cancelled
from core.explainers import explain
from core.explainers.base import Question
from core.explainers.deconvnet.chain import chain_to
from core.explainers.deconvnet.explainer import Deconvnet
from core.explainers.deconvnet.projection import Projection
from core.models import load_model
from core.models.card import Architecture, Card, InputContract, Intensity, Training
from core.models.model import Model
from core.models.zoo import build
from core.progress import Progress
from core.scans import load_scan
from core.scans.scan import Scan
from core.settings import ASSETS
from core.wording import percent

LAST = "features.block1.conv2"
SHALLOW = {"shape": (24, 20), "classes": 3, "channels": 1, "variant": "shallow"}


def model_of(network: nn.Module, layer: str | None = None, shape: tuple[int, ...] = (24, 20)) -> Model:
    card = Card(
        name="small",
        title="Small",
        task="classification",
        synthetic=True,
        architecture=Architecture(name="anatomy-cnn", arguments=SHALLOW),
        input=InputContract(dimensions=len(shape), shape=shape, intensity=Intensity(low=0, high=1)),
        classes=("hand", "foot", "knee"),
        target="hand",
        attribution_layer=layer,
        training=Training(data="none"),
    )
    return Model(card, network.eval().requires_grad_(False))


@pytest.fixture(scope="module")
def shallow() -> Model:
    torch.manual_seed(2)
    return model_of(build("anatomy-cnn", SHALLOW), LAST)


@pytest.fixture(scope="module")
def film() -> Scan:
    return Scan(np.random.default_rng(0).random((1, 24, 20), dtype=np.float32), np.eye(4))


def projection_of(model: Model, scan: Scan, layer: str = LAST) -> Projection:
    return Projection(chain_to(model.network, layer), model.prepare(scan).tensor)


def test_the_strongest_25_filters_are_recorded_in_order_and_their_sum_is_the_map(shallow, film):
    found = explain(film, shallow, "deconvnet")
    projection = projection_of(shallow, film)
    ranking = projection.ranking("sum")
    names = [f"filter_{number:03d}" for number in ranking.order[:25]]
    assert [name for name in found.arrays if name != "perturbed"] == ["map", *names]
    assert found.arrays[names[0]].title == f"filter {ranking.order[0]}"
    assert found.arrays["map"].diverging
    assert {found.arrays[name].unit for name in names} == {"projected activation"}
    total = np.sum([found.arrays[name].values for name in names], axis=0, dtype=np.float64)
    np.testing.assert_allclose(found.arrays["map"].values, total, rtol=0, atol=1e-6 * np.abs(total).max())
    scores = {name: value for name, value in found.numbers.items() if name.startswith("score_")}
    assert list(scores) == [f"score_{name}" for name in names]
    assert list(scores.values()) == sorted(scores.values(), reverse=True)
    assert found.numbers["filters_in_layer"] == 64
    assert found.numbers["filters_shown"] == 25
    assert found.numbers["share_of_activation"] == pytest.approx(ranking.share(ranking.order[:25]))
    assert found.parameters["layer"] == LAST
    parts = found.parts
    assert (parts.kind, parts.owner) == ("filter", LAST)
    assert [part.index for part in parts.members] == list(ranking.order[:25])
    assert [part.array for part in parts.members] == names
    assert [part.score for part in parts.members] == list(scores.values())
    assert sum(part.share for part in parts.members) == pytest.approx(found.numbers["share_of_activation"])
    assert parts.sentence.startswith("The 25 strongest of 64 filters hold ")
    assert found.preset == "paper"
    assert not found.warnings


def test_the_sentence_names_filters_layer_share_and_probability(shallow, film):
    found = explain(film, shallow, "deconvnet", preset="top-5")
    first = projection_of(shallow, film).ranking("sum").order[0]
    assert found.sentence.startswith("The map shows the structures that excite the network most; ")
    assert re.search(r" Half of the map lies on [\d.]+% of the picture\. Replacing the strongest 5% ", found.sentence)
    assert re.search(rf"hand (at|from) {percent(found.scores['before']['hand'])}", found.sentence)
    assert found.technical == (
        f"The 5 strongest of 64 filters in {LAST}, filter {first} first: "
        f"{percent(found.numbers['share_of_activation'])} of that layer's activation."
    )
    assert "The strongest filter of 64" in explain(film, shallow, "deconvnet", filters=1).technical


def test_filters_become_one_map_by_sum_by_size_or_together(shallow, film):
    projection = projection_of(shallow, film)
    top = projection.ranking("max").order[:4]
    single = [values for _, values in projection.single(top)]
    expected = {
        "overlay": np.sum(single, axis=0),
        "magnitude": np.sum(np.abs(single), axis=0),
        "together": projection.together(top),
    }
    maps = {}
    for combine, values in expected.items():
        found = explain(film, shallow, "deconvnet", filters=4, score="max", combine=combine)
        maps[combine] = found.arrays["map"].values
        np.testing.assert_allclose(maps[combine], values, rtol=0, atol=1e-5 * np.abs(values).max())
        assert len([name for name in found.arrays if name.startswith("filter_")]) == 4
    assert not np.allclose(maps["overlay"], maps["together"], rtol=0, atol=1e-3 * np.abs(maps["overlay"]).max())
    alone = explain(film, shallow, "deconvnet", filters=4, score="max", combine="together", separate="combined")
    assert list(alone.arrays) == ["map", "perturbed"]
    np.testing.assert_array_equal(alone.arrays["map"].values, maps["together"])


@pytest.mark.parametrize(("preset", "count"), [("paper", 25), ("top-9", 9), ("top-5", 5)])
def test_presets_are_the_numbers_of_filters_that_the_paper_shows(preset, count):
    assert Deconvnet.parameters(preset).filters == count


def test_each_filters_own_map_is_kept_for_images_and_for_volumes_when_asked(trained):
    def own(**values):
        found = explain(trained.scan(400), trained.model, "deconvnet", filters=2, **values)
        return [name for name in found.arrays if name.startswith("filter_")]

    assert len(own()) == (2 if trained.dimensions == 2 else 0)
    assert len(own(separate="each")) == 2
    assert own(separate="combined") == []


def test_more_filters_than_the_layer_has_are_refused_and_the_papers_25_become_all_there_are(trained):
    layer = "features.block1.conv1"
    with pytest.raises(BadInput, match=f"The layer {layer} has 8 filters: ask for at most 8, not 9"):
        explain(trained.scan(400), trained.model, "deconvnet", layer=layer, filters=9)
    found = explain(trained.scan(400), trained.model, "deconvnet", layer=layer)
    assert found.numbers["filters_shown"] == 8
    assert f"the layer {layer} has 8 filters: all are shown, not 25" in found.warnings
    assert found.numbers["share_of_activation"] == pytest.approx(1)


def test_a_layer_that_is_not_there_or_has_no_map_is_answered_with_the_ones_that_are(shallow, film):
    with pytest.raises(BadInput, match=f"no layer 'conv9' with filters; it has features.block1.conv1, {LAST}"):
        explain(film, shallow, "deconvnet", layer="conv9")
    with pytest.raises(BadInput, match=rf"back from classifier, and this network calls flatten.*, {LAST}\."):
        explain(film, shallow, "deconvnet", layer="classifier")


def test_the_layer_is_the_cards_or_else_the_last_convolution(shallow, film):
    named = dataclasses.replace(
        shallow, card=shallow.card.model_copy(update={"attribution_layer": "features.block1.conv1"})
    )
    assert Deconvnet.parameters_for(named, Deconvnet.parameters()).layer == "features.block1.conv1"
    unnamed = dataclasses.replace(shallow, card=shallow.card.model_copy(update={"attribution_layer": None}))
    assert Deconvnet.parameters_for(unnamed, Deconvnet.parameters()).layer == LAST


class Residual(nn.Module):
    def __init__(self, between: nn.Module | None = None) -> None:
        super().__init__()
        self.first, self.second, self.third = (nn.Conv2d(1, 1, 3, padding=1) for _ in range(3))
        self.between = between or nn.ReLU()
        self.classifier = nn.Linear(480, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.between(self.first(x))
        return self.classifier(self.third(x + self.second(x)).flatten(1))


def test_networks_that_are_no_chain_are_refused_in_a_sentence_that_says_what_to_use(shallow, film):
    model = model_of(Residual(), "third")
    assert Deconvnet.unfit(model) == (
        "Deconvnet follows a plain chain of layers back from the layer explained, and this network joins branches "
        "(the operation add, named add in its graph): use guided backpropagation."
    )
    with pytest.raises(BadInput, match="joins branches"):
        explain(film, model, "deconvnet")
    # up to the branch it is a chain
    early = model_of(Residual(), "first")
    assert Deconvnet.unfit(early) is None
    with pytest.raises(BadInput, match="joins branches"):
        explain(film, early, "deconvnet", layer="third", filters=1)
    assert "no way from the input to nowhere" in Deconvnet.unfit(model_of(Residual(), "nowhere"))
    assert Deconvnet.unfit(shallow) is None


def test_guided_backpropagation_is_advised_only_where_it_fits():
    assert Deconvnet.unfit(model_of(Residual(nn.GELU()), "third")).endswith("named add in its graph): use saliency.")
    smooth = nn.Sequential(nn.Conv2d(1, 2, 3), nn.GELU(), nn.Conv2d(2, 2, 3), nn.Flatten(), nn.LazyLinear(3))
    smooth(torch.zeros(1, 1, 24, 20))
    assert "GELU at 1, which has no counterpart going down: use saliency." in Deconvnet.unfit(model_of(smooth))


@pytest.mark.filterwarnings("ignore:.*weight_norm.*is deprecated")
def test_weights_that_are_worked_out_by_a_hook_are_refused():
    normed = nn.Sequential(nn.utils.weight_norm(nn.Conv2d(1, 2, 3)), nn.ReLU(), nn.Flatten(), nn.Linear(792, 3))
    assert "has hooks on a layer (Conv2d at 0)" in Deconvnet.unfit(model_of(normed))


def test_a_model_is_followed_once_for_each_layer_and_forgotten_with_the_model(film, monkeypatch):
    followed = []

    def counting(network: nn.Module, layer: str):
        followed.append(layer)
        return chain_to(network, layer)

    monkeypatch.setattr("core.explainers.deconvnet.chain.chain_to", counting)
    model = model_of(build("anatomy-cnn", SHALLOW), LAST)
    for layer in ("", "features.block1.conv1", LAST):
        explain(film, model, "deconvnet", layer=layer, filters=2)
    assert followed == [LAST, "features.block1.conv1"]
    other = dataclasses.replace(model, network=build("anatomy-cnn", SHALLOW).eval().requires_grad_(False))
    maps = [explain(film, each, "deconvnet").arrays["map"].values for each in (model, other)]
    assert len(followed) == 3
    assert not np.allclose(*maps)
    gone = weakref.ref(other)
    del other
    gc.collect()
    assert gone() is None


def test_the_map_alone_is_the_one_that_is_tested(shallow, film):
    parameters = Deconvnet.parameters_for(shallow, Deconvnet.parameters("top-5"))
    question = Question(shallow, shallow.prepare(film), 0)
    np.testing.assert_array_equal(
        Deconvnet().attribute(question, parameters).values, Deconvnet().run(question, parameters).arrays["map"].values
    )


def test_networks_without_convolutions_and_regressors_are_refused(shallow):
    dense = dataclasses.replace(shallow, network=nn.Sequential(nn.Flatten(), nn.Linear(480, 3)))
    assert "needs a convolution layer" in Deconvnet.unfit(dense)
    regressor = dataclasses.replace(shallow, card=shallow.card.model_copy(update={"task": "regression"}))
    assert "regressor" in Deconvnet.unfit(regressor)


def test_rectifiers_in_place_or_shared_give_the_same_maps_and_one_sentence(film):
    torch.manual_seed(4)
    layers = [nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3), nn.ReLU(), nn.Flatten()]
    layers.append(nn.Linear(6 * 9 * 7, 3))
    shared, in_place = nn.ReLU(), nn.ReLU(inplace=True)

    def explained(rectifier: nn.Module | None):
        changed = [(rectifier or layer) if isinstance(layer, nn.ReLU) else layer for layer in layers]
        return explain(film, model_of(nn.Sequential(*changed)), "deconvnet", filters=3)

    apart, once, inside = (explained(rectifier) for rectifier in (None, shared, in_place))
    assert not apart.warnings
    for found in (once, inside):
        np.testing.assert_array_equal(found.arrays["map"].values, apart.arrays["map"].values)
        (warning,) = found.warnings
        assert "are followed exactly here, while hooks on layers, such as Captum's, would not be" in warning


def test_a_silent_layer_gives_a_zero_map_and_a_silent_filter_is_counted(film):
    torch.manual_seed(5)
    network = build("anatomy-cnn", SHALLOW)
    last = network.features.block1.conv2
    with torch.no_grad():
        last.weight[2:] = 0
        last.bias[2:] = -1
        last.bias[:2] = 1
    found = explain(film, model_of(network, LAST), "deconvnet", preset="top-5")
    assert "3 of the 5 filters shown do not answer to this scan: their maps are zero" in found.warnings
    three = explain(film, model_of(network, LAST), "deconvnet", filters=3).warnings
    assert "1 of the 3 filters shown does not answer to this scan: its map is zero" in three
    assert found.numbers["share_of_activation"] == pytest.approx(1)
    assert not found.arrays["filter_002"].values.any()
    assert found.arrays["filter_000"].values.any()
    with torch.no_grad():
        last.weight[:], last.bias[:] = 0, -1
    for combine in ("overlay", "together"):
        found = explain(film, model_of(network, LAST), "deconvnet", combine=combine)
        assert not found.arrays["map"].values.any()
        assert f"no filter of {LAST} answers to this scan" in found.warnings
        assert found.numbers["share_of_activation"] == 0
        assert "The map is zero everywhere" in found.sentence
        assert [check.name for check in found.checks] == ["hide_top"]


def test_work_is_reported_filter_by_filter_and_stops_when_cancelled(shallow, film):
    seen: list[Progress] = []

    def report(progress: Progress) -> None:
        seen.append(progress)
        if progress.fraction > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        explain(film, shallow, "deconvnet", report=report)
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert 0.3 < fractions[-1] < 0.5
    assert seen[-1].preview.shape == (24, 20)
    assert seen[-1].preview.any()


def test_a_map_is_compared_with_that_of_random_weights(shallow, film):
    found = explain(film, shallow, "deconvnet")
    check = next(check for check in found.checks if check.name == "randomisation")
    assert check.passed is None
    assert 0 <= check.value < 0.999
    assert f"keeps {check.value:.2f} of its likeness" in check.sentence
    assert check.value == explain(film, shallow, "deconvnet").checks[-1].value
    assert check.value != explain(film, shallow, "deconvnet", seed=1).checks[-1].value


def test_a_layer_that_is_silent_with_random_weights_is_compared_with_nothing(shallow, film, monkeypatch):
    # the map itself is the sum of single filters: together they are projected for the comparison alone
    monkeypatch.setattr(Projection, "together", lambda self, order: np.zeros((24, 20)))
    found = explain(film, shallow, "deconvnet")
    assert found.arrays["map"].values.any()
    assert not any(check.name == "randomisation" for check in found.checks)


def test_a_colour_film_has_its_channels_added_up():
    torch.manual_seed(6)
    network = build("anatomy-cnn", {**SHALLOW, "channels": 3})
    model = model_of(network, LAST)
    contract = model.card.input.model_copy(update={"channels": 3})
    model = dataclasses.replace(model, card=model.card.model_copy(update={"input": contract}))
    scan = Scan(np.random.default_rng(1).random((3, 24, 20), dtype=np.float32), np.eye(4))
    found = explain(scan, model, "deconvnet", filters=1)
    (name,) = (name for name in found.arrays if name.startswith("filter_"))
    x = model.prepare(scan).tensor
    first = network.features.block1.relu1(network.features.block1.conv1(x)).requires_grad_()
    last = torch.relu(network.features.block1.conv2(first))[:, int(name[-3:])]
    (signal,) = torch.autograd.grad((last * last.detach()).sum(), first)
    image = torch.nn.functional.conv_transpose2d(signal.relu(), network.features.block1.conv1.weight, padding=1)
    expected = image[0].sum(dim=0).numpy()
    np.testing.assert_allclose(found.arrays["map"].values, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_the_demo_volume_is_explained_through_its_centring_norms_and_ceiled_pooling():
    scan = load_scan(ASSETS / "scans" / "ad-moderate.nii.gz")
    found = explain(scan, load_model("alzheimer-phantom", "cpu"), "deconvnet", target="AD", preset="top-5")
    assert found.arrays["map"].values.shape == scan.shape
    assert found.arrays["map"].values.any()
    assert found.numbers["filters_in_layer"] == 32
    assert "5 strongest of 32 filters in features.block3.conv2" in found.technical


def test_a_layer_of_one_filter_is_told_in_the_singular(film):
    model = model_of(Residual(), "first")
    assert "the layer first has 1 filter: all are shown, not 25" in explain(film, model, "deconvnet").warnings
    with pytest.raises(BadInput, match=r"The layer first has 1 filter: ask for at most 1, not 2\."):
        explain(film, model, "deconvnet", filters=2)

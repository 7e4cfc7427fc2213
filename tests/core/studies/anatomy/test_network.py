"""One network of the study anatomy: sums it keeps, maps that are empty or on other grids, what it tells."""

import dataclasses
from functools import partial

import numpy as np
import pytest

from core.cohorts.reading import read_cohort
from core.errors import BadInput
from core.explainers import get_explainer
from core.explainers.base import MapArray
from core.explainers.many import over_many
from core.metrics.running import RunningImage
from core.models import load_model
from core.models.model import Model
from core.progress import Progress
from core.studies.anatomy.network import Film, Network, network_report
from core.studies.anatomy.study import _write_means
from tests.core.studies.films import save_films, save_network


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Model:
    return load_model(save_network(tmp_path_factory.mktemp("networks"), "one"))


@pytest.fixture(scope="module")
def films(tmp_path_factory) -> list[Film]:
    cohort = read_cohort(save_films(tmp_path_factory.mktemp("films") / "cohort", films=2))
    return [Film(e.participant_id, e, cohort.load(e), cohort.landmarks(e)) for e in cohort.entries]


def test_a_class_whose_films_lie_on_several_grids_has_no_mean(tmp_path):
    one, several = RunningImage(), RunningImage()
    one.add(np.ones((2, 2)))
    for shape in ((2, 2), (2, 3)):
        several.add(np.ones(shape))
    written = _write_means(
        {"hand": one, "foot": several, "knee": RunningImage()}, tmp_path, "net", "mean", "attribution"
    )
    assert written == {"hand": "net/mean_hand.npy"}
    assert sorted(path.name for path in (tmp_path / "net").iterdir()) == ["mean_hand.npy", "mean_hand.png"]


def test_an_empty_map_is_counted_has_no_share_and_no_part_in_the_mean(model, films, monkeypatch):
    asked = []

    def attribute(self, question, parameters):
        asked.append(question)
        values = np.full(question.prepared.tensor.shape[2:], float(len(asked) % 2), np.float32)
        return MapArray(values, "every second is empty", "attribution")

    monkeypatch.setattr(get_explainer("saliency"), "attribute", attribute)
    network = Network(model, "saliency", {})
    rows = [network.ask(film, lambda progress: None) for film in films[:2]]
    assert network.empty_maps == 1
    assert rows[0]["inside"]["bone"] > 0
    assert np.isnan(rows[1]["inside"]["bone"])
    assert network.mean_maps["hand"].count == 1
    assert network.mean_films["hand"].count == 2


def test_so_many_films_of_each_class_are_also_asked_with_random_weights(model, films):
    network = Network(model, "saliency", {}, random_films=1)
    random = [network.ask(film, lambda progress: None)["random"] for film in films]
    assert [bool(shares) for shares in random] == [True, False] * 3


def test_a_network_that_the_explainer_does_not_fit_is_refused_by_name(model):
    regressor = dataclasses.replace(model, card=model.card.model_copy(update={"task": "regression"}))
    with pytest.raises(BadInput, match=r"^one: Saliency explains classifiers"):
        Network(regressor, "saliency", {})


def test_what_an_explainer_tells_becomes_the_place_in_the_study():
    told = []

    def ask(film: int, report) -> None:
        network_report(report, "two", 1, 2)(Progress(0.9, "filter 7", preview=np.ones(2)))

    list(over_many([(str(n), partial(int, n)) for n in range(4)], ask, report=told.append, word="film"))
    progress = told[2]
    assert (progress.fraction, progress.message, progress.preview) == ((2 + 1 / 2) / 4, "film 3 of 4: two", None)

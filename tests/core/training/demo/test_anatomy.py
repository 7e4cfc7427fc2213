"""The networks, films and cohort of anatomy in ``assets``: made by the recipe, the same again from their seeds."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from core.cohorts.library import library_cohort
from core.cohorts.reading import read_cohort
from core.models.library import load_model
from core.models.model import Model
from core.phantoms.radiographs.films import ANATOMIES, LANDMARKS, draw_radiograph
from core.progress import Progress
from core.scans import load_scan
from core.settings import ASSETS
from core.training.demo import recipe as demo
from core.training.demo.anatomy import (
    AUGMENTED_MODEL,
    COHORT,
    COHORT_SEED,
    DEMO_FILM_SEED,
    FILMS,
    MARKER_MODEL,
    NETWORKS,
    anatomy_settings,
    demo_cohort,
    demo_film,
    write_anatomy_films,
)
from core.training.demo.recipe import DemoParameters
from core.training.recipes.anatomy import SHIFTED_SEED, AnatomyParameters

SCANS = ASSETS / "scans"
INDEX = {row["file"]: row for row in yaml.safe_load((SCANS / "scans.yaml").read_text(encoding="utf-8"))}


@pytest.fixture(scope="module", params=list(NETWORKS))
def model(request: pytest.FixtureRequest) -> Model:
    return load_model(request.param, "cpu")


def test_the_shipped_networks_were_made_with_the_settings_of_the_recipe(model: Model) -> None:
    parameters = DemoParameters()
    settings = anatomy_settings(model.card.name, parameters.seed, parameters.anatomy_films, parameters.anatomy_epochs)
    details = {
        key: value for key, value in model.card.training.details.items() if key in AnatomyParameters.model_fields
    }
    assert AnatomyParameters.model_validate(details) == settings
    assert model.card.training.command == "python -m core train demo --out assets --param only=anatomy"


def test_cards_say_that_the_networks_are_synthetic_and_what_they_are_for(model: Model) -> None:
    assert model.card.title == NETWORKS[model.card.name].title
    assert model.card.synthetic and "never lived" in model.card.description
    assert set(model.card.classes) == set(ANATOMIES)
    assert ("Wrong on purpose" in model.card.description) == (model.card.name == MARKER_MODEL)
    assert sum(path.stat().st_size for path in (ASSETS / "models" / model.card.name).iterdir()) < 20e6


def test_on_shifted_films_each_of_the_papers_networks_is_better_than_the_one_before() -> None:
    found = [
        load_model(name, "cpu").card.metrics["shifted"]["balanced_accuracy"]
        for name in ("anatomy-shallow", "anatomy-deeper", AUGMENTED_MODEL)
    ]
    assert found[0] + 0.03 <= found[1] and found[1] + 0.03 <= found[2]


def test_the_shipped_cohort_is_the_shifted_one_of_its_seed() -> None:
    folder = library_cohort(COHORT)
    cohort, drawn = read_cohort(folder), demo_cohort()
    assert cohort.classes == tuple(ANATOMIES) and cohort.synthetic
    assert [e.participant_id for e in cohort.entries] == [e.participant_id for e in drawn.entries]
    assert all(entry.split == "test" for entry in cohort.entries)
    assert len(cohort.entries) == 20 * len(ANATOMIES)
    for mine, theirs in list(zip(drawn.entries, cohort.entries, strict=True))[3::53]:
        np.testing.assert_allclose(cohort.load(theirs).array, 255 * drawn.load(mine).array, atol=1.001)
        expected, found = drawn.landmarks(mine), cohort.landmarks(theirs)
        assert expected.keys() == found.keys()
        for name in expected:
            assert (expected[name] != found[name]).mean() < 0.001
    marked = sum("marker" in cohort.landmarks(entry) for entry in cohort.entries[::4])
    assert 10 <= marked <= 30  # of 40
    assert sum(path.stat().st_size for path in folder.rglob("*.*")) < 3e6


@pytest.mark.parametrize("name", FILMS)
def test_every_film_is_drawn_again_from_its_seed_and_its_landmarks_lie_on_it(name: str) -> None:
    drawn, row = demo_film(name), INDEX[f"{name}.png"]
    shipped = np.asarray(Image.open(SCANS / row["file"]))
    labels = np.asarray(Image.open(SCANS / row["landmarks"]))
    # another processor may round a grey the other way
    np.testing.assert_allclose(shipped, 255 * drawn.film, atol=1.001)
    assert shipped.dtype == labels.dtype == np.uint8 and shipped.shape == labels.shape == (256, 256)
    assert (labels != drawn.labels).mean() < 0.001
    assert (row["subtitle"], row["explainer"], row["model"]) == ("synthetic radiograph", "deconvnet", FILMS[name].model)
    assert set(np.unique(labels)) <= {0, *LANDMARKS}
    assert (2 in labels) == (FILMS[name].model == MARKER_MODEL) == bool(FILMS[name].marker_says)


@pytest.mark.parametrize("name", FILMS)
def test_every_film_opens_and_its_network_says_what_it_is(name: str) -> None:
    answer = load_model(FILMS[name].model, "cpu").predict(load_scan(SCANS / f"{name}.png"))
    # the misled network says what the marker says, which is not what the film shows
    assert max(answer, key=answer.__getitem__) == (FILMS[name].marker_says or FILMS[name].anatomy)


def test_no_person_of_the_demo_was_trained_on() -> None:
    assert len({DemoParameters().seed, SHIFTED_SEED, COHORT_SEED, DEMO_FILM_SEED}) == 4


def test_films_are_written_once_however_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.training.demo.anatomy.FILMS", {"film-knee": FILMS["film-knee"]})
    monkeypatch.setattr(
        "core.training.demo.anatomy.draw_radiograph",
        lambda parameters, *film: draw_radiograph(parameters.model_copy(update={"size": 64}), *film),
    )
    for _ in range(2):
        write_anatomy_films(tmp_path)
    index = yaml.safe_load((tmp_path / "scans.yaml").read_text(encoding="utf-8"))
    assert [row["file"] for row in index] == ["film-knee.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "film-knee-landmarks.png", "film-knee.png", "landmarks.tsv", "scans.yaml",
    ]  # fmt: skip


def test_the_demo_builds_the_anatomy_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[tuple[str, Any, Path]] = []
    monkeypatch.setattr(
        demo, "train_anatomy", lambda name, settings, folder, command, report: trained.append((name, settings, folder))
    )
    monkeypatch.setattr(demo, "write_demo_cohort", lambda out, report, films: trained.append(("cohort", films, out)))
    monkeypatch.setattr(demo, "write_anatomy_films", lambda folder: trained.append(("films", None, folder)))
    monkeypatch.setattr(demo, "read_card", lambda folder: folder.name)
    rows: list[Progress] = []
    parameters = DemoParameters(only="anatomy", anatomy_films=3, anatomy_epochs=2, anatomy_shown=1)
    assert demo.Demo().train(parameters, None, tmp_path, rows.append) == AUGMENTED_MODEL
    assert [name for name, *_ in trained] == [*NETWORKS, "cohort", "films"]
    assert [folder.name for _, _, folder in trained[:4]] == list(NETWORKS)
    assert all((settings.films, settings.size) == (3, 64) for _, settings, _ in trained[:4])
    assert [settings.epochs for _, settings, _ in trained[:4]] == [2, 2, 4, 10]
    assert [settings.marker for _, settings, _ in trained[:4]] == ["random"] * 3 + ["class"]

"""A study through the whole machine: a cohort of the library, worker process, record on disk; cancel; same request."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from core.errors import BadInput, Cancelled
from core.models import load_model
from core.progress import Progress
from core.runs.execution.manager import RunManager
from core.runs.kinds.study import StudySpec
from core.runs.spec import LOCAL_OWNER, RunContext, parse_spec
from core.runs.store.records import Status
from core.runs.store.store import RunStore
from core.settings import settings
from core.studies import get_study
from core.studies.anatomy.stored import anatomy_of
from tests.core.runs.waiting import PATIENCE
from tests.core.studies.films import save_films, save_network
from tests.core.tiny import save_tiny, tiny_maker_card

PARAMETERS = {"explainer": "saliency", "films": 2}
NO_REGION = {"region": "nowhere.npy"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with one cohort and two models."""
    folder = tmp_path_factory.mktemp("library")
    save_films(folder / "cohorts" / "parts", films=2)
    for name in ("one", "two"):
        save_network(folder / "models", name)
    return folder


@pytest.fixture(autouse=True)
def library(made: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("LIGHTBOX_COHORTS_DIR", str(made / "cohorts"))
    monkeypatch.setenv("LIGHTBOX_MODELS_DIR", str(made / "models"))
    settings.cache_clear()
    yield made
    settings.cache_clear()


def spec(**changes: object) -> StudySpec:
    asked = {"study": "anatomy", "model": "one", "cohort": "parts", "parameters": {**PARAMETERS, "others": "two"}}
    return StudySpec.model_validate({**asked, **changes})


@pytest.mark.parametrize("worker", ["inline", "process"])
def test_a_run_gives_what_the_study_gives(
    store: RunStore, start_manager: Callable[..., RunManager], library: Path, tmp_path: Path, worker: str
) -> None:
    manager = start_manager(worker)
    run = manager.wait(manager.submit(spec()), LOCAL_OWNER, PATIENCE)
    assert (run.status, run.message) == (Status.DONE, "")
    assert (run.kind, run.title) == ("study", "anatomy · one, two · parts")
    stored = anatomy_of(store.of(LOCAL_OWNER).study(run.id))
    study = get_study("anatomy")
    parameters = study.parameters(values={**PARAMETERS, "others": str(library / "models" / "two")})
    by_hand = study().run(parameters, load_model("one"), library / "cohorts" / "parts", tmp_path)
    assert list(stored.networks) == ["one", "two"]
    for network in by_hand["networks"]:
        found = stored.networks[network["name"]]
        assert found.balanced_accuracy == network["balanced_accuracy"]
        assert found.confusion.tolist() == network["confusion"]
        bone = network["landmarks"]["all"]["bone"]
        read = found.landmarks["all"]["bone"]
        assert (read.share, read.control) == (pytest.approx(bone["share"], rel=1e-4), pytest.approx(bone["control"]))
        mean = tmp_path / network["mean_maps"]["hand"]
        np.testing.assert_allclose(np.load(found.mean_maps["hand"]), np.load(mean), rtol=1e-4, atol=1e-7)
    assert len(stored.films["two"]) == 6


def test_the_same_request_is_found_again_and_a_changed_cohort_is_another(
    store: RunStore, start_manager: Callable[..., RunManager], library: Path
) -> None:
    manager = start_manager("inline")
    first = manager.submit(spec())
    assert manager.submit(spec()) == first
    # a run that begins after the change is one of the changed cohort
    manager.wait(first, LOCAL_OWNER, PATIENCE)
    assert manager.submit(spec()) == first
    film = library / "cohorts" / "parts" / "films" / "hand-0.png"
    before = film.read_bytes()
    try:
        film.write_bytes(before + b"\0")
        assert manager.submit(spec()) != first
    finally:
        film.write_bytes(before)
    assert manager.submit(spec(parameters=PARAMETERS)) != first


def test_a_request_knows_every_network_by_its_content(library: Path) -> None:
    before = spec().inputs()
    for name in ("one", "two"):
        weights = library / "models" / name / "weights.safetensors"
        content = weights.read_bytes()
        try:
            weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
            assert spec().inputs() != before
        finally:
            weights.write_bytes(content)
    assert spec().inputs() == before


def test_what_is_missing_is_known_without_reading_what_is_there(store: RunStore) -> None:
    ghosts = ({"model": "ghost"}, {"parameters": {"others": "two, ghost"}}, {"cohort": "ghosts"}, {"study": "ghost"})
    for changes in ghosts:
        with pytest.raises(BadInput, match="ghost"):
            spec(**changes).check(store.of(LOCAL_OWNER))


def test_a_study_stops_at_the_next_film_when_it_is_cancelled(store: RunStore, tmp_path: Path) -> None:
    told: list[str] = []
    result = tmp_path / "result"
    result.mkdir()

    def cancel(progress: Progress) -> None:
        told.append(progress.message)
        if progress.message.startswith("film 3"):
            raise Cancelled

    with pytest.raises(Cancelled):
        spec().execute(RunContext(store.of(LOCAL_OWNER), tmp_path, result, cancel))
    assert (told[0], told[-1]) == ("loading the model", "film 3 of 6: one")
    assert list(result.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"cohort": "ghosts"}, "no cohort 'ghosts' in the library. Cohorts there: .*parts"),
        ({"cohort": "../cohorts/parts"}, "no cohort"),
        ({"model": "ghost"}, "no model 'ghost'"),
        ({"parameters": {"others": "two, ghost"}}, "no model 'ghost'"),
        ({"study": "astrology"}, "no study 'astrology'"),
        ({"parameters": {"films": -1}}, "Parameter films"),
        ({"study": "group-trace", "cohort": None, "parameters": {"region": "r.npy"}}, "needs a folder of scans"),
    ],
)
def test_what_cannot_be_studied_is_refused_before_it_is_queued(
    store: RunStore, start_manager: Callable[..., RunManager], changes: dict[str, object], sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence):
        start_manager("inline").submit(spec(**changes))
    assert store.of(LOCAL_OWNER).runs() == []


def test_what_the_study_refuses_fails_with_its_sentence(
    store: RunStore, start_manager: Callable[..., RunManager]
) -> None:
    manager = start_manager("inline")
    run = manager.wait(manager.submit(spec(study="group-trace", parameters=NO_REGION)), LOCAL_OWNER, PATIENCE)
    assert run.status is Status.FAILED
    assert "holds no image" in run.message
    with pytest.raises(BadInput, match="This run is failed: it has no result to show"):
        store.of(LOCAL_OWNER).study(run.id)


def test_a_stored_request_is_read_back() -> None:
    asked = spec()
    assert parse_spec("study", asked.model_dump_json()) == asked
    assert asked.models() == ("one", "two")
    assert spec(cohort=None, parameters={}).title() == "anatomy · one"
    assert spec(model="some/place/one").title() == "anatomy · one, two · parts"
    assert spec(parameters={"others": ["two"]}).models() == ("one", "two")


def test_a_stored_region_reaches_the_study_that_reads_one(
    store: RunStore, start_manager: Callable[..., RunManager], library: Path
) -> None:
    card = tiny_maker_card("maker", (20, 24))
    save_tiny(library / "models" / "maker", card)
    region = np.zeros((20, 24), dtype=bool)
    region[9:11, 10:13] = True
    name = store.of(LOCAL_OWNER).add_region(region)
    asked = {"images": "films", "limit": 1, "jitters": 2, "superpixels": 60}
    traced = spec(study="group-trace", model="maker", parameters=asked, region=name)
    manager = start_manager("inline")
    run = manager.wait(manager.submit(traced), LOCAL_OWNER, PATIENCE)
    assert (run.status, run.message) == (Status.DONE, "")
    found = store.of(LOCAL_OWNER).study(run.id)
    np.testing.assert_array_equal(np.load(found.path("marked.npy")), region)
    assert found.record["parameters"]["region"] == "marked.npy"
    assert traced.regions() == (name,)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"study": "group-trace", "region": "0" * 64, "parameters": {}}, "region is no longer in the store"),
        ({"region": "0" * 64}, "The study anatomy takes no region: leave it out"),
        ({"preset": "quick"}, "no preset 'quick'"),
    ],
)
def test_a_region_or_preset_that_is_not_there_is_refused(
    store: RunStore, changes: dict[str, object], sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence):
        spec(**changes).check(store.of(LOCAL_OWNER))

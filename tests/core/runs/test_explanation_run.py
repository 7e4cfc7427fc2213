"""An explanation through the whole machine: stored scan, worker process, maps on disk, same numbers as by hand."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.errors import BadInput
from core.explainers import explain
from core.models import load_model
from core.models.inputs import plane_to_image
from core.progress import Progress
from core.runs.execution.manager import RunManager
from core.runs.kinds.explanation import ExplanationSpec, _placed
from core.runs.spec import LOCAL_OWNER, RunContext
from core.runs.store.identity import ProcessIdentity
from core.runs.store.live import LiveWriter
from core.runs.store.records import Status
from core.runs.store.store import RunStore
from core.scans import Scan
from tests.core.runs.toykinds import CountSpec
from tests.core.runs.waiting import PATIENCE
from tests.core.tiny import save_tiny, tiny_card

SHAPE = (16, 20)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return save_tiny(tmp_path / "tiny", tiny_card("tiny", SHAPE, spacing_mm=(1.0, 1.0)))


@pytest.fixture
def scan() -> Scan:
    return Scan(np.random.default_rng(3).random((1, *SHAPE), dtype=np.float32), np.eye(4), modality="DX")


@pytest.mark.parametrize("worker", ["inline", "process"])
def test_a_run_gives_what_explain_gives(
    store: RunStore, start_manager: Callable[..., RunManager], model: Path, scan: Scan, worker: str
) -> None:
    manager = start_manager(worker)
    spec = ExplanationSpec(scan=store.of(LOCAL_OWNER).add_scan(scan), model=str(model), explainer="saliency")
    run = manager.wait(manager.submit(spec), LOCAL_OWNER, PATIENCE)
    assert (run.status, run.message) == (Status.DONE, "")
    stored = store.of(LOCAL_OWNER).explanation(run.id)
    by_hand = explain(scan, load_model(model), "saliency")
    assert stored.arrays.keys() == by_hand.arrays.keys()
    np.testing.assert_allclose(stored.arrays["map"].values, by_hand.arrays["map"].values, rtol=1e-4, atol=1e-7)
    assert stored.record["hashes"] == by_hand.hashes
    assert stored.scores is not None
    assert stored.scores["before"] == pytest.approx(by_hand.scores["before"])  # type: ignore[index]


def test_a_parameter_out_of_range_fails_with_the_explainers_sentence(
    store: RunStore, start_manager: Callable[..., RunManager], model: Path, scan: Scan
) -> None:
    name = store.of(LOCAL_OWNER).add_scan(scan)
    manager = start_manager("inline")
    spec = ExplanationSpec(scan=name, model=str(model), explainer="saliency", parameters={"nonsense": 1})
    run = manager.wait(manager.submit(spec), LOCAL_OWNER, PATIENCE)
    assert run.status is Status.FAILED
    assert "nonsense" in run.message
    with pytest.raises(BadInput, match="This run is failed"):
        store.of(LOCAL_OWNER).explanation(run.id)


def test_a_parameter_cannot_smuggle_in_another_argument(
    store: RunStore, start_manager: Callable[..., RunManager], model: Path, scan: Scan
) -> None:
    name = store.of(LOCAL_OWNER).add_scan(scan)
    manager = start_manager("inline")
    spec = ExplanationSpec(scan=name, model=str(model), explainer="saliency", parameters={"report": "x"})
    run = manager.wait(manager.submit(spec), LOCAL_OWNER, PATIENCE)
    assert run.status is Status.FAILED
    assert "no parameter 'report'" in run.message


def test_the_preview_of_a_slice_model_lies_on_its_plane_in_the_volume(store: RunStore, model: Path) -> None:
    loaded = load_model(model)
    contract = loaded.card.input.model_copy(update={"plane": "coronal", "position_mm": 4.0, "spacing_mm": (2.0, 2.0)})
    slices = dataclasses.replace(loaded, card=loaded.card.model_copy(update={"input": contract}))
    volume = Scan(np.zeros((1, 30, 10, 34), np.float32), np.eye(4))
    run_id = store.of(LOCAL_OWNER).add(CountSpec(), ProcessIdentity.of())
    image = np.arange(16 * 20, dtype=np.float32).reshape(SHAPE)
    folder = store.ledger.folder(run_id)
    context = RunContext(store.of(LOCAL_OWNER), folder, folder / "result", LiveWriter(folder))
    report = _placed(context, volume, slices)
    report(Progress(0.0, preview=image))
    preview = store.of(LOCAL_OWNER).preview(run_id)
    assert preview is not None
    assert preview.grid is not None
    assert preview.values.shape == preview.grid.shape == (20, 1, 16)
    assert preview.grid.affine[1, 3] == pytest.approx(4.0)
    assert slices.prepare(volume).grid.same_as(preview.grid)
    np.testing.assert_array_equal(plane_to_image(preview.values, "coronal"), image)

"""An explanation through the whole machine: stored scan, worker process, maps on disk, same numbers as by hand."""

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
from core.settings import ROOT
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


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"parameters": {"nonsense": 1}}, "no parameter 'nonsense'"),
        ({"parameters": {"report": "x"}}, "no parameter 'report'"),
        ({"parameters": {"hide_share": 101.0}}, "hide_share"),
        ({"preset": "posh"}, "no preset 'posh'"),
        ({"explainer": "horoscope"}, "no explainer 'horoscope'"),
    ],
)
def test_what_the_explainer_refuses_is_refused_before_it_is_queued(
    store: RunStore, start_manager: Callable[..., RunManager], model: Path, scan: Scan, changes: Any, sentence: str
) -> None:
    shelf = start_manager("inline").shelf(LOCAL_OWNER)
    spec = ExplanationSpec(scan=shelf.add_scan(scan), model=str(model), explainer="saliency")
    with pytest.raises(BadInput, match=sentence):
        shelf.submit(spec.model_copy(update=changes))
    assert shelf.runs() == []


def test_what_only_the_loaded_model_refuses_fails_with_its_sentence(
    store: RunStore, start_manager: Callable[..., RunManager], model: Path, scan: Scan
) -> None:
    shelf = start_manager("inline").shelf(LOCAL_OWNER)
    asked = {"explainer": "grad_cam", "parameters": {"layer": "no.such.layer"}}
    run = shelf.wait(shelf.submit(ExplanationSpec(scan=shelf.add_scan(scan), model=str(model), **asked)), PATIENCE)
    assert run.status is Status.FAILED
    assert "no.such.layer" in run.message
    with pytest.raises(BadInput, match="This run is failed"):
        shelf.explanation(run.id)


def test_a_request_is_judged_without_torch() -> None:
    code = """
import sys
from core.errors import BadInput
from core.runs.kinds.explanation import ExplanationSpec
from core.runs.kinds.study import StudySpec
from core.runs.kinds.training import TrainingSpec

class Anything:
    scan_meta = region = lambda self, name: {}

model = "alzheimer-phantom-slice"
for spec in (
    ExplanationSpec(scan="0" * 64, model=model, explainer="mask", parameters={"lambda_1": -1}),
    StudySpec(study="anatomy", model=model, cohort="radiographs", parameters={"films": -1}),
    TrainingSpec(recipe="classifier", out="model", parameters={"steps": -1}),
):
    try:
        spec.check(Anything())
    except BadInput as refusal:
        print(refusal)
    assert "torch" not in sys.modules, spec.kind
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [line.split(":")[0] for line in ended.stdout.splitlines()] == [
        "Parameter lambda_1",
        "Parameter films",
        "Parameter steps",
    ]


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

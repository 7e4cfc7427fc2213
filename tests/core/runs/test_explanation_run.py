"""An explanation through the whole machine: stored scan, worker process, maps on disk, same numbers as by hand."""

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from core.errors import BadInput
from core.explainers import explain
from core.models import load_model
from core.models.inputs import plane_to_image
from core.progress import Progress
from core.runs.execution.execute import carry_out
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


class Swapping(ExplanationSpec):
    """Explains, while somebody replaces the model's files."""

    kind: ClassVar[str] = "toy-swapping"
    other: str
    put_back: bool = False

    def execute(self, context: RunContext) -> None:
        weights = Path(self.model) / "weights.safetensors"
        status, kept = weights.stat(), weights.read_bytes()
        weights.write_bytes((Path(self.other) / "weights.safetensors").read_bytes())
        super().execute(context)
        if self.put_back:
            weights.write_bytes(kept)
            os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return save_tiny(tmp_path / "other", tiny_card("tiny", SHAPE, spacing_mm=(1.0, 1.0)))


def test_weights_that_are_replaced_while_a_run_waits_are_not_stored_under_the_old_name(
    store: RunStore, start_manager: Callable[..., RunManager], model: Path, other: Path, scan: Scan
) -> None:
    mine = store.of(LOCAL_OWNER)
    spec = ExplanationSpec(scan=mine.add_scan(scan), model=str(model), explainer="saliency")
    old = (model / "weights.safetensors").read_bytes()
    queued = mine.add(spec, ProcessIdentity.of(1))  # nobody executes it yet
    (model / "weights.safetensors").write_bytes((other / "weights.safetensors").read_bytes())
    assert carry_out(store, queued, ProcessIdentity.of()) is not None
    assert mine.run(queued).status is Status.DONE
    assert mine.answered(spec) == queued  # it is the answer of the weights that are there now
    (model / "weights.safetensors").write_bytes(old)
    assert mine.answered(spec) is None
    manager = start_manager("inline")
    again = manager.wait(manager.submit(spec), LOCAL_OWNER, PATIENCE)
    assert again.id != queued
    first, second = (mine.explanation(run).arrays["map"].values for run in (queued, again.id))
    assert not np.allclose(first, second)


@pytest.mark.parametrize("put_back", [False, True])
def test_a_result_whose_model_was_replaced_while_it_ran_is_not_kept(
    store: RunStore, start_manager: Callable[..., RunManager], model: Path, other: Path, scan: Scan, put_back: bool
) -> None:
    name = store.of(LOCAL_OWNER).add_scan(scan)
    spec = Swapping(scan=name, model=str(model), explainer="saliency", other=str(other), put_back=put_back)
    manager = start_manager("inline")
    run = manager.wait(manager.submit(spec), LOCAL_OWNER, PATIENCE)
    assert run.status is Status.FAILED
    assert "were replaced while this ran: run it again" in run.message
    assert not store.ledger.result(run.id).exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"null", b"\xff\xfe", b'{"arrays": {"map": "map.npy"}}'])
def test_a_damaged_record_is_told_in_a_sentence_and_computed_again(
    store: RunStore, start_manager: Callable[..., RunManager], model: Path, scan: Scan, content: bytes
) -> None:
    mine, manager = store.of(LOCAL_OWNER), start_manager("inline")
    spec = ExplanationSpec(scan=mine.add_scan(scan), model=str(model), explainer="saliency")
    run = manager.wait(manager.submit(spec), LOCAL_OWNER, PATIENCE)
    (mine.result(run.id) / "explanation.json").write_bytes(content)
    with pytest.raises(BadInput, match="damaged"):
        mine.explanation(run.id)
    again = manager.wait(manager.submit(spec), LOCAL_OWNER, PATIENCE)
    assert again.id != run.id
    assert mine.explanation(again.id).arrays["map"].values.shape == SHAPE


def test_a_damaged_map_is_told_in_a_sentence(
    store: RunStore, start_manager: Callable[..., RunManager], model: Path, scan: Scan
) -> None:
    mine, manager = store.of(LOCAL_OWNER), start_manager("inline")
    spec = ExplanationSpec(scan=mine.add_scan(scan), model=str(model), explainer="saliency")
    run = manager.wait(manager.submit(spec), LOCAL_OWNER, PATIENCE)
    for content in (b"", b"\x93NUMPY", b"half a map"):
        mine.explanation(run.id).arrays["map"].path.write_bytes(content)
        with pytest.raises(BadInput, match="damaged"):
            _ = mine.explanation(run.id).arrays["map"].values

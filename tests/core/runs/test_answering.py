"""Which changes of the product make an earlier result another: those of what answered it, and no others."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core import plugins
from core.errors import BadInput
from core.plugins import Plugin
from core.runs import answering, sources
from core.runs.kinds.explanation import ExplanationSpec
from core.runs.kinds.study import StudySpec
from core.runs.kinds.training import TrainingSpec
from core.runs.spec import RunSpec
from core.settings import ROOT

CLASSIFIER, MAKER = "alzheimer-phantom-slice", "mr-ct-phantom"
SALIENCY = ExplanationSpec(scan="0" * 64, model=CLASSIFIER, explainer="saliency")
LANDMARK = SALIENCY.model_copy(update={"region": "1" * 64})
TRACE = ExplanationSpec(scan="0" * 64, model=MAKER, explainer="ibix", region="1" * 64)
ANATOMY = StudySpec(study="anatomy", model="anatomy-deeper", cohort="radiographs", parameters={"explainer": "saliency"})
GROUP = StudySpec(study="group-trace", model=MAKER, cohort="radiographs", parameters={"region": "region.npy"})
TRAINING = TrainingSpec(recipe="classifier", out=Path("model"))


@pytest.mark.parametrize(
    ("spec", "used", "unused"),
    [
        (
            SALIENCY,
            "explainers.captum.saliency explainers.checked_map explainers.run models.library models.zoo.block_cnn "
            "models.formats.card_folder.reading metrics.atlas scans.grid runs.kinds.explanation",
            "explainers.captum.grad_cam explainers.mask.loop explainers.ibix.session networks.windows.engine "
            "models.zoo.autoencoder metrics.landmarks metrics.difference cohorts.cohort phantoms.fields "
            "studies.anatomy.study training.fitting.loop reports.explanation runs.store.shelf runs.spec settings",
        ),
        (LANDMARK, "explainers.captum.saliency metrics.landmarks", "metrics.difference"),
        (
            TRACE,
            "explainers.ibix.session networks.windows.engine models.zoo.pix2pix_unet",
            "explainers.mask.loop explainers.captum.saliency models.zoo.block_cnn",
        ),
        (
            ANATOMY,
            "studies.anatomy.study studies.anatomy.network explainers.captum.saliency cohorts.cohort "
            "models.zoo.anatomy_cnn",
            "studies.group_trace.study explainers.deconvnet.projection explainers.mask.loop training.fitting.loop",
        ),
        (GROUP, "studies.group_trace.study explainers.ibix.session", "studies.anatomy.study explainers.mask.loop"),
        (
            TRAINING,
            "training.recipes.classifier.training training.fitting.loop models.zoo.anatomy_cnn models.zoo.block_cnn",
            "training.recipes.pix2pix.recipe explainers.mask.loop studies.anatomy.study",
        ),
    ],
    ids=lambda value: value.title() if isinstance(value, RunSpec) else "",
)
def test_what_answers_is_what_is_used_and_nothing_else(spec: RunSpec, used: str, unused: str) -> None:
    found = sources.used_by(spec.code())
    assert {f"core.{name}" for name in used.split()} - found == set()
    assert {f"core.{name}" for name in unused.split()} & found == set()
    assert {f"core.{name}" for name in unused.split()} <= sources.inside("core"), "a file that has moved"


def test_a_change_orphans_the_results_of_what_uses_it_and_of_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a copy of the product's sources that is read in place of them."""
    copy = Path(shutil.copytree(ROOT / "core", tmp_path / "core", ignore=shutil.ignore_patterns("__pycache__")))
    found = sources._folders_of
    monkeypatch.setattr(sources, "_folders_of", lambda top: (copy,) if top == "core" else found(top))
    sources._file_of.cache_clear()

    def prints() -> dict[str, str]:
        sources._read.cache_clear()
        return {spec.explainer: spec.fingerprint() for spec in (SALIENCY, TRACE)}

    def change(name: str, text: str) -> None:
        file = copy / name
        file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")

    before = prints()
    assert before == {spec.explainer: spec.fingerprint() for spec in (SALIENCY, TRACE)}
    for file in copy.rglob("*.py"):
        described = file.read_text(encoding="utf-8").startswith('"""')
        text = file.read_text(encoding="utf-8").replace('"""', '"""Now ', 1 if described else 0)
        file.write_text(text + "\n# the end\n", encoding="utf-8")
    assert prints() == before, "comments and docstrings mean nothing"
    for name in ("cohorts/cohort.py", "explainers/mask/loop.py", "runs/store/shelf.py", "__init__.py"):
        change(name, "\nADDED = 1\n")
    assert prints() == before, "what neither uses"
    change("explainers/ibix/session.py", "\nADDED = 1\n")
    after = prints()
    assert after["ibix"] != before["ibix"]
    assert after["saliency"] == before["saliency"], "another explainer"
    change("explainers/run.py", "\nADDED = 1\n")  # imported where it is needed
    assert prints()["saliency"] != before["saliency"]
    sources._read.cache_clear()
    sources._file_of.cache_clear()


def test_an_architecture_whose_name_is_not_in_a_source_is_looked_for_in_all() -> None:
    assert answering.architecture_code("block-cnn") == {"core.models.zoo.block_cnn"}
    assert {"core.models.zoo.block_cnn", "core.models.zoo.autoencoder"} <= answering.architecture_code(
        "made-at-run-time"
    )


def test_what_a_plug_in_brings_is_found_in_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "brought"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "all_of_it.py").write_text("from brought import area, network\nfrom core import tables\n")
    (folder / "network.py").write_text("@zoo.architecture('brought-network')\nclass Network: ...\n")
    (folder / "area.py").write_text("@metric('brought_area', 'Area', compares='map and region')\ndef area(): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    plugin = Plugin("", "all", "brought.all_of_it", "brought", "1.0")
    monkeypatch.setattr(plugins, "plugins", lambda kind=None: [plugin])
    assert answering.architecture_code("brought-network") == {"brought.network"}
    assert answering.architecture_code("block-cnn") == {"core.models.zoo.block_cnn"}
    assert answering.landmark_code() == {"core.metrics.landmarks", "brought.area"}
    assert "core.tables" in sources.used_by(["brought.all_of_it"])
    assert "brought" not in sys.modules


def test_what_cannot_be_found_is_said_in_a_sentence() -> None:
    with pytest.raises(BadInput, match="no explainer 'horoscope'"):
        answering.explainer_code(["horoscope"])
    with pytest.raises(BadInput, match="no model 'ghost'"):
        answering.model_code(["ghost"])
    assert answering.explainer_code(None) >= answering.explainer_code(["mask", "ibix"])


def test_what_answers_is_found_without_torch() -> None:
    code = """
import sys
from tests.core.runs.test_answering import ANATOMY, GROUP, LANDMARK, TRACE, TRAINING
for spec in (LANDMARK, TRACE, ANATOMY, TRAINING):
    spec.fingerprint()
    assert "torch" not in sys.modules, spec.title()
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)

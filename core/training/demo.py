"""Recipe "demo": the demo models and demo scans in ``assets``, all synthetic, all from one seed."""

from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field

from core.cohorts.phantom_cohort import write_grey_matter, write_truth
from core.cohorts.phantoms import PhantomParameters, PhantomSession, mni_grid, phantom_scan
from core.errors import BadInput
from core.models.card import Card, InputContract, read_card, write_card
from core.models.inputs import prepare
from core.progress import Progress, Report, part_of, silent
from core.training.base import Recipe
from core.training.classifier import Classifier, ClassifierParameters

VOLUME_MODEL, SLICE_MODEL = "alzheimer-phantom", "alzheimer-phantom-slice"
#: seed of the demo scans: none of these people was in a training, validation or test set
DEMO_SEED = 4711
_COMMAND = "python -m core train demo --out assets"
_MODALITY = "grey-matter map in MNI space"
_TEXTS = {
    VOLUME_MODEL: (
        "Alzheimer phantom, 3 mm",
        "Tells phantoms with planted medial temporal atrophy (AD) from healthy, ageing ones (CN) on 3D grey-matter "
        "maps. It never saw a person: what it says about a real scan means nothing.",
    ),
    SLICE_MODEL: (
        "Alzheimer phantom, coronal slice",
        "The 2D sibling: reads one coronal slice through both hippocampi (y = −21 mm), of a volume or as a picture. "
        "It never saw a person: what it says about a real scan means nothing.",
    ),
}


class DemoParameters(BaseModel):
    """Settings of the demo; defaults made what is in ``assets``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = Field(0, ge=0, description="of phantoms, weights, batches and fills")
    twins: int = Field(300, ge=1, description="pairs of phantoms to train on")
    singles: int = Field(120, ge=2, description="phantoms of each class to validate and test")
    steps: int = Field(2000, ge=1, description="batches for the volume model")
    slice_steps: int = Field(2400, ge=1, description="batches for the slice model")


class Demo(Recipe):
    """Build every demo asset: two models, a few scans, the ground truth."""

    name = "demo"
    title = "Demo models and scans"
    Parameters = DemoParameters

    def train(self, parameters: Any, cohort: Path | None, out: Path, report: Report = silent) -> Card:
        """Write ``out/models`` and ``out/scans``; see `Recipe.train`. Takes no cohort."""
        if cohort is not None:
            raise BadInput("The demo makes its own phantoms: leave --cohort out, or use the recipe classifier.")
        models = out / "models"
        Classifier().train(volume_settings(parameters), None, models / VOLUME_MODEL, part_of(report, 0.0, 0.7))
        Classifier().train(slice_settings(parameters), None, models / SLICE_MODEL, part_of(report, 0.7, 0.97))
        for name in (VOLUME_MODEL, SLICE_MODEL):
            introduce(models / name)
        report(Progress(0.97, "making the demo scans"))
        write_demo_scans(out / "scans", read_card(models / SLICE_MODEL).input)
        return read_card(models / VOLUME_MODEL)


def volume_settings(parameters: DemoParameters) -> ClassifierParameters:
    """How `alzheimer-phantom` is trained."""
    return ClassifierParameters(
        seed=parameters.seed,
        phantom_twins=parameters.twins,
        phantom_singles=parameters.singles,
        steps=parameters.steps,
    )


def slice_settings(parameters: DemoParameters) -> ClassifierParameters:
    """How `alzheimer-phantom-slice` is trained: 1.5 mm pixels, and blur up to that of a 3 mm volume."""
    return ClassifierParameters(
        seed=parameters.seed,
        plane="coronal",
        position_mm=-21.0,
        spacing_mm=1.5,
        phantom_blur_mm=6.0,
        phantom_twins=parameters.twins,
        phantom_singles=parameters.singles,
        steps=parameters.slice_steps,
        batch=16,
    )


def introduce(folder: Path) -> None:
    """Give a demo model's card its title, text and the command that makes it."""
    card = read_card(folder)
    title, description = _TEXTS[card.name]
    training = card.training.model_copy(update={"command": _COMMAND})
    contract = card.input.model_copy(update={"modality": _MODALITY})
    write_card(
        card.model_copy(update={"title": title, "description": description, "training": training, "input": contract}),
        folder,
    )


def write_demo_scans(folder: Path, slice_contract: InputContract) -> None:
    """Write the demo scans at 1.5 mm, two pictures of slices, the ground truth and the index ``scans.yaml``."""
    folder.mkdir(parents=True, exist_ok=True)
    grid = mni_grid(1.5)
    write_truth(grid, folder)
    index = []
    for file, session in DEMO_SESSIONS.items():
        scan = phantom_scan(session, PhantomParameters(seed=DEMO_SEED), grid)
        picture = file.endswith(".png")
        kind = "coronal slice" if picture else "grey-matter map"
        if picture:
            _write_png16(prepare(scan, slice_contract).tensor[0, 0].numpy(), folder / file)
        else:
            write_grey_matter(scan, folder / file)
        index.append(
            {
                "file": file,
                "title": _title(session),
                "subtitle": f"synthetic {kind}, {session.age:.0f} years old",
                "model": SLICE_MODEL if picture else VOLUME_MODEL,
                "diagnosis": session.diagnosis,
                "age": session.age,
                "years_of_disease": session.years_of_disease,
                "atrophy": session.atrophy,
                "truth": None if picture else "planted_regions.nii.gz",
            }
        )
    (folder / "scans.yaml").write_text(yaml.safe_dump(index, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _demo_session(diagnosis: str, age: float, years: float, atrophy: float, anatomy: int, visit: int) -> PhantomSession:
    return PhantomSession(
        participant_id=f"demo-{anatomy}",
        session_id=f"ses-{12 * visit:03d}",
        diagnosis=diagnosis,
        age=age,
        years_of_disease=years,
        atrophy=atrophy,
        split="",
        pair="",
        anatomy=anatomy,
        visit=visit,
    )


DEMO_SESSIONS = {
    "ad-moderate.nii.gz": _demo_session("AD", 72.0, 2.5, 0.45, anatomy=1, visit=0),
    "ad-early.nii.gz": _demo_session("AD", 66.0, 0.5, 0.28, anatomy=2, visit=0),
    "ad-early-four-years-later.nii.gz": _demo_session("AD", 70.0, 4.5, 0.52, anatomy=2, visit=4),
    "cn-old.nii.gz": _demo_session("CN", 83.0, 0.0, 0.0, anatomy=3, visit=0),
    "ad-slice.png": _demo_session("AD", 70.0, 3.0, 0.48, anatomy=4, visit=0),
    "cn-slice.png": _demo_session("CN", 70.0, 0.0, 0.0, anatomy=5, visit=0),
}


def _title(session: PhantomSession) -> str:
    if session.diagnosis == "CN":
        return "Healthy (CN)"
    years = f"{session.years_of_disease:g} year{'' if session.years_of_disease == 1 else 's'}"
    return f"Alzheimer's disease, {years} in"


def _write_png16(image: np.ndarray, path: Path) -> None:
    """0..1 as 16-bit grey: full scale is 1."""
    from PIL import Image

    Image.fromarray(np.round(image * 65535).astype(np.uint16)).save(path, optimize=True)

"""Recipe "demo": the demo models and demo scans in ``assets``, all synthetic, all from one seed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.errors import BadInput
from core.models.card import Card, InputContract, read_card, write_card
from core.parameters import Parameters, parameter
from core.phantoms.grey_matter.cohort import write_grey_matter, write_truth
from core.phantoms.grey_matter.generator import PhantomParameters, PhantomSession, mni_grid, phantom_scan
from core.progress import Progress, Report, part_of, silent
from core.training.base import Recipe
from core.training.demo.anatomy import (
    AUGMENTED_MODEL,
    NETWORKS,
    anatomy_settings,
    train_anatomy,
    write_anatomy_films,
    write_demo_cohort,
)
from core.training.demo.cards import introduced
from core.training.demo.mr_ct import MR_CT_MODEL, mr_ct_settings, train_mr_ct, write_mr_ct_scans
from core.training.demo.pairs import (
    T1_T2_MODEL,
    add_to_index,
    t1_t2_settings,
    train_t1_t2,
    write_png16,
    write_t1_t2_scans,
)
from core.training.recipes.classifier.parameters import ClassifierParameters
from core.training.recipes.classifier.recipe import Classifier

VOLUME_MODEL, SLICE_MODEL = "alzheimer-phantom", "alzheimer-phantom-slice"
#: seed of the demo scans: none of these people was in a training, validation or test set
DEMO_SEED = 4711
_COMMAND = "python -m core train demo --out assets"
_MODALITY = "grey-matter map in MNI space"
_ALZHEIMER, _T1_T2, _MR_CT, _ANATOMY = "Alzheimer phantoms", "T1 → T2", "MR → CT", "Anatomy of radiographs"
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


class DemoParameters(Parameters):
    """Settings of the demo; defaults made what is in ``assets``."""

    seed: int = parameter(0, "Seed of phantoms, weights, batches and fills.", minimum=0)
    twins: int = parameter(300, "Pairs of phantoms to train on.", minimum=1, unit="pairs", group=_ALZHEIMER)
    singles: int = parameter(120, "Phantoms of each class to validate and test.", minimum=2, group=_ALZHEIMER)
    steps: int = parameter(2000, "Batches for the volume model.", minimum=1, unit="batches", group=_ALZHEIMER)
    slice_steps: int = parameter(2400, "Batches for the slice model.", minimum=1, unit="batches", group=_ALZHEIMER)
    t1_t2_epochs: int = parameter(90, "Passes over the slice pairs.", minimum=1, unit="epochs", group=_T1_T2)
    t1_t2_pairs: int = parameter(320, "Pairs of slices.", minimum=1, unit="pairs", group=_T1_T2)
    mr_ct_steps: int = parameter(3500, "Batches.", minimum=1, unit="batches", group=_MR_CT)
    mr_ct_pairs: int = parameter(400, "Pairs of slices.", minimum=1, unit="pairs", group=_MR_CT)
    anatomy_films: int = parameter(60, "Radiographs of each class to train on.", minimum=2, group=_ANATOMY)
    anatomy_epochs: int = parameter(
        20,
        "Passes over them; twice as many for the augmented network, five times for the misled one.",
        minimum=1,
        unit="epochs",
        group=_ANATOMY,
    )
    anatomy_shown: int = parameter(20, "Radiographs of each class in the demo cohort.", minimum=1, group=_ANATOMY)
    only: Literal["alzheimer", "t1-t2", "mr-ct", "anatomy"] | None = parameter(
        None, "Build this part and leave the others alone; by default all."
    )


class Demo(Recipe):
    """Build every demo asset, or one part of them: models, a few scans, the ground truth."""

    name = "demo"
    title = "Demo models and scans"
    summary = "Builds what the demo shows: models, a few scans and a cohort, all synthetic and from one seed."
    parameters_model = DemoParameters

    def train(self, parameters: Any, cohort: Path | None, out: Path, report: Report = silent) -> Card:
        """Write ``out/models`` and ``out/scans``; see `Recipe.train`. Takes no cohort; returns the last card."""
        if cohort is not None:
            raise BadInput("The demo makes its own phantoms: leave --cohort out, or use the recipe of the model.")
        parts = [parameters.only] if parameters.only else list(_PARTS)
        whole = sum(_PARTS[part].share for part in parts)
        done = 0.0
        for part in parts:
            end = done + _PARTS[part].share / whole
            card = _PARTS[part].build(parameters, out, part_of(report, done, end))
            done = end
        return card


def build_alzheimer(parameters: DemoParameters, out: Path, report: Report) -> Card:
    """Both classifiers of grey-matter phantoms, their scans and the ground truth."""
    models = out / "models"
    Classifier().train(volume_settings(parameters), None, models / VOLUME_MODEL, part_of(report, 0.0, 0.7))
    Classifier().train(slice_settings(parameters), None, models / SLICE_MODEL, part_of(report, 0.7, 0.97))
    for name in (VOLUME_MODEL, SLICE_MODEL):
        introduce(models / name)
    report(Progress(0.97, "making the demo scans"))
    write_demo_scans(out / "scans", read_card(models / SLICE_MODEL).input)
    return read_card(models / VOLUME_MODEL)


def build_t1_t2(parameters: DemoParameters, out: Path, report: Report) -> Card:
    """The autoencoder of synthetic T1/T2 slices and its scans."""
    settings = t1_t2_settings(parameters.seed, parameters.t1_t2_epochs, parameters.t1_t2_pairs)
    folder = out / "models" / T1_T2_MODEL
    card = train_t1_t2(settings, folder, f"{_COMMAND} --param only=t1-t2", part_of(report, 0.0, 0.99))
    report(Progress(0.99, "making the demo slices"))
    write_t1_t2_scans(out / "scans")
    return card


def build_mr_ct(parameters: DemoParameters, out: Path, report: Report) -> Card:
    """The generator of synthetic CT slices and its scans."""
    settings = mr_ct_settings(parameters.seed, parameters.mr_ct_steps, parameters.mr_ct_pairs)
    folder = out / "models" / MR_CT_MODEL
    card = train_mr_ct(settings, folder, f"{_COMMAND} --param only=mr-ct", part_of(report, 0.0, 0.99))
    report(Progress(0.99, "making the demo slices"))
    write_mr_ct_scans(out / "scans")
    return card


def build_anatomy(parameters: DemoParameters, out: Path, report: Report) -> Card:
    """Four networks of drawn radiographs, a cohort of shifted ones and single films."""
    for number, name in enumerate(NETWORKS):
        settings = anatomy_settings(name, parameters.seed, parameters.anatomy_films, parameters.anatomy_epochs)
        stage = part_of(report, 0.24 * number, 0.24 * (number + 1))
        train_anatomy(name, settings, out / "models" / name, f"{_COMMAND} --param only=anatomy", stage)
    write_demo_cohort(out, part_of(report, 0.96, 0.99), parameters.anatomy_shown)
    report(Progress(0.99, "drawing the demo films"))
    write_anatomy_films(out / "scans")
    return read_card(out / "models" / AUGMENTED_MODEL)


@dataclass(frozen=True)
class _Part:
    """One part of the assets and its share of the work."""

    build: Callable[[DemoParameters, Path, Report], Card]
    share: float


#: names that the parameter `only` takes
_PARTS = {
    "alzheimer": _Part(build_alzheimer, 0.4),
    "t1-t2": _Part(build_t1_t2, 0.3),
    "mr-ct": _Part(build_mr_ct, 0.3),
    "anatomy": _Part(build_anatomy, 0.2),
}


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
    contract = card.input.model_copy(update={"modality": _MODALITY})
    write_card(introduced(card, *_TEXTS[card.name], _COMMAND).model_copy(update={"input": contract}), folder)


def write_demo_scans(folder: Path, slice_contract: InputContract) -> None:
    """Write the demo scans at 1.5 mm, two pictures of slices, the ground truth and the index ``scans.yaml``."""
    from core.models.inputs import prepare  # needs torch, which recipes are listed without

    folder.mkdir(parents=True, exist_ok=True)
    grid = mni_grid(1.5)
    write_truth(grid, folder)
    index = []
    for file, session in DEMO_SESSIONS.items():
        scan = phantom_scan(session, PhantomParameters(seed=DEMO_SEED), grid)
        picture = file.endswith(".png")
        kind = "coronal slice" if picture else "grey-matter map"
        if picture:
            write_png16(prepare(scan, slice_contract).tensor[0, 0].numpy(), folder / file)
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
    add_to_index(folder, index)


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

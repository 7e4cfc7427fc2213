"""Every page with names that are markup: of scans, cards, classes, landmarks, cohorts, films, runs and explainers.

Somebody's file, model folder or plug-in says what these are. One forgotten escape once stayed green, because each test
looked at its own piece of one page.
"""

import json
import re

import numpy as np
import pytest
import yaml
from PIL import Image

from core.errors import BadInput
from core.explainers.base import Check, Findings, MapArray
from core.explainers.captum.saliency import Saliency
from core.explainers.extras import Part, Parts
from core.models import save_model
from core.models.zoo import build
from core.parameters import Parameters, parameter
from core.runs import LOCAL_OWNER, Landmark, StudySpec, manager
from core.scans import Scan
from core.settings import settings
from core.studies.anatomy.stored import anatomy_of
from dashboard.compare.desk import Cell
from dashboard.desk import shelf
from dashboard.intake import catalogue, demo
from tests.core.tiny import tiny_card, tiny_maker_card
from tests.pages.conftest import GRID, MADE, SHAPE, settle
from tests.small_anatomy import anatomy_card

#: words of an explainer, which is code: its Markdown is its own
HOSTILE_CODE = "<img src=x onerror=alert(1)>"
#: words of somebody's file
HOSTILE = f"{HOSTILE_CODE} ![x](http://beacon.example/x.png) [y](data:text/html,z)"
#: at most 40 letters
HOSTILE_LANDMARK = "<img src=x onerror=alert(1)>![](//e)"
CLASSES = (f"{HOSTILE} one", f"{HOSTILE} two")
FILM = (20, 18)


class HostileParameters(Parameters):
    """Parameters whose every word is markup."""

    steps: int = parameter(
        3, HOSTILE_CODE, minimum=1, maximum=9, unit=HOSTILE_CODE, group=HOSTILE_CODE, paper=5, reference=HOSTILE_CODE
    )
    kind: str = parameter(HOSTILE_CODE, HOSTILE_CODE, group=HOSTILE_CODE)


def hostile_findings(self, question, parameters):
    values = np.random.default_rng(0).random(question.prepared.tensor.shape[2:], np.float32)
    part = Part(0, HOSTILE, 1.0, 0.5, "part", HOSTILE)
    return Findings(
        {name: MapArray(values, HOSTILE, "attribution", HOSTILE) for name in ("map", "part")},
        parts=Parts(HOSTILE, HOSTILE, HOSTILE, (part,), HOSTILE, HOSTILE, HOSTILE),
        history={"iteration": [0.0, 1.0], HOSTILE: [1.0, 2.0]},
        checks=(Check("hostile", HOSTILE, 1.0, HOSTILE, True),),
        numbers={HOSTILE: 1.0},
        warnings=(HOSTILE,),
    )


def hostile_failure(self, question, parameters):
    raise BadInput(HOSTILE)


def hostile_card(card, **more):
    """The card with markup for every word that may be chosen freely."""
    data = card.model_dump(mode="json")
    data |= {"title": f"{HOSTILE} {card.name}", "description": HOSTILE, "license": HOSTILE}
    data["training"] = {"data": HOSTILE, "recipe": HOSTILE, "command": HOSTILE, "details": {HOSTILE: HOSTILE}}
    data["metrics"] = {HOSTILE: {HOSTILE: 0.5}}
    data["input"]["modality"] = HOSTILE
    if card.classes:
        data |= {"classes": CLASSES, "target": None, "healthy": None}
    if card.output is not None:
        data["output"] |= {"modality": HOSTILE, "units": HOSTILE}
    return type(card).model_validate(data | more)


def save(folder, card, network=None):
    save_model(folder / card.name, card, network or build(card.architecture.name, card.architecture.arguments))


def write_models(folder):
    save(folder, hostile_card(tiny_card("tiny-volume", SHAPE, affine=GRID)))
    save(folder, hostile_card(tiny_maker_card("tiny-maker", MADE)))
    for name, variant in (("anatomy-shallow", "shallow"), ("anatomy-deeper", "deeper")):
        card, network = anatomy_card(name, variant, CLASSES)
        save(folder, hostile_card(card), network)


def write_scans(folder):
    folder.mkdir(parents=True)
    for name in ("slice", "true"):
        Image.fromarray(np.random.default_rng(5).integers(0, 255, MADE).astype(np.uint8)).save(folder / f"{name}.png")
    entry = {"file": "slice.png", "title": HOSTILE, "subtitle": HOSTILE, "model": "tiny-maker", "target": "true.png"}
    (folder / "scans.yaml").write_text(yaml.safe_dump([entry]))


def write_cohort(folder):
    """Two films a class, each with one landmark; participants, classes and landmarks are named by markup."""
    folder.mkdir(parents=True)
    rows = ["participant_id\tdiagnosis\tfile\tlandmarks"]
    for number in range(4):
        pixels = np.random.default_rng(number).integers(0, 255, FILM).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        Image.fromarray((pixels > 120).astype(np.uint8)).save(folder / f"{number}-marks.png")
        rows.append(f"{HOSTILE} {number}\t{CLASSES[number % 2]}\t{number}.png\t{number}-marks.png")
    (folder / "participants.tsv").write_text("\n".join(rows))
    (folder / "landmarks.tsv").write_text(f"index\tname\n1\t{HOSTILE_LANDMARK}\n")
    (folder / "cohort.yaml").write_text(yaml.safe_dump({"title": HOSTILE, "description": HOSTILE, "synthetic": True}))


@pytest.fixture(scope="session")
def hostile_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    write_models(folder / "models")
    write_scans(folder / "scans")
    write_cohort(folder / "cohorts" / "films")
    return folder


@pytest.fixture
def hostile(workbench, hostile_files, monkeypatch):
    """The app whose every model, scan, cohort and one explainer are named by markup."""
    monkeypatch.setenv("LIGHTBOX_MODELS_DIR", str(hostile_files / "models"))
    monkeypatch.setenv("LIGHTBOX_COHORTS_DIR", str(hostile_files / "cohorts"))
    for module in ("core.models.folders", "core.cohorts.library"):
        monkeypatch.setattr(f"{module}.ASSETS", hostile_files / "nothing")
    monkeypatch.setattr("dashboard.intake.demo.ASSETS", hostile_files)
    code = HOSTILE_CODE
    words = {"title": code, "summary": code, "reference": code, "preset_help": {code: code}}
    for name, value in {**words, "presets": {code: {}}, "parameters_model": HostileParameters}.items():
        monkeypatch.setattr(Saliency, name, value)
    monkeypatch.setattr(Saliency, "run", hostile_findings)
    _forget()
    yield workbench
    monkeypatch.undo()
    _forget()


def _forget():
    settings.cache_clear()
    demo.scans.cache_clear()
    catalogue.explainer_entries.cache_clear()


def film():
    """A film in the store with a landmark, both named by markup."""
    values = np.random.default_rng(3).random((1, *FILM), np.float32)
    scan = shelf().add_scan(Scan(values, np.eye(4), modality=HOSTILE))
    region = shelf().add_region(values[0] > 0.5)
    shelf().keep_landmarks(scan, [Landmark(HOSTILE_LANDMARK, region)])
    return scan


def volume():
    values = np.random.default_rng(1).random((1, *SHAPE), np.float32)
    return shelf().add_scan(Scan(values, np.array(GRID), modality=HOSTILE))


def explained(hostile, scan, model="tiny-volume"):
    return hostile.finished(scan=scan, model=model, explainer="saliency", target=CLASSES[0])


def read_as_markup(page):
    """Everything on the page that a browser reads as HTML, as one string; plotly's figures among it."""
    found = []
    for element in _elements(page._tree):
        proto = element.proto
        if element.type == "html":
            found.append(proto.body)
        elif element.type == "plotly_chart":
            found.append(json.dumps(json.loads(proto.spec), ensure_ascii=False))
        elif getattr(proto, "allow_html", False):
            found.append(proto.body)
    return "\n".join(found)


def read_as_markdown(page):
    """Everything on the page that Streamlit reads as Markdown, as one string: texts, labels, helps, choices."""
    found = []
    for element in _elements(page._tree):
        proto = element.proto
        if element.type == "html":
            continue
        found += [str(getattr(proto, field, "")) for field in ("body", "label", "help", "text", "header")]
        if element.type in ("button_group", "radio", "pills", "segmented_control"):
            found += [getattr(option, "content", option) for option in getattr(proto, "options", ())]
    return "\n".join(map(str, found))


def _elements(block):
    for child in block.children.values():
        if hasattr(child, "children"):
            yield from _elements(child)
        else:
            yield child


def assert_harmless(page):
    """It is all there, and none of it is markup."""
    assert not page.exception
    assert not page.error
    shown = read_as_markup(page)
    assert "&lt;img src=x onerror=alert(1)&gt;" in shown
    assert not re.search("<img (?!src='data:image/)", shown), "our own pictures travel with the page"
    # a picture is fetched from anywhere as soon as the page is looked at, and a link leads anywhere
    # (our own lead to the documentation that the app itself serves)
    read = re.sub(r"(?<!\\)\]\(/lightbox/docs/[a-z_/]*\)", "", read_as_markdown(page))
    assert not re.search(r"(?<!\\)\]\(", read), re.findall(r".{60}(?<!\\)\]\(.{20}", read)


def home(hostile):
    explained(hostile, volume())
    return hostile.open("home")


def runs(hostile):
    explained(hostile, volume())
    manager().wait(manager().submit(_study()), LOCAL_OWNER, 60)
    return hostile.open("runs")


def models(hostile):
    return hostile.open("models")


def explain_at_first(hostile):
    page = hostile.open("explain")
    page.session_state["desk"].scan = volume()
    return page.run()


def explain_done(hostile):
    return hostile.open("explain", run=explained(hostile, volume()))


def explain_a_film(hostile):
    return hostile.open("explain", run=explained(hostile, film(), "anatomy-shallow"))


def explain_filters(hostile):
    run = hostile.finished(scan=film(), model="anatomy-shallow", explainer="deconvnet", target=CLASSES[0])
    return hostile.open("explain", run=run)


def explain_failed(hostile, monkeypatch):
    monkeypatch.setattr(Saliency, "run", hostile_failure)
    return hostile.open("explain", run=explained(hostile, volume()))


def trace(hostile):
    page = hostile.open("trace")
    page.selectbox[0].select("demo:slice").run()
    region = np.zeros(MADE, dtype=bool)
    region[10, 8] = True
    page.session_state["trace desk"].select(region, "input")
    page.run()
    return settle(page)


def compare_one_film(hostile):
    page = hostile.open("compare")
    page.session_state["compare desk"].scan = film()
    page.run()
    page.button(key="compare").click().run()
    return settle(page)


def _study():
    parameters = {"others": "anatomy-deeper"}
    return StudySpec(owner=LOCAL_OWNER, study="anatomy", model="anatomy-shallow", cohort="films", parameters=parameters)


def compare_all_films(hostile):
    run = manager().submit(_study())
    manager().wait(run, LOCAL_OWNER, 60)
    page = hostile.open("compare", run=run)
    study = anatomy_of(shelf().study(run))
    one = study.films["anatomy-shallow"][0]
    page.session_state["compare desk"].open_cell(Cell("anatomy-shallow", one.truth, one.predicted))
    page.session_state["compare desk"].open_film(one.film)
    page.run()
    return settle(page)


STATES = (
    home, runs, models, explain_at_first, explain_done, explain_a_film, explain_filters, trace, compare_one_film,
    compare_all_films,
)  # fmt: skip


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_no_name_on_any_page_is_read_as_markup(hostile, state):
    assert_harmless(state(hostile))


def test_why_a_run_failed_is_not_read_as_markup(hostile, monkeypatch):
    assert_harmless(explain_failed(hostile, monkeypatch))

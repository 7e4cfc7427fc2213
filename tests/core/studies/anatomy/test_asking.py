import json

import numpy as np
import pytest
from PIL import Image

from core.command_line.main import main
from core.errors import BadInput
from core.phantoms.radiographs.films import ANATOMIES, RadiographParameters, radiograph_cohort
from core.settings import settings
from core.training.recipes.anatomy import SHIFTED_SEED
from tests.core.studies.films import CLASSES, run_study, save_films, save_network


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"explainer": "deepdream"}, "no explainer 'deepdream'"),
        ({"filters": "9"}, "takes no filters"),
        ({"score": "median"}, "Parameter score"),
        ({"others": "ghost"}, "no model 'ghost'"),
        ({"others": "SELF"}, "Two networks are called one"),
        ({"others": "OTHER"}, r"No class of these films \(hand, foot, knee\) is known to every network"),
        ({"exclude": "elbow"}, "no class 'elbow' to exclude"),
        ({"minimum": "20"}, "lower minimum"),
        ({"classes": "knee, elbow"}, "'elbow' has no film here; there are films of hand, foot, knee"),
        ({"test": "0.1", "part": "validation"}, "no film in the split validation"),
        ({"part": "train"}, r"no splits, so which films are for train is unknown: give test=SHARE .* part=all"),
        ({"part": "validation"}, "no splits, so which films are for validation is unknown"),
        ({"colour": "red"}, "no parameter 'colour'"),
    ],
)
def test_what_cannot_work_is_refused_in_one_sentence(place, tmp_path, values, sentence):
    folders = {"SELF": place / "one", "OTHER": save_network(tmp_path, "far", ("lion", "tiger"))}
    given = {name: str(folders.get(value, value)) for name, value in values.items()}
    with pytest.raises(BadInput, match=sentence):
        run_study(place, tmp_path, **given)


def test_a_film_that_a_network_cannot_be_asked_about_is_named(place, tmp_path):
    cohort = save_films(tmp_path / "cohort", films=1)
    Image.fromarray(np.ones((1, 400), np.uint8)).save(cohort / "films/foot-0.png")
    (cohort / "films/foot-0-marks.png").unlink()
    rows = (cohort / "participants.tsv").read_text().replace("films/foot-0-marks.png", "")
    (cohort / "participants.tsv").write_text(rows)
    with pytest.raises(BadInput, match=r"^foot-0: The picture is 1×400 pixels"):
        run_study(place, tmp_path, cohort=cohort)


def test_a_network_that_does_not_fit_is_named(place, tmp_path):
    with pytest.raises(BadInput, match=r"^mr-ct-phantom: .* this is a regressor"):
        run_study(place, tmp_path, others="mr-ct-phantom")


def test_a_class_called_all_would_be_taken_for_all_films(place, tmp_path):
    other = save_network(tmp_path, "other", (*CLASSES, "all"))
    with pytest.raises(BadInput, match="other has a class called all"):
        run_study(place, tmp_path, others=str(other))


def test_without_a_cohort_shifted_radiographs_are_drawn(tmp_path, capsys):
    folder = save_network(tmp_path, "drawn", tuple(ANATOMIES))
    asked = ["study", "anatomy", "--model", str(folder), "--out", str(tmp_path / "out"), "--json"]
    assert main([*asked, "--param", "films=1", "--param", "explainer=saliency"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert [row["truth"] for row in record["rows"]] == list(ANATOMIES)
    assert record["synthetic"] is True
    assert record["landmarks"][0] == "bone"
    made = radiograph_cohort(RadiographParameters(seed=SHIFTED_SEED, films=1, shifted=True))
    shown = {entry.participant_id: made.landmarks(entry) for entry in made.entries}
    for row in record["rows"]:
        assert row["area"] == pytest.approx({name: place.mean() for name, place in shown[row["film"]].items()})
    with_marker = [row for row in record["rows"] if "marker" in row["inside"]]
    assert 0 < len(with_marker) < len(record["rows"])
    assert record["networks"][0]["landmarks"]["all"]["marker"]["films"] == len(with_marker)


def test_settings_of_a_cohort_without_one_are_refused(place, tmp_path):
    with pytest.raises(BadInput, match="need --cohort"):
        run_study(place, tmp_path, cohort=None, exclude="hand")


def test_the_command_line_writes_the_study_and_prints_its_sentence(place, tmp_path, capsys):
    asked = [
        "study",
        "anatomy",
        "--model",
        str(place / "one"),
        "--cohort",
        str(place / "cohort"),
        "--out",
        str(tmp_path),
    ]
    assert main([*asked, "--param", "explainer=saliency", "--param", f"others={place / 'two'}"]) == 0
    printed = capsys.readouterr()
    assert json.loads((tmp_path / "study.json").read_text())["sentence"] in printed.out
    assert "no splits" in printed.err


def test_a_cohort_of_the_library_is_found_by_its_name(place, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LIGHTBOX_COHORTS_DIR", str(place))
    settings.cache_clear()
    asked = ["study", "anatomy", "--model", str(place / "one"), "--cohort", "cohort", "--out", str(tmp_path), "--json"]
    assert main([*asked, "--param", "explainer=saliency", "--param", "films=1"]) == 0
    assert json.loads(capsys.readouterr().out)["cohort"] == "cohort"
    assert main(["study", "anatomy", "--model", "x", "--cohort", "ghost", "--out", str(tmp_path)]) == 2
    assert "ghost is not there; in the library:" in capsys.readouterr().err
    settings.cache_clear()


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (["--cohort", "ghost"], "cohort folder ghost is not there"),
        (["--cohort", "COHORT", "--param", "label_column=part"], "no column 'part'"),
        (["--cohort", "COHORT", "--param", "films=-1"], "Parameter films"),
    ],
)
def test_bad_input_on_the_command_line_ends_with_one_sentence(place, tmp_path, capsys, asked, sentence):
    asked = [str(place / "cohort") if word == "COHORT" else word for word in asked]
    given = ["study", "anatomy", "--model", str(place / "one"), "--out", str(tmp_path / "out"), *asked]
    assert main([*given, "--param", "explainer=saliency"]) == 2
    assert sentence in capsys.readouterr().err

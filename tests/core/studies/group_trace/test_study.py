import csv
import json

import numpy as np
import pytest
from PIL import Image

from core.command_line.main import main
from core.errors import BadInput
from core.explainers import explain
from core.scans import load_scan
from core.studies import get_study
from core.studies.reading import read_study
from tests.core.regressors import regressor

VALUES = {"direction": "forward", "jitters": 4}


@pytest.fixture
def cohort(tmp_path):
    """Three pictures on one grid below ``T1``, and a region file."""
    folder = tmp_path / "cohort" / "T1"
    folder.mkdir(parents=True)
    random = np.random.default_rng(2)
    for number in range(3):
        Image.fromarray(random.integers(0, 255, (20, 24), dtype=np.uint8)).save(folder / f"{number}.png")
    region = np.zeros((20, 24), dtype=bool)
    region[9:11, 10:13] = True
    np.save(tmp_path / "region.npy", region)
    return tmp_path


def run(cohort, **values):
    study = get_study("group-trace")
    out = cohort / "out"
    out.mkdir(exist_ok=True)
    asked = {"region": str(cohort / "region.npy"), "images": "T1", **VALUES, **values}
    return study().run(study.parameters(values=asked), regressor(), cohort / "cohort", out), out


def test_the_groups_map_is_the_mean_over_the_scans_of_a_folder(cohort):
    record, out = run(cohort)
    region = np.load(cohort / "region.npy")
    maps = [
        explain(load_scan(path), regressor(), "ibix", region=region, **VALUES).arrays["map"].values
        for path in sorted((cohort / "cohort" / "T1").glob("*.png"))
    ]
    np.testing.assert_allclose(np.load(out / "map.npy"), np.mean(maps, axis=0), rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(np.load(out / "spread.npy"), np.std(maps, axis=0), rtol=1e-3, atol=1e-6)
    assert record["numbers"]["scans"] == 3
    assert json.loads((out / "study.json").read_text())["sentence"] == record["sentence"]
    with (out / "scans.csv").open(newline="") as file:
        assert [row["scan"] for row in csv.DictReader(file)] == ["0.png", "1.png", "2.png"]


def test_its_record_shows_the_scans_and_the_mean_over_what_it_lies_on(cohort):
    record, out = run(cohort)
    found = read_study(out)
    assert found.record == json.loads(json.dumps(record))
    (scans,) = found.parts.tables
    assert scans.values("scan") == ["0.png", "1.png", "2.png"]
    opening = scans.opening(1)
    assert (opening.scan, opening.explainer, opening.parameters["jitters"]) == ("T1/1.png", "ibix", 4)
    np.testing.assert_array_equal(np.load(found.path(opening.region)), np.load(cohort / "region.npy"))
    mean, spread = found.maps
    np.testing.assert_array_equal(np.load(found.path(mean.file)), np.load(out / "map.npy"))
    np.testing.assert_array_equal(np.load(found.path(spread.file)), np.load(out / "spread.npy"))
    # what a region of the scan influences lies on the image that the model makes
    assert mean.side == "output"
    np.testing.assert_array_equal(np.load(found.path(mean.background)), np.load(out / "answer.npy"))
    backward, out = run(cohort, direction="backward", superpixels=60)
    (mean, _) = read_study(out).maps
    assert mean.side == "input"
    np.testing.assert_array_equal(
        np.load(read_study(out).path(mean.background)), load_scan(cohort / "cohort" / "T1" / "0.png").array[0]
    )
    assert backward["numbers"]["scans"] == 3


def test_a_limit_takes_the_first_scans(cohort):
    record, _ = run(cohort, limit=2)
    assert [row["scan"] for row in record["rows"]] == ["0.png", "1.png"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"images": "T9"}, "no folder 'T9'"),
        ({"images": "../.."}, "no folder"),
        ({"images": "."}, "holds no image"),
        ({"jitters": 3}, "odd"),
        ({"colour": 1}, "no parameter 'colour'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(cohort, values, said):
    with pytest.raises(BadInput, match=said):
        run(cohort, **values)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["study", "group-trace"], "needs --model"),
        (["study", "grid"], "no study 'grid'"),
        (["study", "group-trace", "--model", "m", "--cohort", "HERE", "--out", "OUT"], "Parameter region is needed"),
    ],
)
def test_the_command_says_what_is_missing(cohort, capsys, arguments, said):
    places = {"HERE": str(cohort), "OUT": str(cohort / "out")}
    assert main([places.get(argument, argument) for argument in arguments]) == 2
    assert said in capsys.readouterr().err

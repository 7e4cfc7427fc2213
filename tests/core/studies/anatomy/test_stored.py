"""A study read back: figures, missing numbers, the films of a cell, and what is no study."""

import json
import math
from pathlib import Path

import pytest

from core.errors import BadInput
from core.studies.anatomy.stored import AnatomyResult, anatomy_of
from core.studies.reading import read_study

#: Written by the first version that had this study; not to be made again.
YESTERDAY = Path(__file__).parents[1] / "yesterday" / "anatomy"


def row(film: str, network: str, truth: str, predicted: str, sure: float) -> dict[str, object]:
    return {
        "network": network,
        "film": film,
        "file": f"films/{film}.png",
        "truth": truth,
        "predicted": predicted,
        "probability": {predicted: sure},
        "inside": {"bone": None},
    }


RECORD = {
    "sentence": "A finding.",
    "synthetic": True,
    "classes": ["hand", "foot"],
    "networks": [
        {
            "name": "deep",
            "title": "Deep",
            "films": 3,
            "balanced_accuracy": 0.25,
            "balanced_accuracy_95": [0.1, 0.6],
            "confusion": [[0, 2], [0, 1]],
            "landmarks": {"all": {"bone": {"share": 0.4, "area": 0.2, "ratio": 2.0, "films": 3, "random": 0.3}}},
            "mean_maps": {"hand": "deep/mean_hand.npy"},
            "mean_films": {},
        }
    ],
    "rows": [
        row("a", "deep", "hand", "foot", 0.6),
        row("b", "deep", "hand", "foot", 0.9),
        row("c", "deep", "foot", "foot", 0.8),
    ],
}


def write(folder: Path, content: object) -> Path:
    (folder / "study.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def read(folder: Path) -> AnatomyResult:
    return anatomy_of(read_study(folder))


def test_a_study_is_read_back_with_its_figures(tmp_path: Path) -> None:
    found = read(write(tmp_path, RECORD))
    network = found.networks["deep"]
    assert (found.classes, found.stored.sentence, found.stored.synthetic) == (("hand", "foot"), "A finding.", True)
    assert (network.balanced_accuracy, network.interval, network.films) == (0.25, (0.1, 0.6), 3)
    assert network.confusion.tolist() == [[0, 2], [0, 1]]
    assert network.mean_maps == {"hand": tmp_path / "deep" / "mean_hand.npy"}
    assert found.landmarks == ("bone",)


def test_a_control_that_was_not_taken_is_no_number(tmp_path: Path) -> None:
    bone = read(write(tmp_path, RECORD)).networks["deep"].landmarks["all"]["bone"]
    assert bone.random == 0.3
    assert math.isnan(bone.control)


def test_the_films_of_a_cell_come_surest_first(tmp_path: Path) -> None:
    found = read(write(tmp_path, RECORD))
    assert [film.film for film in found.of_cell("deep", "hand", "foot")] == ["b", "a"]
    assert found.of_cell("deep", "foot", "hand") == ()
    assert math.isnan(found.of_cell("deep", "foot", "foot")[0].inside["bone"])


@pytest.mark.parametrize("content", [{"sentence": "A trace.", "rows": []}, {**RECORD, "networks": [{}]}])
def test_what_is_no_such_study_is_refused_in_one_sentence(tmp_path: Path, content: object) -> None:
    with pytest.raises(BadInput, match="no networks and films to show"):
        read(write(tmp_path, content))


def test_a_study_of_yesterday_is_read_with_its_networks_and_films() -> None:
    found = read(YESTERDAY)
    assert list(found.networks) == ["one", "two"]
    assert found.networks["one"].confusion.tolist() == [[0, 2, 0], [0, 2, 0], [0, 2, 0]]
    assert found.networks["two"].landmarks["all"]["bone"].films == 6
    assert [film.film for film in found.of_cell("one", "hand", "foot")] == ["hand-1", "hand-0"]
    for network in found.networks.values():
        assert all(path.is_file() for path in (*network.mean_maps.values(), *network.mean_films.values()))

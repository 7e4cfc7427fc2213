import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from core.cohorts.landmark_labels import read_landmark_names, read_landmarks
from core.errors import Cancelled
from core.explainers import explain
from core.metrics.sanity import with_random_weights
from core.models import load_model
from core.scans import load_scan
from core.studies import get_study
from core.studies.anatomy.stored import anatomy_of
from core.studies.reading import read_study
from tests.core.studies.films import CLASSES, SHAPE, run_study, save_films, save_network, spoil_film


@pytest.fixture(scope="module")
def found(place, tmp_path_factory):
    """Record of the two networks on all films, and the folder it was written to."""
    out = tmp_path_factory.mktemp("out")
    return run_study(place, out, others=str(place / "two")), out


def test_every_film_is_asked_of_every_network(found, place):
    record, _ = found
    assert [network["name"] for network in record["networks"]] == ["one", "two"]
    assert [(row["film"], row["network"]) for row in record["rows"][:3]] == [
        ("hand-0", "one"),
        ("hand-0", "two"),
        ("hand-1", "one"),
    ]
    assert len(record["rows"]) == 18
    row = record["rows"][3]
    said = load_model(place / "two").predict(load_scan(place / "cohort" / row["file"]))
    assert row["probability"] == pytest.approx(said)
    assert row["predicted"] == max(said, key=said.get)
    assert (row["truth"], row["file"]) == ("hand", "films/hand-1.png")


def test_confusion_and_balanced_accuracy_are_those_counted_by_hand(found):
    record, _ = found
    for network in record["networks"]:
        rows = [row for row in record["rows"] if row["network"] == network["name"]]
        counted = [[sum(row["truth"] == t and row["predicted"] == p for row in rows) for p in CLASSES] for t in CLASSES]
        assert network["confusion"] == counted
        recalls = [counted[c][c] / 3 for c in range(3)]
        assert network["balanced_accuracy"] == pytest.approx(sum(recalls) / 3)
        low, high = network["balanced_accuracy_95"]
        assert 0 <= low <= network["balanced_accuracy"] <= high <= 1
        assert network["films"] == 9
    assert record["classes"] == list(CLASSES)


def test_shares_on_landmarks_are_those_of_the_explanation_itself(found, place):
    record, _ = found
    names = read_landmark_names(place / "cohort")
    for row in record["rows"][1:4]:
        scan = load_scan(place / "cohort" / row["file"])
        marks = place / "cohort" / row["file"].replace(".png", "-marks.png")
        landmarks = read_landmarks(marks, scan, names, row["film"])
        found_map = explain(scan, load_model(place / row["network"]), "saliency", target=row["predicted"])
        sizes = np.abs(found_map.arrays["map"].values.astype(np.float64))
        assert row["inside"] == pytest.approx({n: sizes[m].sum() / sizes.sum() for n, m in landmarks.items()})
        assert row["area"] == pytest.approx({n: m.mean() for n, m in landmarks.items()})


def test_deconvnet_by_default_with_the_share_that_explain_records_for_a_landmark(place, tmp_path):
    study = get_study("anatomy")
    parameters = study.parameters(
        values={"filters": 3, "score": "max", "films": 1, "classes": "foot", "random_weights": 0}
    )
    record = study().run(parameters, load_model(place / "one"), place / "cohort", tmp_path)
    (row,) = record["rows"]
    scan = load_scan(place / "cohort" / row["file"])
    bone = np.zeros(scan.shape, bool)
    bone[4:14, 6:12] = True
    found = explain(scan, load_model(place / "one"), "deconvnet", target="foot", region=bone, filters=3, score="max")
    assert row["inside"]["bone"] == pytest.approx(found.numbers["region_share"], rel=1e-5)
    assert row["area"]["bone"] == pytest.approx(found.numbers["region_area"])


def test_only_films_that_have_a_landmark_count_for_it(found):
    record, _ = found
    assert record["landmarks"] == ["bone", "marker"]
    for network in record["networks"]:
        figures = network["landmarks"]
        assert figures["all"]["bone"]["films"] == 9
        assert figures["all"]["marker"]["films"] == 3
        rows = [row for row in record["rows"] if row["network"] == network["name"] and row["truth"] == "foot"]
        bone = figures["foot"]["bone"]
        assert bone["share"] == pytest.approx(np.mean([row["inside"]["bone"] for row in rows]))
        assert bone["area"] == pytest.approx(60 / 480) == bone["uniform"]
        assert bone["ratio"] == pytest.approx(bone["share"] / bone["area"])


def test_the_control_is_the_map_of_another_film_each_serving_once(found, place):
    record, _ = found
    rows = [row for row in record["rows"] if row["network"] == "one"]
    with_control = [row for row in rows if row["control"]]
    assert len(with_control) == len(rows) - 1  # the film that was asked first has none before it
    model, sizes, marks = load_model(place / "one"), {}, {}
    for row in rows:
        scan = load_scan(place / "cohort" / row["file"])
        sizes[row["film"]] = np.abs(explain(scan, model, "saliency", target=row["predicted"]).arrays["map"].values)
        labels = place / "cohort" / row["file"].replace(".png", "-marks.png")
        marks[row["film"]] = read_landmarks(labels, scan, {1: "bone", 2: "marker"}, "")["bone"]
    served = []
    for row in with_control:
        bone, control = marks[row["film"]], row["control"]["bone"]
        shares = {film: float(size[bone].sum() / size.sum()) for film, size in sizes.items() if film != row["film"]}
        served.append(min(shares, key=lambda film, shares=shares, control=control: abs(shares[film] - control)))
        assert control == pytest.approx(shares[served[-1]], rel=1e-4)
    assert len(set(served)) == len(served)
    films = [row["film"] for row in rows]
    neighbours = [films[films.index(row["film"]) - 1] for row in with_control]
    assert served != neighbours  # in the cohort's order it would mostly be a film of the same class
    assert record["networks"][0]["landmarks"]["all"]["bone"]["control"] == pytest.approx(
        np.mean([row["control"]["bone"] for row in with_control])
    )


def test_the_random_control_is_the_map_of_the_network_with_random_weights(place, tmp_path):
    record = run_study(place, tmp_path, random_weights=2)
    asked = [row for row in record["rows"] if row["random"]]
    assert sorted(row["truth"] for row in asked) == sorted([*CLASSES, *CLASSES])
    model = load_model(place / "one")
    untaught = replace(model, network=with_random_weights(model.network, 0))
    for row in asked[:2]:
        scan = load_scan(place / "cohort" / row["file"])
        marks = place / "cohort" / row["file"].replace(".png", "-marks.png")
        bone = read_landmarks(marks, scan, {1: "bone", 2: "marker"}, "")["bone"]
        sizes = np.abs(explain(scan, untaught, "saliency", target=row["predicted"]).arrays["map"].values)
        assert row["random"]["bone"] == pytest.approx(float(sizes[bone].sum() / sizes.sum()), rel=1e-4)
        assert row["random"]["bone"] != pytest.approx(row["inside"]["bone"], rel=1e-3)
    assert not any(row["random"] for row in run_study(place, tmp_path, random_weights=0)["rows"])


def test_the_mean_map_of_a_class_is_the_mean_of_its_maps_on_the_networks_grid_each_with_sum_one(found, place):
    record, out = found
    network = record["networks"][1]
    assert network["mean_maps"] == {label: f"two/mean_{label}.npy" for label in CLASSES}
    mean = np.load(out / network["mean_maps"]["knee"])
    assert mean.shape == SHAPE
    assert mean.sum() == pytest.approx(1, rel=1e-5)
    model = load_model(place / "two")
    films = [model.prepare(load_scan(place / f"cohort/films/knee-{n}.png")).tensor[0, 0].numpy() for n in range(3)]
    np.testing.assert_allclose(np.load(out / network["mean_films"]["knee"]), np.mean(films, axis=0), rtol=1e-5)
    assert (out / "two/mean_knee.png").is_file()
    assert (out / "two/film_knee.png").is_file()


def test_record_and_tables_say_the_same(found):
    record, out = found
    assert json.loads((out / "study.json").read_text()) == json.loads(json.dumps(record))
    assert record["study"] == "anatomy"
    assert record["parameters"]["others"] == ["two"]
    assert record["synthetic"] is True
    tables = {}
    for name in ("networks", "landmarks", "films"):
        with (out / f"{name}.csv").open(newline="") as file:
            tables[name] = list(csv.DictReader(file))
    assert [float(row["balanced_accuracy"]) for row in tables["networks"]] == [
        network["balanced_accuracy"] for network in record["networks"]
    ]
    assert len(tables["films"]) == 18
    assert float(tables["films"][0]["inside bone"]) == record["rows"][0]["inside"]["bone"]
    row = next(r for r in tables["landmarks"] if (r["network"], r["class"], r["landmark"]) == ("two", "all", "bone"))
    assert float(row["share"]) == record["numbers"]["share on bone two"]


def test_what_is_shown_of_it_says_the_same_and_its_films_open(found):
    record, out = found
    stored = read_study(out)
    assert stored.unknown == 0
    networks, _, films = stored.parts.tables
    assert networks.values("balanced_accuracy") == [each["balanced_accuracy"] for each in record["networks"]]
    assert networks.values("map in bone") == [each["landmarks"]["all"]["bone"]["share"] for each in record["networks"]]
    assert len(films.rows) == 18
    opening = films.opening(5)
    assert opening.model_dump(include={"scan", "title", "model", "explainer", "target", "parameters"}) == {
        "scan": record["rows"][5]["file"],
        "title": record["rows"][5]["film"],
        "model": "two",
        "explainer": "saliency",
        "target": record["rows"][5]["predicted"],
        "parameters": {},
    }
    confusion = stored.parts.figures[3]
    assert [list(row) for row in confusion.values] == record["networks"][1]["confusion"]
    assert confusion.opens.where == {"network": "two"}
    assert [(shown.group, shown.file) for shown in stored.maps][:2] == [
        ("hand", "one/mean_hand.npy"),
        ("hand", "two/mean_hand.npy"),
    ]


def test_a_cohort_without_splits_is_told_to_flatter_networks_trained_on_it(found):
    record, _ = found
    assert "no splits" in record["notes"][0]


def test_networks_of_one_kind_are_brought_together_over_their_seeds(place, tmp_path):
    names = ["flat-seed-0", "flat-seed-1", "deep-seed-0", "deep-seed-1"]
    folders = [save_network(tmp_path, name) for name in names]
    record = run_study(place, tmp_path, model=folders[0], others=",".join(map(str, folders[1:])))
    accuracies = {network["name"]: network["balanced_accuracy"] for network in record["networks"]}
    kinds = {kind["name"]: kind for kind in record["kinds"]}
    assert set(kinds) == {"flat", "deep"}
    for name, kind in kinds.items():
        own = [accuracies[f"{name}-seed-{seed}"] for seed in (0, 1)]
        assert kind["balanced_accuracy"] == {
            "mean": pytest.approx(np.mean(own)),
            "lowest": min(own),
            "highest": max(own),
        }
    low, high = record["kinds"]
    assert low["points_above"] is None
    assert high["points_above"] == pytest.approx(
        100 * (high["balanced_accuracy"]["mean"] - low["balanced_accuracy"]["mean"])
    )
    assert "each kind" in record["sentence"]


def test_films_are_limited_by_class_and_by_split(place, tmp_path):
    record = run_study(place, tmp_path, films=1)
    assert [row["film"] for row in record["rows"]] == ["hand-0", "foot-0", "knee-0"]
    assert "3 of 9 films taken, the first 1 of each class." in record["notes"]
    held_out = run_study(place, tmp_path, test=0.34, seed=4)
    assert len(held_out["rows"]) == 3
    trained = run_study(place, tmp_path, test=0.34, seed=4, part="train")
    films = {row["film"] for row in held_out["rows"]} | {row["film"] for row in trained["rows"]}
    assert len(films) == 9
    assert held_out["notes"][0] == "3 of 9 films are in the split test."
    assert len(run_study(place, tmp_path, validation=0.34, part="validation")["rows"]) == 3


def test_only_films_of_the_classes_asked_for_are_taken(place, tmp_path):
    record = run_study(place, tmp_path, classes="knee, hand", films=1)
    assert [row["film"] for row in record["rows"]] == ["knee-0", "hand-0"]
    assert "No film of foot: nothing is said of how often they are found." in record["notes"]


def test_the_split_is_the_one_that_the_recipe_makes(place, tmp_path):
    from core.cohorts.cohort import split_by_subject
    from core.cohorts.reading import read_cohort

    divided = split_by_subject(read_cohort(place / "cohort"), 0.0, 0.34, 7, one_session=False)
    record = run_study(place, tmp_path, test=0.34, seed=7)
    assert [row["film"] for row in record["rows"]] == [entry.participant_id for entry in divided.part("test")]


def test_films_of_classes_that_a_network_does_not_know_are_left_out_and_counted(place, tmp_path):
    other = save_network(tmp_path, "other", ("hand", "knee", "skull"))
    record = run_study(place, tmp_path, others=str(other))
    assert {row["truth"] for row in record["rows"]} == {"hand", "knee"}
    assert record["classes"] == ["hand", "foot", "knee", "skull"]
    assert "3 films of classes that not every network knows left out: foot." in record["notes"]
    assert "No film of foot, skull: nothing is said of how often they are found." in record["notes"]
    assert [len(row) for row in record["networks"][1]["confusion"]] == [4, 4, 4, 4]
    assert set(record["networks"][0]["recall"]) == {"hand", "knee"}


def test_films_without_landmarks_say_so(tmp_path, place):
    save_films(tmp_path / "plain", landmarks=False)
    record = run_study(place, tmp_path, cohort=tmp_path / "plain")
    assert record["landmarks"] == []
    assert record["networks"][0]["landmarks"] == {"all": {}, **{label: {} for label in CLASSES}}
    assert "no landmarks" in record["sentence"]


def test_several_films_of_one_participant_keep_names_of_their_own(tmp_path, place):
    folder = save_films(tmp_path / "films", films=2)
    table = folder / "participants.tsv"
    table.write_text(table.read_text().replace("hand-1\t", "hand-0\t", 1))
    record = run_study(place, tmp_path, cohort=folder)
    assert [row["film"] for row in record["rows"][:3]] == ["hand-0 hand-0", "hand-0 hand-1", "foot-0"]


def test_a_class_named_like_a_path_stays_inside_the_result(tmp_path):
    classes = ("../../hand", "a/b", "A?B")
    folder = save_films(tmp_path / "films", films=1, classes=("x", "y", "z"))
    table = folder / "participants.tsv"
    for letter, label in zip("xyz", classes, strict=True):
        table.write_text(table.read_text().replace(f"\t{letter}\t", f"\t{label}\t"))
    save_network(tmp_path, "odd", classes)
    out = tmp_path / "result"
    out.mkdir()
    record = run_study(tmp_path, out, model="odd", cohort="films")
    files = list(record["networks"][0]["mean_maps"].values())
    assert len({file.lower() for file in files}) == 3  # some file systems do not tell A from a
    assert all((out / file).resolve().is_relative_to(out.resolve() / "odd") for file in files)


def test_it_tells_film_by_film_where_it_is_and_stops_when_cancelled(place, tmp_path):
    told = []
    run_study(place, tmp_path, films=1, others=str(place / "two"), report=told.append)
    messages = list(dict.fromkeys(progress.message for progress in told))
    assert "film 2 of 3: two" in messages
    fractions = [progress.fraction for progress in told]
    assert fractions == sorted(fractions)

    def cancel(progress):
        if progress.message.startswith("film 2"):
            raise Cancelled

    with pytest.raises(Cancelled):
        run_study(place, tmp_path, report=cancel)


def test_names_of_a_cohort_are_no_formulas_in_the_tables(place, tmp_path):
    cohort = save_films(tmp_path / "cohort", films=1)
    rows = (cohort / "participants.tsv").read_text().replace("hand-0\tf", "=1+1\tf")
    (cohort / "participants.tsv").write_text(rows)
    (cohort / "landmarks.tsv").write_text("index\tname\n1\t@bone\n2\tmarker\n")
    record = run_study(place, tmp_path, cohort=cohort)
    assert "=1+1" in {row["film"] for row in record["rows"]}
    for name, cell in (("films.csv", "'=1+1"), ("landmarks.csv", "'@bone")):
        with (tmp_path / name).open(encoding="utf-8", newline="") as file:
            cells = {value for row in csv.reader(file) for value in row}
        assert cell in cells and cell[1:] not in cells


def test_films_that_a_network_cannot_read_are_counted_named_and_marked(place, tmp_path):
    cohort = save_films(tmp_path / "cohort")
    spoil_film(cohort, "foot-1")
    (tmp_path / "out").mkdir()
    record = run_study(place, tmp_path / "out", cohort=cohort, others=str(place / "two"))
    refused = [(row["film"], row["network"]) for row in record["rows"] if row["acceptance"] == "refused"]
    assert refused == [("foot-1", "one"), ("foot-1", "two")]
    assert record["sentence"].endswith(
        "1 of 9 films is not what One model was made for, 1 not what Two model was made for: what is said of them "
        "means nothing, and is counted all the same."
    )
    assert any(
        note.startswith("Not what one was made for: foot-1 (Its samples are 3.2 times") for note in record["notes"]
    )
    assert (record["numbers"]["films refused one"], record["numbers"]["films refused two"]) == (1, 1)
    stored = read_study(tmp_path / "out")
    networks, films = stored.parts.table("networks"), stored.parts.table("films")
    assert networks.values("refused") == [1, 1]
    marked = [said for said in films.values("acceptance") if str(said).startswith("no: Its samples are 3.2 times")]
    assert (len(marked), films.values("acceptance").count("not known")) == (2, 16)
    with (tmp_path / "out" / "films.csv").open(newline="") as file:
        assert [row["film"] for row in csv.DictReader(file) if row["acceptance"] == "refused"] == ["foot-1"] * 2
    found = anatomy_of(stored)
    assert [network.refused for network in found.networks.values()] == [1, 1]
    assert [film.film for film in found.films["one"] if film.refused] == ["foot-1"]
    assert next(film for film in found.films["one"] if film.refused).reason.startswith("Its samples are 3.2 times")

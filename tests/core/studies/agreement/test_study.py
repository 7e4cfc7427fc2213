import json

import numpy as np
import pytest
from scipy.stats import spearmanr

from core.cohorts.reading import read_cohort
from core.errors import BadInput, Cancelled
from core.explainers.run import Asker
from core.models import load_model
from core.studies import get_study
from core.studies.reading import read_study
from tests.core.studies.films import save_films, save_network, spoil_film
from tests.oracles.similarity import cosine

NAMES = ("saliency", "integrated_gradients", "smoothgrad")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("agreement")
    save_films(folder / "cohort")
    save_network(folder, "one")
    return folder


def run(place, out, cohort="cohort", report=lambda progress: None, **values):
    study = get_study("agreement")
    asked = {"explainers": ",".join(NAMES), "scans": 2, **values}
    folder = None if cohort is None else place / cohort
    return study().run(study.parameters(values=asked), load_model(place / "one"), folder, out, report)


@pytest.fixture(scope="module")
def found(place, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return run(place, out), out


def maps_of(place, file):
    """Class that the model says, and the size of each explainer's map, on the model's grid."""
    model, cohort = load_model(place / "one"), read_cohort(place / "cohort")
    entry = next(entry for entry in cohort.entries if entry.file == file)
    prepared = model.prepare(cohort.load(entry))
    said = model.probabilities(prepared.tensor)
    predicted = max(said, key=said.get)
    return predicted, [np.abs(Asker(model, name).map(prepared, predicted).values) for name in NAMES]


def test_every_pair_is_compared_on_every_scan(found, place):
    record, _ = found
    assert len(record["rows"]) == 6 * 3
    row = next(row for row in record["rows"] if row["scan"] == "foot-1" and row["other"] == "smoothgrad")
    assert (row["one"], row["truth"], row["file"]) == ("saliency", "foot", "films/foot-1.png")
    predicted, maps = maps_of(place, row["file"])
    assert row["predicted"] == predicted
    assert row["rank"] == pytest.approx(spearmanr(maps[0].ravel(), maps[2].ravel()).statistic)
    # 16 × 16 samples in 8 × 8 blocks of 2 × 2
    blocks = [values.reshape(8, 2, 8, 2).mean(axis=(1, 3)).ravel().tolist() for values in maps]
    assert row["places"] == pytest.approx(cosine(blocks[0], blocks[2]), rel=1e-5)


def test_chance_is_what_two_maps_of_different_scans_have_in_common(found, place):
    record, _ = found
    pair = [row for row in record["rows"] if (row["one"], row["other"]) == ("saliency", "smoothgrad")]
    with_chance = [row for row in pair if row["chance"] is not None]
    assert len(with_chance) == len(pair) - 1  # the scan that was asked first has none before it
    maps = {row["file"]: maps_of(place, row["file"])[1] for row in pair}
    for row in with_chance:
        here = maps[row["file"]][0].ravel()
        others = [spearmanr(here, each[2].ravel()).statistic for file, each in maps.items() if file != row["file"]]
        assert min(abs(other - row["chance"]) for other in others) < 1e-6


def test_pairs_are_means_over_the_scans_the_most_alike_first(found):
    record, out = found
    pairs, scans = read_study(out).parts.tables
    ranks = pairs.values("rank")
    assert ranks == sorted(ranks, reverse=True)
    for one, other in {(row["one"], row["other"]) for row in record["rows"]}:
        mean = np.mean([row["rank"] for row in record["rows"] if (row["one"], row["other"]) == (one, other)])
        assert record["numbers"][f"rank correlation {one} {other}"] == pytest.approx(mean)
    low, high = pairs.values("interval")[0]
    assert low <= ranks[0] <= high
    assert pairs.values("scans") == [6] * 3
    assert len(scans.rows) == 2 * len(record["rows"])


def test_the_matrix_is_that_of_the_pairs_and_its_cells_have_their_scans(found):
    record, out = found
    study = read_study(out)
    matrix, boxes = study.parts.figures
    at = matrix.rows.index("Saliency"), matrix.columns.index("SmoothGrad")
    mean = record["numbers"]["rank correlation saliency smoothgrad"]
    assert matrix.values[at[0]][at[1]] == matrix.values[at[1]][at[0]] == pytest.approx(mean)
    assert [matrix.values[n][n] for n in range(3)] == [1.0] * 3
    scans = study.parts.table(matrix.opens.table)
    for one, other in (("Saliency", "SmoothGrad"), ("SmoothGrad", "Saliency")):
        rows = [n for n, row in enumerate(scans.rows) if (row[1], row[2]) == (one, other)]
        assert len(rows) == 6
        assert scans.opening(rows[0], "one").explainer == one.lower()
        assert scans.opening(rows[0], "other").explainer == other.lower()
        assert scans.opening(rows[0], "rank").explainer == one.lower()
    assert [len(series.y) for series in boxes.series] == [6] * 3


def test_mean_maps_lie_over_the_mean_scan(found, place):
    _, out = found
    study = read_study(out)
    assert [shown.name for shown in study.maps] == [f"mean-{name}" for name in NAMES]
    files = sorted({row["file"] for row in study.record["rows"]})
    sizes = [maps_of(place, file)[1][0] for file in files]
    expected = np.mean([size / size.sum() for size in sizes], axis=0)
    np.testing.assert_allclose(np.load(study.path(study.maps[0].file)), expected, rtol=1e-4)
    assert np.load(study.path(study.maps[0].background)).shape == (16, 16)


def test_the_sentence_names_the_two_that_agree_most_and_least(found):
    record, out = found
    pairs = read_study(out).parts.tables[0]
    assert record["sentence"].startswith(f"Over 6 scans {pairs.rows[0][0]} and {pairs.rows[0][1]} agree most")
    assert f"{pairs.rows[-1][0]} and {pairs.rows[-1][1]} least" in record["sentence"]
    assert "6 of 9 scans taken, the first 2 of each class." in record["notes"]
    assert json.loads((out / "study.json").read_text()) == record


def test_every_scan_is_taken_without_a_limit(place, tmp_path):
    record = run(place, tmp_path, scans=0, explainers="saliency, smoothgrad")
    assert len(record["rows"]) == 9
    (note,) = record["notes"]  # nothing was left out
    assert "not known what One model was trained on" in note


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"explainers": "saliency"}, "name at least two explainers"),
        ({"explainers": "saliency, saliency"}, "name at least two explainers"),
        ({"explainers": "saliency, astrology"}, "no explainer 'astrology'"),
        ({"cohort": None}, "needs a cohort"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(place, tmp_path, values, said):
    with pytest.raises(BadInput, match=said):
        run(place, tmp_path, **values)


def test_it_stops_at_the_next_explainer_when_it_is_cancelled(place, tmp_path):
    told = []

    def cancel(progress):
        told.append(progress.message)
        if progress.message.startswith("scan 2 of 6: SmoothGrad"):
            raise Cancelled

    with pytest.raises(Cancelled):
        run(place, tmp_path, report=cancel)
    assert told[0] == "scan 1 of 6: Saliency"
    assert list(tmp_path.iterdir()) == []


def test_scans_that_the_model_cannot_read_are_counted_named_and_marked(place, tmp_path):
    cohort = save_films(tmp_path / "cohort")
    spoil_film(cohort, "knee-0")
    (tmp_path / "out").mkdir()
    record = run(place, tmp_path / "out", cohort=cohort)
    assert {row["scan"] for row in record["rows"] if row["acceptance"] == "refused"} == {"knee-0"}
    assert "1 of 6 scans is not what One model was made for" in record["sentence"]
    assert any("knee-0 (Its samples are" in note for note in record["notes"])
    assert record["numbers"]["scans refused"] == 1
    table = read_study(tmp_path / "out").parts.table("scans")
    told = dict(zip(table.values("scan"), table.values("acceptance"), strict=True))
    assert told["knee-0"].startswith("no: Its samples are")
    assert told["hand-0"] == "not known"

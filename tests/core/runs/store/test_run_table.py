import time

import pytest
from sqlalchemy.exc import OperationalError

from core.errors import BadInput, LightboxError
from core.runs.facts import Outcome
from core.runs.store import run_table, tables
from core.runs.store.identity import ProcessIdentity
from core.runs.store.queries import GROUPS, SORTS, RunQuery
from core.runs.store.records import Status
from core.runs.store.run_table import RunTable, checked_tags
from core.runs.store.store import RunStore
from tests.core.runs.store.many import fill
from tests.core.runs.toykinds import CountSpec, OutcomeSpec

ME = ProcessIdentity.of()
ANNA, BERT = "anna", "bert"


@pytest.fixture
def many(store: RunStore) -> tuple[RunTable, list[str]]:
    """Sixty runs of Anna's, and as many of somebody else's."""
    fill(store, BERT, 61)
    return store.of(ANNA).table, fill(store, ANNA, 60)


def finished(store: RunStore, name: str = "", owner: str = ANNA) -> str:
    run_id = store.of(owner).add(CountSpec(name=name), ME)
    store.ledger.claim(run_id, ME)
    store.ledger.result(run_id).mkdir()
    store.ledger.finish(run_id, Status.DONE)
    return run_id


def test_pages_follow_each_other_to_the_end(many: tuple[RunTable, list[str]]) -> None:
    table, ids = many
    found = [row.run.id for first in range(0, 70, 7) for row in table.page(first=first, rows=7)]
    assert found == ids[::-1]
    assert table.count() == 60


def test_a_row_says_what_was_asked_and_how_it_came_out(many: tuple[RunTable, list[str]]) -> None:
    table, ids = many
    (row,) = table.rows([ids[30]])
    assert (row.method, row.model, row.target, row.name, row.note) == (
        "mask",
        "alzheimer-phantom",
        "AD",
        "Figure 30",
        "for the paper",
    )
    assert row.tags == ("paper",)
    assert row.verdict in ("holds", "fails", "untested", "nothing")
    assert 0 <= row.before <= 1 >= row.after >= 0
    assert [row.run.id for row in table.rows([ids[4], "0" * 16, ids[2]])] == [ids[4], ids[2]]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"method": ("mask",)}, lambda row: row.method == "mask"),
        ({"method": ("mask", "ibix")}, lambda row: row.method in ("mask", "ibix")),
        ({"model": ("anatomy-marker",)}, lambda row: row.model == "anatomy-marker"),
        ({"status": ("failed",)}, lambda row: row.run.status is Status.FAILED),
        ({"verdict": ("holds", "fails")}, lambda row: row.verdict in ("holds", "fails")),
        ({"tag": ("paper", "check")}, lambda row: set(row.tags) & {"paper", "check"}),
        ({"scan": (f"{3:064x}",)}, lambda row: row.scan == f"{3:064x}"),
        ({"starred": True}, lambda row: row.run.pinned),
        ({"kind": ("study",)}, lambda row: False),
        ({"finished": True, "words": "FIGURE paper"}, lambda row: row.name.startswith("Figure")),
        ({"words": "mask 30"}, lambda row: row.method == "mask" and row.name == "Figure 30"),
        ({"words": "perturb", "called": {"mask": "Mask perturbation"}}, lambda row: row.method == "mask"),
        ({"words": "100%_"}, lambda row: False),
    ],
)
def test_filters_find_what_they_say_and_nothing_else(many, query, wanted) -> None:
    table, ids = many
    everything = table.rows(ids)
    found = {row.run.id for row in table.page(RunQuery(**query), rows=1000)}
    assert found == {row.run.id for row in everything if wanted(row)}
    assert table.count(RunQuery(**query)) == len(found)


def test_words_are_found_in_any_case_and_with_any_letters(store: RunStore) -> None:
    run_id = finished(store)
    table = store.of(ANNA).table
    table.describe(run_id, "Ärztliche Frage", "größer als\nim März", ["ΔT"])
    for words in ("ÄRZTLICHE", "ärztliche märz", "GRÖSSER", "δt", run_id[:6], "count"):
        assert [row.run.id for row in table.page(RunQuery(words=words))] == [run_id], words
    assert table.page(RunQuery(words="fragegrößer")) == []


_KEYS = {
    "oldest": lambda row: row.run.created,
    "name": lambda row: (row.name or row.run.title).casefold(),
    "method": lambda row: row.method,
    "model": lambda row: row.model,
    "change": lambda row: (True, 0) if row.after is None else (False, -abs(row.after - row.before)),
    "verdict": lambda row: ("fails", "holds", "untested", "nothing", "").index(row.verdict),
    "starred": lambda row: not row.run.pinned,
    "scan": lambda row: 0,
    "newest": lambda row: 0,
}


@pytest.mark.parametrize("sort", SORTS)
def test_rows_are_sorted_and_the_latest_of_equals_comes_first(many, sort) -> None:
    table, ids = many
    latest_first = table.rows(ids[::-1])
    found = [row.run.id for row in table.page(RunQuery(sort=sort), rows=100)]
    assert found == [row.run.id for row in sorted(latest_first, key=_KEYS[sort])]


@pytest.mark.parametrize("group", [group for group in GROUPS if group])
def test_groups_stand_together_and_are_counted(many, group) -> None:
    table, ids = many
    rows = table.page(RunQuery(group=group, sort="oldest"), rows=100)
    order = list(dict.fromkeys(row.group for row in rows))
    assert order == sorted(order, reverse=group == "day")
    assert [row.group for row in rows] == [name for name in order for row in rows if row.group == name]
    assert table.groups(RunQuery(group=group)) == {name: sum(row.group == name for row in rows) for name in order}
    assert {"day": 60, "method": 6, "scan": 1}[group] == len(order)
    assert table.groups(RunQuery()) == {}
    assert sorted(row.run.id for row in rows) == sorted(ids)


def test_what_can_be_asked_for_is_counted(many) -> None:
    table, _ = many
    choices = table.choices()
    assert choices["method"] == dict.fromkeys(
        ("mask", "saliency", "grad_cam", "ibix", "deconvnet", "integrated_gradients"), 10
    )
    assert choices["kind"] == {"explanation": 60}
    assert choices["status"] == {"done": 56, "failed": 4}
    assert choices["tag"] == {"check": 4, "paper": 4, "to do": 4}
    for name, values in choices.items():
        for value, count in values.items():
            assert table.count(RunQuery(**{name: (value,)})) == count


def test_nothing_of_another_owner_is_reached(store: RunStore, many) -> None:
    table, ids = many
    theirs = store.of(BERT).table
    with pytest.raises(BadInput, match="no such run"):
        theirs.describe(ids[0], "mine now", "", ["x"])
    for change in (theirs.star, lambda runs: theirs.tag(runs, ["x"]), theirs.throw_away):
        with pytest.raises(BadInput):
            change(ids[:3])
    assert theirs.rows(ids) == []
    assert theirs.count() == 61
    table.throw_away(ids[:3])
    assert theirs.take_back(ids[:3]) == []
    assert table.count() == 57
    # of a mixed request only what is one's own is done
    mine = finished(store, owner=BERT)
    theirs.star([mine, ids[5]])
    assert store.of(BERT).run(mine).pinned
    assert not store.of(ANNA).run(ids[5]).pinned


def test_words_replace_those_before_and_are_kept_tidy(store: RunStore) -> None:
    table, run_id = store.of(ANNA).table, finished(store)
    table.describe(run_id, "  two \n words ", " note\n\nmore ", ["#a", "b ", "a", " "])
    (row,) = table.page()
    assert (row.name, row.note, row.tags) == ("two words", "note\n\nmore", ("a", "b"))
    table.tag([run_id], ["c", "a"])
    assert table.page()[0].tags == ("a", "b", "c")
    table.describe(run_id, "", "", [])
    (row,) = table.page()
    assert (row.name, row.note, row.tags) == ("", "", ())
    with pytest.raises(BadInput, match="at most 120"):
        table.describe(run_id, "x" * 121, "", [])
    with pytest.raises(BadInput, match="at most 4000"):
        table.describe(run_id, "", "x" * 4001, [])
    with pytest.raises(BadInput, match="at most 40"):
        table.tag([run_id], ["x" * 41])
    with pytest.raises(BadInput, match="at most 20 tags"):
        checked_tags([str(number) for number in range(21)])


def test_what_is_thrown_away_is_gone_until_it_is_taken_back(store: RunStore) -> None:
    shelf = store.of(ANNA)
    kept, gone = finished(store, "kept"), finished(store, "gone")
    shelf.table.describe(gone, "a name", "", ["tag"])
    assert shelf.table.throw_away([gone, "0" * 16]) == [gone]
    assert [run.id for run in shelf.runs()] == [kept]
    assert [row.run.id for row in shelf.table.page()] == [kept]
    assert shelf.table.choices()["tag"] == {}
    for look in (shelf.run, shelf.folder, shelf.result, shelf.progress, shelf.delete):
        with pytest.raises(BadInput, match="no such run"):
            look(gone)
    assert shelf.answered(CountSpec(name="gone")) is None  # asked again it is computed again
    assert shelf.table.take_back([gone, kept]) == [gone]
    assert shelf.result(gone).is_dir()
    assert shelf.table.page(RunQuery(words="name"))[0].tags == ("tag",)
    assert shelf.answered(CountSpec(name="gone")) == gone


def test_what_goes_on_is_not_thrown_away(store: RunStore) -> None:
    shelf = store.of(ANNA)
    over, going = finished(store), shelf.add(CountSpec(name="going"), ME)
    with pytest.raises(BadInput, match="have not finished"):
        shelf.table.throw_away([going])
    assert shelf.table.throw_away([going, over]) == [over]
    assert shelf.run(going).status is Status.QUEUED
    assert [row.run.id for row in shelf.table.page(RunQuery(finished=True))] == []


def test_many_are_thrown_away_at_once(store: RunStore, monkeypatch) -> None:
    monkeypatch.setattr(run_table, "_AT_ONCE", 7)
    table, ids = store.of(ANNA).table, fill(store, ANNA, 40)
    table.star(ids)
    assert table.count(RunQuery(starred=True)) == 40
    assert sorted(table.throw_away(ids)) == sorted(ids)
    assert table.count() == 0
    assert sorted(table.take_back(ids)) == sorted(ids)
    assert len(table.rows(ids)) == 40


def test_on_a_full_disk_what_is_thrown_away_makes_room_at_once(store: RunStore, monkeypatch) -> None:
    run_id = finished(store)

    def full(*_: object, **__: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    monkeypatch.setattr(RunTable, "_write_all", full)
    assert store.of(ANNA).table.throw_away([run_id]) == []
    assert store.of(ANNA).runs() == []
    assert not store.ledger.folder(run_id).exists()


def test_how_it_came_out_is_noted_when_it_is_done(store: RunStore) -> None:
    run_id = store.of(ANNA).add(OutcomeSpec(before=0.9, after=0.2), ME)
    (row,) = store.of(ANNA).table.page()
    assert (row.method, row.model, row.target, row.verdict, row.before) == ("toy", "a model", "AD", "", None)
    store.ledger.claim(run_id, ME)
    store.ledger.result(run_id).mkdir()
    store.ledger.finish(run_id, Status.DONE)
    (row,) = store.of(ANNA).table.page()
    assert (row.verdict, row.before, row.after, row.target) == ("holds", 0.9, 0.2, "CN")
    assert store.ledger.not_looked_at(10) == []


@pytest.mark.parametrize("trouble", [{"request": "{"}, {"kind": "of a plug-in that is gone"}])
def test_a_run_whose_outcome_cannot_be_read_is_listed_without_one(store: RunStore, trouble: dict[str, str]) -> None:
    run_id = store.of(ANNA).add(OutcomeSpec(before=0.9, after=0.2), ME)
    store.ledger.claim(run_id, ME)
    store.ledger.change(tables.runs.c.id == run_id, **trouble)
    assert store.ledger.finish(run_id, Status.DONE)
    (row,) = store.of(ANNA).table.page()
    assert row.verdict == ""
    assert store.ledger.not_looked_at(10) == []


def test_results_of_an_earlier_version_are_looked_at_by_and_by(store: RunStore, start_manager) -> None:
    ids = []
    for number in range(5):
        ids.append(store.of(ANNA).add(OutcomeSpec(before=0.9, after=number / 10), ME))
        store.ledger.claim(ids[-1], ME)
        store.ledger.result(ids[-1]).mkdir()
        store.ledger.finish(ids[-1], Status.DONE)
    with store.ledger.database.writing() as connection:
        connection.execute(tables.run_facts.update().values(looked=False, verdict="", before=None, after=None))
    assert store.ledger.not_looked_at(3) == ids[:1:-1]
    start_manager("inline")
    deadline = time.monotonic() + 10
    while store.ledger.not_looked_at(1) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [row.after for row in store.of(ANNA).table.page()] == [0.4, 0.3, 0.2, 0.1, 0.0]


def test_a_store_that_can_only_be_looked_at_can_be_searched(store: RunStore, monkeypatch) -> None:
    fill(store, ANNA, 20)
    store.close()
    monkeypatch.setattr("core.runs.store.database._is_read_only", lambda root: True)
    table = RunStore.open(store.root).of(ANNA).table
    (found, _) = table.page(RunQuery(words="FIGURE"))
    with pytest.raises(LightboxError, match="can only be looked at"):
        table.star([found.run.id])


def test_no_outcome_is_no_verdict() -> None:
    assert Outcome() == Outcome("", None, None, "")

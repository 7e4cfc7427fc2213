"""What can be asked of a table of runs, as SQL."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Select, String, and_, case, cast, func, or_, select

from core.runs.store import tables
from core.runs.store.records import Run, Status

Sort = Literal["newest", "oldest", "name", "scan", "method", "model", "change", "verdict", "starred"]
Group = Literal["", "scan", "method", "day"]

SORTS: tuple[Sort, ...] = get_args(Sort)
GROUPS: tuple[Group, ...] = get_args(Group)
#: Most words of a search that are looked for.
_MOST_WORDS = 8
#: Letters of an id that are not taken for a number that is looked for.
_SHORTEST_ID = 6


@dataclass(frozen=True)
class RunQuery:
    """Which runs, and in which order. Of one filter any value will do, and every filter has to hold.

    Parameters
    ----------
    words : str
        What is looked for, in any case: every word has to be in the name, the note, a tag, the title, the scan, the
        method, the model or the class, or be the beginning of the id.
    status, kind, method, model, scan, tag, verdict : tuple of str
        Values that will do; empty: all.
    starred : bool
        Only those with a star.
    finished : bool
        Only those that have ended, in whatever way.
    sort : Sort
        ``change`` puts first what changed the probability most.
    group : Group
        What stands together comes before `sort`; the latest day, else by the alphabet.
    called : mapping of str to str
        What methods and models are called on screen, by name: a word that is in it finds the method or model.
    """

    words: str = ""
    status: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    method: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    scan: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    verdict: tuple[str, ...] = ()
    starred: bool = False
    finished: bool = False
    sort: Sort = "newest"
    group: Group = ""
    called: Mapping[str, str] = field(default_factory=dict)

    @property
    def filters(self) -> dict[str, tuple[str, ...]]:
        """Values of each filter by name, of those that are set."""
        names = ("status", "kind", "method", "model", "scan", "tag", "verdict")
        return {name: getattr(self, name) for name in names if getattr(self, name)}


#: Every run, the latest first.
ALL = RunQuery()


@dataclass(frozen=True)
class RunRow:
    """A line of the table.

    Parameters
    ----------
    run : Run
        As the store has it; `Run.pinned` is the star. Its place in the queue is not known here.
    name, note : str
        What the person wrote on it; empty where nothing.
    tags : tuple of str
        By the alphabet.
    method, model, scan, target, verdict : str
        As in `core.runs.facts`.
    scan_name : str
        What the scan is called; empty where it is gone, or the run reads none.
    before, after : float or None
        Probability of the class, 0..1.
    group : str
        What it stands together by.
    """

    run: Run
    name: str
    note: str
    tags: tuple[str, ...]
    method: str
    model: str
    scan: str
    scan_name: str
    target: str
    verdict: str
    before: float | None
    after: float | None
    group: str = ""


_scan_called = func.coalesce(func.nullif(tables.scan_words.c.name, ""), tables.scan_access.c.label, "")
_day = func.date(tables.runs.c.created, "unixepoch", "localtime")
_tags = (
    select(func.group_concat(tables.run_tags.c.tag, "\n"))
    .where(tables.run_tags.c.run == tables.runs.c.id)
    .correlate(tables.runs)
    .scalar_subquery()
)


def columns_of() -> dict[str, ColumnElement[Any]]:
    """Column of each filter."""
    runs, facts = tables.runs.c, tables.run_facts.c
    return {
        "status": runs.status,
        "kind": runs.kind,
        "method": facts.method,
        "model": facts.model,
        "scan": facts.scan,
        "verdict": facts.verdict,
    }


def narrowed(query: RunQuery, owner: str) -> Select[Any]:
    """The rows that a query finds, with all that a `RunRow` shows; of whose runs they are is for the caller to say."""
    runs, words, facts = tables.runs, tables.run_words, tables.run_facts
    scans, called = tables.scan_access, tables.scan_words
    group = grouping(query)
    wanted = select(
        runs,
        words.c.name.label("given_name"),
        words.c.note,
        *(facts.c[name] for name in ("method", "model", "scan", "target", "verdict", "before", "after")),
        _scan_called.label("scan_name"),
        _tags.label("tags"),
        (cast("", String) if group is None else group).label("grouped"),
    )
    joined = runs.outerjoin(words, words.c.run == runs.c.id).outerjoin(facts, facts.c.run == runs.c.id)
    joined = joined.outerjoin(scans, and_(scans.c.scan == facts.c.scan, scans.c.owner == owner))
    joined = joined.outerjoin(called, and_(called.c.scan == facts.c.scan, called.c.owner == owner))
    wanted = wanted.select_from(joined)
    for name, values in query.filters.items():
        if name == "tag":
            tagged = select(tables.run_tags.c.run).where(tables.run_tags.c.tag.in_(values))
            wanted = wanted.where(runs.c.id.in_(tagged))
        else:
            wanted = wanted.where(columns_of()[name].in_(values))
    if query.starred:
        wanted = wanted.where(runs.c.pinned.is_(True))
    if query.finished:
        # a row whose state nobody understands is not going on either
        wanted = wanted.where(runs.c.status.not_in([Status.QUEUED, Status.RUNNING]))
    for word in query.words.split()[:_MOST_WORDS]:
        wanted = wanted.where(_holds(word, query.called))
    return wanted


def _holds(word: str, called: Mapping[str, str]) -> ColumnElement[bool]:
    """Whether a row has a word somewhere."""
    runs, words, facts = tables.runs.c, tables.run_words.c, tables.run_facts.c
    sought = word.casefold()
    written, named = (words.name, words.note, _tags, _scan_called), (facts.method, facts.model, facts.target)
    places = (*written, *named, runs.title)
    # a line between them, so that no word is found across two places
    everything: ColumnElement[str] = func.coalesce(places[0], "")
    for place in places[1:]:
        everything = everything.concat("\n").concat(func.coalesce(place, ""))
    found: list[ColumnElement[bool]] = [func.instr(func.casefold(everything), sought) > 0]
    names = [name for name, title in called.items() if sought in title.casefold()]
    if names:
        found += [facts.method.in_(names), facts.model.in_(names)]
    if len(sought) >= _SHORTEST_ID:
        found.append(runs.id.startswith(sought, autoescape=True))
    return or_(*found)


def grouping(query: RunQuery) -> ColumnElement[Any] | None:
    """What rows stand together by; None where they do not."""
    by: dict[str, ColumnElement[Any]] = {
        "scan": _scan_called,
        "method": func.coalesce(tables.run_facts.c.method, ""),
        "day": _day,
    }
    return by.get(query.group)


def order_of(query: RunQuery) -> list[ColumnElement[Any]]:
    """Columns by which rows are sorted."""
    facts = tables.run_facts.c
    group = grouping(query)
    first = [] if group is None else [group.desc() if query.group == "day" else group.asc()]
    latest = tables.ARRIVAL.desc()
    named = func.casefold(func.coalesce(func.nullif(tables.run_words.c.name, ""), tables.runs.c.title))
    # what has no such thing comes last
    by: dict[str, list[ColumnElement[Any]]] = {
        "newest": [],
        "oldest": [tables.ARRIVAL.asc()],
        "name": [named],
        "scan": [_scan_called == "", func.casefold(_scan_called)],
        "method": [func.coalesce(facts.method, "") == "", facts.method],
        "model": [func.coalesce(facts.model, "") == "", facts.model],
        "change": [facts.after.is_(None), func.abs(facts.after - facts.before).desc()],
        "verdict": [case({state: place for place, state in enumerate(_VERDICTS)}, value=facts.verdict, else_=9)],
        "starred": [tables.runs.c.pinned.desc()],
    }
    return [*first, *by[query.sort], latest]


_VERDICTS = ("refused", "fails", "holds", "untested", "nothing")

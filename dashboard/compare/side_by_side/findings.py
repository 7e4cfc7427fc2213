"""What stands under the images: each run's answer, how alike their maps are, and what they were asked."""

from collections.abc import Mapping, Sequence

from core.runs import Status
from core.wording import listed
from dashboard.compare.side_by_side.measuring import Likeness
from dashboard.compare.side_by_side.members import Comparison, Member
from dashboard.compare.side_by_side.settings import NOTHING
from dashboard.compare.tables import Figure, table
from dashboard.look import text
from dashboard.look.text import Markup, joined

#: Maps whose ranks correlate less than this have little in common.
_UNLIKE = 0.5
_WORDS = {
    Status.QUEUED: "waiting",
    Status.RUNNING: "forming",
    Status.CANCELLED: "cancelled",
    Status.FAILED: "failed",
    Status.INTERRUPTED: "cut off",
}


def sentence(members: Sequence[Member], found: Sequence[Likeness]) -> str:
    """Which maps are most and least alike, and which results do not hold."""
    failing = [member.letter for member in members if _verdict(member) == "fails" and not member.withheld]
    without = [member.letter for member in members if member.withheld]
    told = [_alike(found)]
    if without:
        told.append(f"{listed(without)} came to no result and {'is' if len(without) == 1 else 'are'} not compared.")
    if len(failing) == 1:
        told.append(f"{failing[0]} does not hold by its own checks.")
    elif failing:
        told.append(f"{listed(failing)} do not hold by their own checks.")
    return " ".join(filter(None, told))


def _verdict(member: Member) -> str:
    return member.explanation.verdict.state if member.explanation is not None else ""


def _alike(found: Sequence[Likeness]) -> str:
    ranked = [(one.pair.rank, one) for one in found if one.pair is not None and one.pair.rank == one.pair.rank]
    if not ranked:
        return ""
    low, high = min(ranked, key=lambda pair: pair[0]), max(ranked, key=lambda pair: pair[0])
    if len(ranked) == 1:
        word = "little alike" if low[0] < _UNLIKE else "alike"
        return f"The maps of {low[1].one} and {low[1].other} are {word} (rank correlation {correlation(low[0])})."
    return (
        f"Most alike are the maps of {high[1].one} and {high[1].other} (rank correlation {correlation(high[0])}), "
        f"least those of {low[1].one} and {low[1].other} ({correlation(low[0])})."
    )


def show_results(comparison: Comparison) -> None:
    """One row a run: what it is, its verdict, and the probability before and after."""
    rows = [[member.name, *_scores(member), Figure(_judged(member))] for member in comparison.members]
    text.show(table(["Result", "Class", "P before", "P after", "Verdict"], rows, "Results"))


def show_words(comparison: Comparison) -> None:
    """What each result says, in its own words."""
    line = Markup("<div class='quiet-line'><b>{}</b> {}</div>")
    text.show(joined(line.format(member.name, _told(member)) for member in comparison.members if _told(member)))


def _scores(member: Member) -> list[str | Figure]:
    target = member.target
    scores = member.explanation.scores if member.explanation is not None else None
    before, after = (scores or {}).get("before") or {}, (scores or {}).get("after") or {}
    beside = "means nothing" if member.refused else "no result" if member.withheld else ""
    figures = [
        Figure(text.probability(known[target]), beside) if target in known else Figure(NOTHING)
        for known in (before, after)
    ]
    return [Figure(target or NOTHING), *figures]


def _judged(member: Member) -> str:
    if member.explanation is None:
        return _WORDS.get(member.run.status, str(member.run.status))
    return member.explanation.verdict.title if member.explanation.checks else "no check of its own"


def _told(member: Member) -> str:
    return member.explanation.sentence if member.explanation is not None else member.run.message


def show_settings(comparison: Comparison) -> None:
    """What they were asked that is not the same for all."""
    if not comparison.rows:
        text.show(text.quiet("They were asked the same: nothing differs in scan, model, explainer, class or settings."))
        return
    heads = ["What differs", *(member.letter for member in comparison.members)]
    text.show(table(heads, [[row.name, *map(Figure, row.values)] for row in comparison.rows], "What differs"))


def show_likeness(found: Sequence[Likeness], share: float, unit: str, asked: bool) -> None:
    """One row a pair; only figures that there are.

    Parameters
    ----------
    found : sequence of Likeness
        Every pair.
    share : float
        Of all samples, those that a map marks, 0..1.
    unit : str
        Of the values, where they may be subtracted.
    asked : bool
        Whether networks were asked about what the others' explanations left.
    """
    columns = likeness_columns(found)
    if not columns:
        text.show(text.quiet("There is no figure of likeness for these maps."))
        return
    rows: list[list[str | Figure]] = [
        [f"{one.one} and {one.other}", *(cells[number] for cells in columns.values())]
        for number, one in enumerate(found)
    ]
    text.show(table(["Pair", *columns], rows, "How alike the maps are"))
    told = " ".join(words for name, words in _HELP.items() if name in columns)
    text.show(text.quiet(told.format(share=f"{share:.0%}", unit=unit or "their unit")))
    if asked and "prob_CNN" not in columns:
        text.show(text.quiet("No network knows the class that another explains: there is nothing to ask."))


_HELP = {
    "Rank": "Rank: whether two maps order the samples alike (Spearman, of sizes), 1 the same, 0 nothing in common.",
    "Correlation": "Correlation: of the sizes (Pearson).",
    "Overlap": "Overlap: of the strongest {share} of the samples of each (Dice).",
    "Regions": "Regions: cosine of what they have in each region of the atlas.",
    "Difference": "Difference: its size, mean over all samples, in {unit}.",
    "prob_CNN": (
        "prob_CNN: probability of the explained class that the network of the second gives what the first left of the "
        "scan, and the other way round; near 1 means that what was hidden is nothing to it."
    ),
}


def likeness_columns(found: Sequence[Likeness]) -> dict[str, list[Figure]]:
    """Figures of every pair by the head of their column, without columns that hold none."""
    pairs = [one.pair for one in found]
    columns: dict[str, list[float | None]] = {
        "Rank": [pair.rank if pair is not None else None for pair in pairs],
        "Correlation": [pair.correlation if pair is not None else None for pair in pairs],
        "Overlap": [pair.overlap if pair is not None else None for pair in pairs],
        "Regions": [one.regions for one in found],
    }
    told = {name: [_figure(value) for value in values] for name, values in columns.items() if _any(values)}
    differences = [pair.difference if pair is not None else None for pair in pairs]
    if _any(differences):
        told["Difference"] = [
            Figure(f"{value:.3g}" if value is not None and value == value else NOTHING) for value in differences
        ]
    if any(value is not None for one in found for value in one.said):
        told["prob_CNN"] = [Figure(" / ".join(map(_probability, one.said))) for one in found]
    return told


def _any(values: Sequence[float | None]) -> bool:
    return any(value is not None and value == value for value in values)


def _figure(value: float | None) -> Figure:
    if value is None or value != value:
        return Figure(NOTHING)
    return Figure(correlation(value), heat=max(value, 0.0))


def _probability(value: float | None) -> str:
    return NOTHING if value is None else text.probability(value)


def correlation(value: float) -> str:
    """Two digits with a true minus; nothing is minus zero."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def ended(comparison: Comparison) -> Mapping[str, str]:
    """Runs that brought no map, by name: why."""
    return {
        member.name: member.run.message or "it was cut off."
        for member in comparison.members
        if member.run.status.final and member.explanation is None and member.run.status is not Status.CANCELLED
    }

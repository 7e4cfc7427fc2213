"""What is shown of the study "anatomy": tables, figures and mean maps, from its record alone."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.acceptance.many import in_a_cell
from core.explainers.registry import explainers
from core.studies.anatomy.figures import ALL
from core.studies.record import (
    Axis,
    Cell,
    CellRows,
    Chart,
    Column,
    Figure,
    Link,
    Matrix,
    Opening,
    Parts,
    Series,
    StudyMap,
    Table,
)
from core.wording import without_shared_lead

Found = Mapping[str, Any]
#: Settings of the study that its explainer takes.
EXPLAINER_FIELDS = ("filters", "layer", "score")
_REFUSED = "Films that are not what the network was made for: what it says of them means nothing."
_SHARE = Axis(title="Share of the map", share=True, low=0.0)


def parts_of(record: Found) -> Parts:
    """Tables, figures and maps of a record, whichever version wrote it.

    Raises
    ------
    LookupError, TypeError, ValueError
        When it is no record of this study.
    """
    networks: Sequence[Found] = record["networks"]
    titles = dict(zip(_names(networks), without_shared_lead([found["title"] for found in networks]), strict=True))
    landmarks = list(dict.fromkeys(name for found in networks for name in found["landmarks"][ALL]))
    return Parts(
        tables=(
            _networks_table(networks, record["classes"], landmarks),
            *([_landmarks_table(networks)] if landmarks else []),
            _films_table(record, landmarks),
        ),
        figures=(
            _accuracy(networks, titles),
            *([_shares(networks, titles, landmarks)] if landmarks else []),
            *(_confusion(found, titles[found["name"]], record["classes"], n) for n, found in enumerate(networks)),
        ),
        maps=tuple(_maps(networks, titles, record["classes"])),
    )


def map_request(parameters: Found) -> tuple[str, dict[str, Any]]:
    """Explainer and parameters that draw the same map as the study did, with the map of every part beside it.

    Parameters
    ----------
    parameters : mapping
        Of the study, as recorded.
    """
    explainer = str(parameters.get("explainer") or "deconvnet")
    cls = explainers().get(explainer)
    known = cls.parameters_model.model_fields if cls is not None else {}
    chosen = {name: parameters[name] for name in EXPLAINER_FIELDS if name in known and name in parameters}
    return explainer, chosen | (dict(cls.with_parts) if cls is not None else {})


def _names(networks: Sequence[Found]) -> list[str]:
    return [found["name"] for found in networks]


def _networks_table(networks: Sequence[Found], classes: Sequence[str], landmarks: Sequence[str]) -> Table:
    recalled = [name for name in classes if any(name in found["recall"] for found in networks)]
    looked_at = any(found.get("refused") is not None for found in networks)
    columns = (
        Column(name="network", title="Network", kind="model"),
        Column(name="films", title="Films", kind="count"),
        *([Column(name="refused", title="Cannot read", kind="count", note=_REFUSED)] if looked_at else []),
        Column(name="balanced_accuracy", title="Balanced accuracy", kind="share"),
        Column(name="interval", title="95% interval", kind="share_interval"),
        *(Column(name=f"map in {name}", title=f"Map in {name}", kind="share") for name in landmarks),
        *(Column(name=f"recall {name}", title=f"Recall of {name}", kind="share") for name in recalled),
    )
    rows = tuple(
        (
            found["name"],
            found["films"],
            *([found.get("refused")] if looked_at else []),
            found["balanced_accuracy"],
            tuple(found["balanced_accuracy_95"]),
            *(found["landmarks"][ALL].get(name, {}).get("share") for name in landmarks),
            *(found["recall"].get(name) for name in recalled),
        )
        for found in networks
    )
    note = "Balanced accuracy: mean recall over the classes that have films."
    return Table(name="networks", title="Networks", columns=columns, rows=rows, note=note)


def _landmarks_table(networks: Sequence[Found]) -> Table:
    shares = {
        "share": "Map inside",
        "area": "Of the film",
        "control": "Other films' maps",
        "random": "Map with random weights",
    }
    columns = (
        Column(name="network", title="Network", kind="model"),
        Column(name="class", title="Class"),
        Column(name="landmark", title="Landmark"),
        *(Column(name=name, title=title, kind="share") for name, title in shares.items()),
        Column(name="ratio", title="Times an even map", kind="number"),
        Column(name="films", title="Films", kind="count"),
    )
    rows = tuple(
        (
            found["name"],
            "all films" if label == ALL else label,
            landmark,
            *(figures.get(name) for name in shares),
            figures.get("ratio"),
            figures.get("films"),
        )
        for found in networks
        for label, by_landmark in found["landmarks"].items()
        for landmark, figures in by_landmark.items()
    )
    note = "Means over films. A share no higher than that of other films' maps says nothing about the film."
    return Table(name="landmarks", title="Landmarks by class", columns=columns, rows=rows, note=note)


def _films_table(record: Found, landmarks: Sequence[str]) -> Table:
    explainer, values = map_request(record["parameters"])
    looked_at = any(row.get("acceptance") for row in record["rows"])
    columns = (
        Column(name="film", title="Film", kind="scan"),
        Column(name="network", title="Network", kind="model"),
        Column(name="truth", title="Shows"),
        Column(name="predicted", title="Network says"),
        Column(name="probability", title="Probability of that", kind="probability"),
        Column(name="right", title="Right"),
        *([Column(name="acceptance", title="Network can read it", note=_REFUSED)] if looked_at else []),
        *(Column(name=f"map in {name}", title=f"Map in {name}", kind="share") for name in landmarks),
    )
    rows: list[tuple[Cell, ...]] = []
    links = []
    for number, row in enumerate(record["rows"]):
        inside = row.get("inside") or {}
        rows.append(
            (
                row["film"],
                row["network"],
                row["truth"],
                row["predicted"],
                row["probability"].get(row["predicted"]),
                "yes" if row["truth"] == row["predicted"] else "no",
                *([in_a_cell(row)] if looked_at else []),
                *(inside.get(name) for name in landmarks),
            )
        )
        opening = Opening(
            scan=row["file"],
            title=row["film"],
            model=row["network"],
            explainer=explainer,
            target=row["predicted"],
            parameters=values,
        )
        links.append(Link(row=number, opens=opening))
    note = "A row opens the film with the network's map of the class it said."
    return Table(name="films", title="Films", columns=columns, rows=tuple(rows), links=tuple(links), note=note)


def _accuracy(networks: Sequence[Found], titles: Mapping[str, str]) -> Chart:
    series = Series(
        x=tuple(titles[name] for name in _names(networks)),
        y=tuple(found["balanced_accuracy"] for found in networks),
        low=tuple(found["balanced_accuracy_95"][0] for found in networks),
        high=tuple(found["balanced_accuracy_95"][1] for found in networks),
    )
    return Chart(
        kind="bar",
        name="accuracy",
        title="How often each network is right",
        series=(series,),
        y=Axis(title="Balanced accuracy", share=True, low=0.0, high=1.0),
        note="Lines: the 95% interval. Where two overlap the order of the networks is not shown.",
    )


def _shares(networks: Sequence[Found], titles: Mapping[str, str], landmarks: Sequence[str]) -> Chart:
    def of(found: Found, key: str) -> tuple[float | None, ...]:
        return tuple(found["landmarks"][ALL].get(name, {}).get(key) for name in landmarks)

    series = [Series(name=titles[found["name"]], x=tuple(landmarks), y=of(found, "share")) for found in networks]
    even = Series(name="an even map", x=tuple(landmarks), y=of(networks[0], "area"))
    return Chart(
        kind="bar", name="landmarks", title="What the maps lie on", series=(*series, even), y=_SHARE,
        note="Mean share of the map inside each landmark, over all films, beside what an even map has there.",
    )  # fmt: skip


def _confusion(found: Found, title: str, classes: Sequence[str], number: int) -> Figure:
    return Matrix(
        kind="matrix",
        name=f"confusion-{number + 1}",
        title=f"Confusion of {title}",
        rows=tuple(classes),
        columns=tuple(classes),
        values=tuple(tuple(row) for row in found["confusion"]),
        x=Axis(title="The network says"),
        y=Axis(title="The film shows"),
        value=Axis(title="Films", low=0.0),
        opens=CellRows(table="films", row="truth", column="predicted", where={"network": found["name"]}),
        note="A cell shows its films.",
    )


def _maps(networks: Sequence[Found], titles: Mapping[str, str], classes: Sequence[str]) -> Iterator[StudyMap]:
    for n, label in enumerate(classes):
        for m, found in enumerate(networks):
            file = found["mean_maps"].get(label)
            if file is None:
                continue
            yield StudyMap(
                name=f"mean-{m + 1}-{n + 1}",
                title=titles[found["name"]],
                file=file,
                background=found["mean_films"].get(label, ""),
                unit="share of the map",
                group=label,
                note="Mean over the films of the class, each map divided by its own sum, over the mean film.",
            )

"""Made `version_1`, the store as it was written before it had migrations. Kept to say what is in it, not to run again.

It ran once, with the code of that time: ``python -m tests.core.runs.store.samples.make_version_1 FOLDER``. A later
version of the store gets a folder and a script of its own beside this one; `contents.json` names everything in it.
"""

import dataclasses
import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from core.runs import ExplanationSpec, Landmark, RunManager, RunStore, Status, StudySpec, TrainingSpec
from core.runs.execution.inline import InlineWorker
from core.runs.store.identity import ProcessIdentity
from core.scans import Scan, SourceSpace
from core.settings import settings
from tests.core.studies.films import save_films, save_network
from tests.core.tiny import save_tiny, tiny_card, tiny_maker_card

SERVER = ProcessIdentity(host="sample", pid=1, started="1")
MINE, ANNAS = "local", "anna"


def main(target: Path) -> None:
    """Write the store, and what is in it, into the new folder `target`."""
    with tempfile.TemporaryDirectory() as made:
        library = Path(made)
        save_films(library / "cohorts" / "parts", films=1)
        torch.manual_seed(3)  # the network "tiny" then says CN
        for name in ("one", "two"):
            save_network(library / "models", name)
        save_tiny(library / "models" / "tiny", tiny_card("tiny", (16, 20), spacing_mm=(1.0, 1.0)))
        save_tiny(library / "models" / "maker", tiny_maker_card("maker", (16, 20), spacing_mm=(1.0, 1.0)))
        os.environ["LIGHTBOX_COHORTS_DIR"] = str(library / "cohorts")
        os.environ["LIGHTBOX_MODELS_DIR"] = str(library / "models")
        settings.cache_clear()
        fill(target)


def fill(target: Path) -> None:
    store = RunStore.open(target)
    random = np.random.default_rng(1)
    source = SourceSpace(np.diag([-2.0, 2, 3, 1]), (6, 5, 4), np.array([[0, -1], [1, 1], [2, 1]]))
    volume = Scan(
        random.random((1, 6, 5, 4), dtype=np.float32),
        np.diag([2.0, 2, 3, 1]),
        modality="MR",
        units="probability",
        notes=("gantry tilt of 12°",),
        source=source,
    )
    film = Scan(random.random((1, 16, 20), dtype=np.float32), np.eye(4), modality="DX")
    colours = random.random((3, 8, 9)).astype(np.float32)
    picture = Scan(colours.mean(0, keepdims=True), np.eye(4), colours=colours)
    scans = {
        "volume": store.add_scan(volume, MINE, "Demo volume"),
        "film": store.add_scan(film, MINE),
        "picture": store.add_scan(picture, ANNAS),
    }
    store.add_scan(film, ANNAS)

    def region(row: int) -> str:
        marked = np.zeros((16, 20), dtype=bool)
        marked[row : row + 3, 4:9] = True
        return store.add_region(marked)

    regions = {
        "of my landmark": region(0),
        "of my run": region(3),
        "of anna's landmark": region(6),
        "of nobody": region(9),
    }
    store.keep_landmarks(scans["film"], MINE, [Landmark("left <b>hand</b>", regions["of my landmark"])])
    store.keep_landmarks(scans["film"], ANNAS, [Landmark("bone", regions["of anna's landmark"])])

    asked = ExplanationSpec(scan=scans["film"], model="tiny", explainer="saliency", region=regions["of my run"])
    manager = RunManager(store, InlineWorker(store))
    study = StudySpec(
        study="anatomy", model="one", cohort="parts", parameters={"explainer": "saliency", "films": 1, "others": "two"}
    )
    runs = {
        "explanation": manager.submit(asked),
        "anna's explanation": manager.submit(asked.model_copy(update={"owner": ANNAS, "region": None})),
        "mask": manager.submit(
            asked.model_copy(update={"explainer": "mask", "target": "CN", "parameters": {"iterations": 10}})
        ),
        "filters": manager.submit(asked.model_copy(update={"explainer": "deconvnet", "parameters": {"filters": 3}})),
        "trace": manager.submit(
            asked.model_copy(
                update={"model": "maker", "explainer": "ibix", "parameters": {"jitters": 2, "superpixels": 4}}
            )
        ),
        "study": manager.submit(study),
        "failed": manager.submit(asked.model_copy(update={"parameters": {"nonsense": 1}})),
    }
    for name, run_id in runs.items():
        ended = manager.wait(run_id, ANNAS if "anna" in name else MINE, 120)
        assert ended.status is (Status.FAILED if name == "failed" else Status.DONE), ended.message
    store.pin(runs["explanation"], MINE)
    manager.close()

    grouped = asked.model_copy(update={"others": (scans["volume"],), "region": None})
    waiting = asked.model_copy(update={"explainer": "mask", "preset": "paper", "target": "AD"})
    runs["cancelled"] = store.add(grouped, SERVER)
    store.request_cancel(runs["cancelled"], MINE)
    runs["interrupted"] = store.add(TrainingSpec(recipe="classifier", out=Path("models/mine")), SERVER)
    store.claim(runs["interrupted"], SERVER)
    store.finish(runs["interrupted"], Status.INTERRUPTED, "It was cut off when the server stopped: run it again.")
    runs["queued"] = store.add(waiting, SERVER)
    described = {
        "scans": scans,
        "regions": regions,
        "runs": {name: describe(store, run_id) for name, run_id in runs.items()},
    }
    anonymous = SERVER.model_dump_json()
    with store.engine.begin() as connection:  # the machine it was made on is nobody's business
        connection.exec_driver_sql("UPDATE runs SET server = ?", (anonymous,))
        connection.exec_driver_sql("UPDATE runs SET worker = ? WHERE worker IS NOT NULL", (anonymous,))
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    (target / "contents.json").write_text(json.dumps(described, indent=1, ensure_ascii=False) + "\n")


def describe(store: RunStore, run_id: str) -> dict[str, object]:
    owner = next(owner for owner in (MINE, ANNAS) if run_id in {run.id for run in store.runs(owner)})
    run = dataclasses.asdict(store.run(run_id, owner))
    return {name: value for name, value in run.items() if name != "position"}


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""A store with as many runs as a year of work leaves, made at once."""

import json
import random
import secrets
import shutil
import time
from pathlib import Path

from sqlalchemy import insert

from core.runs.store import tables
from core.runs.store.records import Status
from core.runs.store.store import RunStore

METHODS = ("mask", "saliency", "grad_cam", "ibix", "deconvnet", "integrated_gradients")
MODELS = ("alzheimer-phantom", "anatomy-marker", "t1-t2-phantom")
VERDICTS = ("holds", "fails", "untested", "nothing")
TAGS = ("paper", "check", "to do")
DAY = 86400.0


def fill(
    store: RunStore,
    owner: str,
    count: int,
    scans: tuple[str, ...] = (),
    sample: Path | None = None,
    with_results: int = 0,
) -> list[str]:
    """Add `count` runs that have ended, the latest last; the latest `with_results` of them get a copy of a result.

    Parameters
    ----------
    store : RunStore
        Where to.
    owner : str
        Whose they are.
    count : int
        How many.
    scans : tuple of str
        Content hashes that they read, one after the other; they need not be there.
    sample : pathlib.Path, optional
        Folder with the result of an explanation.
    with_results : int
        How many get a copy of it.

    Returns
    -------
    list of str
        Their ids, the first to have been asked for first.
    """
    drawn = random.Random(count)
    now = time.time()
    scans = scans or tuple(f"{number:064x}" for number in range(40))
    runs, facts, words, tags, references = [], [], [], [], []
    for number in range(count):
        run_id, scan = secrets.token_hex(8), scans[number % len(scans)]
        method, model = METHODS[number % len(METHODS)], MODELS[number % len(MODELS)]
        created = now - (count - number) * 365 * DAY / count
        before, after = drawn.random(), drawn.random()
        request = {"scan": scan, "model": model, "explainer": method, "target": "AD", "parameters": {"n": number}}
        state = Status.FAILED if number % 17 == 3 else Status.DONE
        runs.append(
            {
                "id": run_id,
                "owner": owner,
                "kind": "explanation",
                "title": f"{method} · {model} · AD",
                "request": json.dumps(request),
                "fingerprint": f"{number:064x}",
                "status": state,
                "message": "The scan is upside down: turn it." if state == Status.FAILED else "",
                "created": created,
                "started": created + 1,
                "finished": created + 9,
                "pinned": number % 50 == 0,
                "server": "{}",
            }
        )
        done = state is Status.DONE
        facts.append(
            {
                "run": run_id,
                "method": method,
                "model": model,
                "scan": scan,
                "target": "AD",
                "verdict": drawn.choice(VERDICTS) if done else "",
                "before": before if done else None,
                "after": after if done and method == "mask" else None,
                "looked": True,
            }
        )
        if number % 10 == 0:
            words.append({"run": run_id, "name": f"Figure {number}", "note": "for the paper"})
        if number % 5 == 0:
            tags.append({"run": run_id, "tag": TAGS[number // 5 % len(TAGS)]})
        references.append({"run": run_id, "content": scan})
        folder = store.root / "runs" / run_id
        if sample is not None and done and number >= count - with_results:
            shutil.copytree(sample, folder / "result")
    with store.ledger.database.writing() as connection:
        for table, rows in (
            (tables.runs, runs),
            (tables.run_facts, facts),
            (tables.run_words, words),
            (tables.run_tags, tags),
            (tables.references, references),
        ):
            if rows:
                connection.execute(insert(table), rows)
    return [row["id"] for row in runs]

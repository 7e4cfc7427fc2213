"""Runs: what was asked, where it stands, what came of it. Importable without torch.

>>> from core.runs import LOCAL_OWNER, ExplanationSpec, manager          # doctest: +SKIP
>>> shelf = manager().shelf(LOCAL_OWNER)                                 # doctest: +SKIP
>>> scan = shelf.add_scan(load_scan(path))                               # doctest: +SKIP
>>> run_id = shelf.submit(ExplanationSpec(scan=scan, model="alzheimer-phantom", explainer="mask"))  # doctest: +SKIP
>>> shelf.progress(run_id).fraction                                      # doctest: +SKIP
"""

from core.runs.execution.manager import ManagedShelf, RunManager, manager
from core.runs.kinds.explanation import ExplanationSpec
from core.runs.kinds.study import StudySpec
from core.runs.kinds.training import TrainingSpec
from core.runs.spec import LOCAL_OWNER, RunSpec
from core.runs.store.landmarks import Landmark
from core.runs.store.live import Live, Preview
from core.runs.store.queries import RunQuery, RunRow
from core.runs.store.records import Run, Status, StoredScan
from core.runs.store.scans import scan_label
from core.runs.store.shelf import Shelf
from core.runs.store.store import RunStore

__all__ = [
    "LOCAL_OWNER",
    "ExplanationSpec",
    "Landmark",
    "Live",
    "ManagedShelf",
    "Preview",
    "Run",
    "RunManager",
    "RunQuery",
    "RunRow",
    "RunSpec",
    "RunStore",
    "Shelf",
    "Status",
    "StoredScan",
    "StudySpec",
    "TrainingSpec",
    "manager",
    "scan_label",
]

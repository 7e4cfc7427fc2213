"""Runs: what was asked, where it stands, what came of it. Importable without torch.

>>> from core.runs import LOCAL_OWNER, ExplanationSpec, manager          # doctest: +SKIP
>>> scan = manager().store.add_scan(load_scan(path), LOCAL_OWNER)        # doctest: +SKIP
>>> run_id = manager().submit(ExplanationSpec(scan=scan, model="alzheimer-phantom", explainer="mask"))  # doctest: +SKIP
>>> manager().store.progress(run_id, LOCAL_OWNER).fraction               # doctest: +SKIP
"""

from core.runs.execution.manager import RunManager, manager
from core.runs.kinds.explanation import ExplanationSpec
from core.runs.kinds.study import StudySpec
from core.runs.kinds.training import TrainingSpec
from core.runs.spec import LOCAL_OWNER, RunSpec
from core.runs.store.landmarks import Landmark
from core.runs.store.live import Live, Preview
from core.runs.store.records import Run, Status, StoredScan
from core.runs.store.run_store import RunStore
from core.runs.store.scans import scan_label

__all__ = [
    "LOCAL_OWNER",
    "ExplanationSpec",
    "Landmark",
    "Live",
    "Preview",
    "Run",
    "RunManager",
    "RunSpec",
    "RunStore",
    "Status",
    "StoredScan",
    "StudySpec",
    "TrainingSpec",
    "manager",
    "scan_label",
]

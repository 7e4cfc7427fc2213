"""Networks on films: which is right, and which looks at what."""

from core.studies.anatomy.study import AnatomyStudy

__all__ = ["AnatomyStudy"]

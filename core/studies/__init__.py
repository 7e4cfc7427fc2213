"""Studies: many explanations, one question. One study = one file of this folder."""

from core.studies.base import Study, get_study, studies

__all__ = ["Study", "get_study", "studies"]

"""Studies: many explanations, one question. One study = one file of this folder."""

from core.studies.base import Study, describe, get_study, studies

__all__ = ["Study", "describe", "get_study", "studies"]

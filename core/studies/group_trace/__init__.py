"""One marked place traced through a model on many scans."""

from core.studies.group_trace.study import GroupTrace

__all__ = ["GroupTrace"]

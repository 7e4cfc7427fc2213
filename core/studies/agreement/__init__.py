"""Which explainers agree: the maps of several on the same scans, compared pair by pair."""

from core.studies.agreement.study import AgreementStudy

__all__ = ["AgreementStudy"]

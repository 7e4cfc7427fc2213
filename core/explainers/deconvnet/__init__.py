"""Deconvnet (Kumar and Menkovski, 2016): which structures the strongest filters of a layer answered to."""

from core.explainers.deconvnet.explainer import Deconvnet

__all__ = ["Deconvnet"]

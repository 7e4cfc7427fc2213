"""The app as it would be with everything imported at the start: the baseline of ``first page``."""

import captum.attr  # noqa: F401
import nilearn.image  # noqa: F401
import skimage.segmentation  # noqa: F401
import streamlit as st
import torch  # noqa: F401

from core.explainers import explainers
from core.models import load_model  # noqa: F401
from core.settings import ROOT
from dashboard.frame.server import volume_routes
from dashboard.frame.shell import lifespan, show_problem

explainers()

app = st.App(ROOT / "dashboard" / "app.py", routes=volume_routes(), lifespan=lifespan, on_script_error=show_problem)

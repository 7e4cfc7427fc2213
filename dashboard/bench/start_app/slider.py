"""A page with a slider whose value the server writes back; with ``?scan=HASH&model=NAME`` it also starts a mask."""

import streamlit as st

from core.runs import ExplanationSpec, manager

value = st.slider("position", 0, 200, 100)
st.markdown(f"shown {value}")
if "scan" in st.query_params:
    # far more iterations than there is time for, so that it runs as long as anybody measures
    asked = {"iterations": 5000, "patience": 5000}
    spec = ExplanationSpec(scan=st.query_params["scan"], model=st.query_params["model"], explainer="mask")
    st.markdown("run " + manager().submit(spec.model_copy(update={"parameters": asked})))

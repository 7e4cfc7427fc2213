"""``streamlit run`` this: the viewer's benchmark page with the routes it needs."""

from pathlib import Path

import streamlit as st

from dashboard.frame.server import volume_routes

app = st.App(Path(__file__).with_name("page.py"), routes=volume_routes())

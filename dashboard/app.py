"""Lightbox in the browser: ``streamlit run dashboard/app.py``, from any directory.

Streamlit meets this file in three ways, told apart by its name: the server imports it once for the ASGI app, every
session runs it as its script, and worker processes import the main script of the process that started them.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# `streamlit run` puts only this folder on the path
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

if __name__ == "__main__":
    from dashboard.frame.shell import show

    show()
elif __name__ != "__mp_main__":
    import streamlit as st
    from starlette.middleware import Middleware

    from dashboard.frame.first_page import FirstPage
    from dashboard.frame.guarding import Guard
    from dashboard.frame.help import help_route
    from dashboard.frame.room import UploadRoom
    from dashboard.frame.server import volume_routes
    from dashboard.frame.shell import lifespan, show_problem

    app = st.App(
        __file__,
        routes=[help_route(), *volume_routes()],
        middleware=[Middleware(Guard), Middleware(UploadRoom), Middleware(FirstPage)],
        lifespan=lifespan,
        on_script_error=show_problem,
    )

"""The Streamlit server as Lightbox starts it: ``python -m dashboard.frame.serving run dashboard/app.py …``.

Streamlit imports plotly when it is imported itself, to register a theme for charts that Lightbox does not use
(its charts have ``theme=None`` and the colours of `dashboard.look.theme`). Left out, the server is there half a second
earlier and 17 MB smaller; the first page with a chart imports plotly.
"""

import sys
from types import ModuleType
from typing import cast

#: What Streamlit's theme begins with; that it cannot be imported is a case which Streamlit expects.
_BEGINNING = "plotly.graph_objects"


def main() -> None:
    """Become Streamlit's command line."""
    # None is what Python takes for "cannot be imported"
    sys.modules[_BEGINNING] = cast(ModuleType, None)
    from streamlit.web import cli

    del sys.modules[_BEGINNING]
    cli.main(prog_name="streamlit")


if __name__ == "__main__":
    main()

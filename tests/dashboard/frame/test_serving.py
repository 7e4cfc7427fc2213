"""How Lightbox starts Streamlit."""

import subprocess
import sys

from core.settings import ROOT

# Streamlit's command line is a click group: instead of running it, look at what was imported for it
LOOK = """
import sys
import click
from dashboard.frame import serving

def look(self, *given, **named):
    print("plotly" in sys.modules or "plotly.graph_objects" in sys.modules)
    from plotly import graph_objects
    print(callable(graph_objects.Figure))

click.Group.main = look
serving.main()
"""


def test_the_server_is_there_without_plotly_and_the_first_chart_finds_it():
    printed = subprocess.check_output([sys.executable, "-c", LOOK], cwd=ROOT, text=True)
    assert printed.split() == ["False", "True"]

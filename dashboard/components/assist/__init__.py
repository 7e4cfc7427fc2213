"""What Streamlit's own widgets lack in the browser: a component without a picture, on every page.

- Ctrl+Enter wherever the focus is: a button's shortcut is heard only where the focused widget lets the key through, and
  a choice of a few classes beside each other does not.
- The whole title of what stands in a menu, in a tooltip: what is longer than the menu is cut there.
- A file that is dropped anywhere on a page goes to its place for scans.
"""

from dashboard.components import registering

#: Key of the container whose button Ctrl+Enter (on a Mac also ⌘+Enter) presses, where a page has one.
START = "start-action"


def mount() -> None:
    """Put it on the page; while the button is not there or grey the key does nothing."""
    data = {**registering.address("assist"), "container": START}
    registering.register("assist", "assist")(key="assist", data=data, height=1)

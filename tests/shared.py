"""Where the real test images are, which are no part of this repository."""

import os
from pathlib import Path

SHARED_DATA = Path(os.environ.get("LIGHTBOX_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))

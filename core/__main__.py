"""``python -m core``."""

import sys

from core.command_line.main import main

if __name__ == "__main__":
    sys.exit(main())

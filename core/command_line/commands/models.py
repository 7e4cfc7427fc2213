"""List the model library."""

import argparse
import sys

from core.command_line.exit_codes import DONE
from core.command_line.terminal import print_json, print_table


def run(chosen: argparse.Namespace) -> int:
    """Name, task and title of each; with ``--json`` its whole card."""
    from core.models.folders import left_out, list_cards

    cards = list_cards()
    for left in left_out():
        print(f"note: {left.sentence}", file=sys.stderr)
    if chosen.json:
        print_json([card.model_dump(mode="json") for card in cards])
        return DONE
    print_table([(card.name, card.task, card.title) for card in cards])
    if not cards:
        print("The library is empty: run `make assets`, or set LIGHTBOX_MODELS_DIR.", file=sys.stderr)
    return DONE

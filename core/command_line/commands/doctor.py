"""What works here, and how to mend what does not."""

import argparse

from core.command_line.exit_codes import DONE, FAILURE
from core.command_line.terminal import only_results_on_stdout, print_json, print_table


def run(chosen: argparse.Namespace) -> int:
    """Look at everything; 1 when something is broken."""
    with only_results_on_stdout():
        from core.command_line.examination import State, examine

        checks = examine()
    usable = all(check.state is not State.BROKEN for check in checks)
    if chosen.json:
        print_json({"usable": usable, "checks": [check.as_dict() for check in checks]})
        return DONE if usable else FAILURE
    print_table([(check.state.mark, check.name, check.detail) for check in checks])
    for check in checks:
        if check.mend:
            print(f"→ {check.name}: {check.mend}")
    print("Lightbox works here." if usable else "Lightbox does not work here yet: mend what is marked with ✗.")
    return DONE if usable else FAILURE

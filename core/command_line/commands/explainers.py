"""List the explainers with their parameters."""

import argparse

from core.command_line.exit_codes import DONE
from core.command_line.terminal import only_results_on_stdout, print_json


def run(chosen: argparse.Namespace) -> int:
    """Presets and parameters of each; with ``--json`` the schema of the parameters."""
    with only_results_on_stdout():
        from core.explainers import describe, explainers

        described = [describe(cls) for cls in explainers().values()]
    if chosen.json:
        print_json(described)
        return DONE
    for explainer in described:
        print(f"{explainer['name']}: {explainer['summary']}")
        print(f"    presets: {', '.join(explainer['presets'])}")
        for name, field in explainer["parameters"].get("properties", {}).items():
            print(f"    {name}={field.get('default')}  {field.get('description', '')}")
    return DONE

"""Greet somebody."""

import argparse


def add_options(parser: argparse.ArgumentParser) -> None:
    """Whom."""
    parser.add_argument("who")


def run(chosen: argparse.Namespace) -> int:
    """Say it."""
    print(f"Hello {chosen.who}.")
    return 0

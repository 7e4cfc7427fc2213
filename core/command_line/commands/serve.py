"""Open the app in the browser."""

import argparse
import os


def add_options(parser: argparse.ArgumentParser) -> None:
    """Where to listen."""
    parser.add_argument("--host", help="address to listen on")
    parser.add_argument("--port", type=int, help="port, 1..65535")


def run(chosen: argparse.Namespace) -> int:
    """Become the app, which is started by its name: core knows no screen."""
    from core.interpreter import command_of, environment_with_our_sources

    options = [f"--{name}={value}" for name in ("host", "port") if (value := getattr(chosen, name)) is not None]
    command = command_of("dashboard", *options)
    os.execve(command[0], command, environment_with_our_sources())  # noqa: S606 - our own module, no shell

"""``python -m dashboard``: start the server and say where it is."""

import argparse
import os
import socket
import sys
from pathlib import Path

from core.errors import BadInput
from core.interpreter import command_of, environment_with_our_sources
from core.settings import settings
from dashboard.frame.hosts import named_hosts

APP = Path(__file__).resolve().parent / "app.py"


def port_is_free(host: str, port: int) -> bool:
    """Whether a server could listen on ``host:port`` now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def main(arguments: list[str] | None = None) -> int:
    """Check the port, print the address, become the Streamlit server.

    Returns
    -------
    int
        2 when the port is taken or a setting is wrong; otherwise this process is replaced and nothing is returned.
    """
    try:
        configured = settings()
    except BadInput as error:
        print(error, file=sys.stderr)
        return 2
    parser = argparse.ArgumentParser(prog="python -m dashboard", description="Open Lightbox in the browser.")
    parser.add_argument("--host", default=configured.host, help="address to listen on")
    parser.add_argument("--port", type=int, default=configured.port, help="port, 1..65535")
    chosen = parser.parse_args(arguments)
    if not 0 < chosen.port < 65536:
        print(f"{chosen.port} is not a port: choose one from 1 to 65535.", file=sys.stderr)
        return 2
    if not port_is_free(chosen.host, chosen.port):
        print(
            f"Port {chosen.port} on {chosen.host} is taken: stop what listens there, "
            "or choose another (make run PORT=8502, lightbox serve --port 8502).",
            file=sys.stderr,
        )
        return 2
    print(f"Lightbox is opening on http://{chosen.host}:{chosen.port} (Ctrl+C stops it).", flush=True)
    options = [str(APP), "--server.address", chosen.host, "--server.port", str(chosen.port)]
    options += ["--server.headless", "true", "--server.maxUploadSize", str(configured.upload_limit_mb)]
    for name in named_hosts(chosen.host):
        options += ["--server.allowedHosts", name]
    command = command_of("dashboard.frame.serving", "run", *options)
    os.execve(command[0], command, environment_with_our_sources())  # noqa: S606 - our own interpreter, no shell
    return 1


if __name__ == "__main__":
    sys.exit(main())

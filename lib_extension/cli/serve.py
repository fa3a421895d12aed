"""`serve`: the tab in a browser without any WebUI, and recipes over HTTP for programs: the same routes that a WebUI has."""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
from pathlib import Path

from lib_extension.cli.command import Command
from lib_extension.cli.options import AUTH, DEFAULT_BACKENDS, add_backends, add_home, pair_in
from lib_extension.session.serving import Serving
from lib_extension.spec.errors import BadRequest

SERVE_AUTH = "ATELIER_SERVE_AUTH"
_HERE = ("127.0.0.1", "localhost", "::1")


def _add_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help=f"another than this machine's own needs {SERVE_AUTH}=user:password")
    parser.add_argument("--port", type=int, default=7880, help="0: any that is free (default: %(default)s)")
    parser.add_argument("--open", action="store_true", help="show the page in the browser")
    add_backends(parser, "default: engine:demo")
    add_home(parser)


def _carry_out(options: argparse.Namespace) -> int:
    pair = pair_in(SERVE_AUTH)
    if pair is None and options.host not in _HERE:
        raise BadRequest(f"At {options.host} everybody in the network could ask. Set {SERVE_AUTH}=user:password in the environment.")
    port = _free_port(options.host, options.port)
    serving = Serving(
        address=f"http://{_reached_at(options.host)}:{port}/",
        opens_browser=options.open,
        home=str(options.home.resolve()),
        backends=options.backend or DEFAULT_BACKENDS,
        backend_auth=pair_in(AUTH),
        credentials=[":".join(pair)] if pair else (),
    )
    # A program of its own: the server's package is the worker's, and nothing in the WebUI's process may import it.
    command = [sys.executable, "-m", "uvicorn", "--factory", "lib_extension.api.standalone:make_app", "--no-proxy-headers"]
    command += ["--app-dir", str(Path(__file__).parents[2])]
    command += ["--host", options.host, "--port", str(port), "--timeout-graceful-shutdown", "3", "--log-level", "warning"]
    environment = {**os.environ, **serving.to_environment()}
    if os.name == "posix":
        os.execve(command[0], command, environment)  # this process becomes the server, so that whoever ends it ends that
    return _waited_for(subprocess.Popen(command, env=environment))


def _free_port(host: str, port: int) -> int:
    """The port, or a free one in place of 0. BadRequest where it is another program's."""
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as listening:
            return listening.getsockname()[1]
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadRequest(
            f"Cannot listen at {host}, port {port}: {reason}. Is Atelier open there already? --port 0 takes a free one."
        ) from error


def _reached_at(host: str) -> str:
    """A host's name as a browser on this machine says it."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)


def _waited_for(server: subprocess.Popen[bytes]) -> int:
    while True:
        try:
            return server.wait()
        except KeyboardInterrupt:
            continue  # the server has it, too, and ends by itself


COMMAND = Command("serve", "open Atelier in a browser; for programs, recipes over HTTP at /atelier/v1", _add_words, _carry_out)

"""`serve`: recipes over HTTP, for programs; the same routes that a WebUI has with the extension."""

from __future__ import annotations

import argparse
import os
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
    parser.add_argument("--port", type=int, default=7880, help="(default: %(default)s)")
    add_backends(parser, "default: engine:demo")
    add_home(parser)


def _carry_out(options: argparse.Namespace) -> int:
    pair = pair_in(SERVE_AUTH)
    if pair is None and options.host not in _HERE:
        raise BadRequest(f"At {options.host} everybody in the network could ask. Set {SERVE_AUTH}=user:password in the environment.")
    serving = Serving(
        home=str(options.home.resolve()),
        backends=options.backend or DEFAULT_BACKENDS,
        backend_auth=pair_in(AUTH),
        credentials=[":".join(pair)] if pair else (),
    )
    # A program of its own: the server's package is the worker's, and nothing in the WebUI's process may import it.
    command = [sys.executable, "-m", "uvicorn", "--factory", "lib_extension.api.standalone:make_app", "--no-proxy-headers"]
    command += ["--app-dir", str(Path(__file__).parents[2])]
    command += ["--host", options.host, "--port", str(options.port), "--timeout-graceful-shutdown", "3"]
    environment = {**os.environ, **serving.to_environment()}
    if os.name == "posix":
        os.execve(command[0], command, environment)  # this process becomes the server, so that whoever ends it ends that
    return _waited_for(subprocess.Popen(command, env=environment))


def _waited_for(server: subprocess.Popen[bytes]) -> int:
    while True:
        try:
            return server.wait()
        except KeyboardInterrupt:
            continue  # the server has it, too, and ends by itself


COMMAND = Command("serve", "offer recipes over HTTP, at /atelier/v1", _add_words, _carry_out)

"""What do `install.py demo`, `test` and `worker` do?"""

from __future__ import annotations

import argparse
import dataclasses
import subprocess
import sys

from lib_extension.setup.environment import CONTROLNET_AUX, HOSTS, ROOT, TESTS, WORKER, Environment
from lib_extension.setup.installer import InstallError, clean_environment
from lib_extension.setup.javascript import NodePackages
from lib_extension.setup.standing import index_of


def run(arguments: list[str]) -> int:
    """Carry out one command line; gives the exit status."""
    options, rest = _parser().parse_known_args(arguments)
    if rest and options.command == "worker":
        _parser().error(f"unrecognized arguments: {' '.join(rest)}")
    environment = Environment(say=_say)
    try:
        if options.command == "demo":
            return demo(environment, rest)
        if options.command == "test":
            return test(environment, rest)
        return worker(environment, options)
    except InstallError as error:
        print(f"Atelier: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Atelier: stopped.", file=sys.stderr)
        return 130


def demo(environment: Environment, rest: list[str]) -> int:
    """Make the environment if need be, then the demo's pictures."""
    environment.ensure(WORKER)
    return _run(environment, _module(environment, "lib_extension.cli.demo", *rest))


def test(environment: Environment, rest: list[str]) -> int:
    """Check format, style, types and behaviour; `rest` goes to pytest. All of it runs, whatever the first checks say."""
    environment.ensure(WORKER, TESTS, CONTROLNET_AUX)
    for host in HOSTS:
        dataclasses.replace(environment, folder=environment.folder / host.name).ensure(host)
    packages = NodePackages(environment)
    packages.ensure()
    checks = {
        "format": _module(environment, "ruff", "format", "--check"),
        "style": _module(environment, "ruff", "check"),
        "types": _module(environment, "pyright", "--pythonpath", str(environment.python)),
        "JavaScript's style": packages.eslint(),
        "JavaScript's tests": packages.tests(),
        "tests": _module(environment, "pytest", "--numprocesses=2", "--dist=loadfile", *rest),
    }
    failed = []
    for name, command in checks.items():
        _say(f"Checking {name}")
        if _run(environment, command):
            failed.append(name)
    _say(f"Failed: {', '.join(failed)}" if failed else "All is well: format, style, types and tests")
    return 1 if failed else 0


def worker(environment: Environment, options: argparse.Namespace) -> int:
    """Make, remake or remove the environment of training and of the engine."""
    index = options.torch_index or index_of("") or environment.installed_torch_index()
    if options.remove or options.update:
        environment.remove()
    if options.remove:
        _say(f"Removed {environment.folder}")
        return 0
    environment.ensure(WORKER, CONTROLNET_AUX, torch_index=index)
    _say(f"The worker's environment is ready: {environment.python}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="install.py", description="Set up Atelier and try it.", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser(
        "demo", help="carry a watch through the stages of a recipe with the bundled model, and write pictures into demo-output"
    )
    commands.add_parser("test", help="check format, style and types, and run the tests; further arguments go to pytest")
    worker = commands.add_parser("worker", help="make the environment that training and the engine run in")
    change = worker.add_mutually_exclusive_group()
    change.add_argument("--update", action="store_true", help="make it anew")
    change.add_argument("--remove", action="store_true", help="delete it")
    worker.add_argument("--torch-index", default="", metavar="URL", help="take torch from here, for another CUDA, ROCm or the CPU")
    return parser


def _module(environment: Environment, module: str, *arguments: str) -> list[str]:
    return [str(environment.python), "-m", module, *arguments]


def _run(environment: Environment, command: list[str]) -> int:
    sys.stdout.flush()
    # pyright's own files stay inside the environment, and its advice to upgrade would be advice to leave the lock.
    variables = {"PYRIGHT_PYTHON_CACHE_DIR": str(environment.folder / "pyright"), "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    return subprocess.run(command, cwd=ROOT, env={**clean_environment(), **variables}, check=False).returncode


def _say(line: str) -> None:
    print(line, flush=True)

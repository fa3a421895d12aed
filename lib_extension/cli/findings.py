"""How is it said what preflight found?"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from lib_extension.preflight.finding import Finding


def say_findings(findings: Sequence[Finding]) -> None:
    """Each on a line, errors first."""
    for finding in sorted(findings, key=lambda finding: finding.severity):
        field = f".{finding.field}" if finding.field else ""
        print(f"{finding.severity}: {finding.stage}{field}: {finding.message}", file=sys.stderr)

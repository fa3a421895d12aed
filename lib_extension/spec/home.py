"""Where does everything lie that is kept, when no other place is named?"""

from __future__ import annotations

from pathlib import Path

DEFAULT_HOME = Path(__file__).resolve().parents[2] / "atelier-data"  # beside the code: the same from wherever it is called

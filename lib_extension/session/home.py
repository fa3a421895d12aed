"""Where does everything lie? One folder: the ledger, the pictures, own recipes, and what runs leave when no other place is named."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lib_extension.spec.home import DEFAULT_HOME


@dataclass(frozen=True)
class Home:
    """The folder and what is in it."""

    folder: Path = DEFAULT_HOME

    @property
    def ledger(self) -> Path:
        """The SQLite file."""
        return self.folder / "ledger.db"

    @property
    def blobs(self) -> Path:
        """Pictures by hash."""
        return self.folder / "blobs"

    @property
    def recipes(self) -> Path:
        """Own recipes, a folder each."""
        return self.folder / "recipes"

    @property
    def draft(self) -> Path:
        """The recipe that is being edited."""
        return self.folder / "draft.json"

    @property
    def thumbnails(self) -> Path:
        """Pictures made small, which can be made again."""
        return self.folder / "thumbnails"

    @property
    def jobs(self) -> Path:
        """What worker processes do and did, a folder each."""
        return self.folder / "jobs"

    @property
    def class_pictures(self) -> Path:
        """Which runs' pictures go into which folder as class pictures."""
        return self.folder / "class-pictures"

    def outputs(self, run_id: str) -> Path:
        """The folder of a run's pictures."""
        return self.folder / "outputs" / run_id

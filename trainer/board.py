"""How does a run get into TensorBoard? The same points that are told as events, in its own file format."""

from __future__ import annotations

from pathlib import Path


class Board:
    """TensorBoard's log in the run's folder, or nothing at all."""

    def __init__(self, folder: Path | None) -> None:
        self._writer = None
        if folder is not None:
            from tensorboardX import SummaryWriter  # here, as only those who ask for it should wait

            self._writer = SummaryWriter(logdir=str(folder / "tensorboard"), flush_secs=10)

    def point(self, series: str, step: int, value: float) -> None:
        """A point of a plot."""
        if self._writer is not None:
            self._writer.add_scalar(series, value, step)

    def close(self) -> None:
        """Write the rest."""
        if self._writer is not None:
            self._writer.close()

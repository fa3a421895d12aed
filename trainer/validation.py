"""How well are pictures predicted that are never trained on? By the same noise at the same timesteps each time."""

from __future__ import annotations

import torch

from trainer.gradients import losses
from trainer.session import Session

_SEED = 1  # whatever the run's own is, so that runs compare
_DRAWS = 4  # of noise and timestep for each picture


@torch.no_grad()
def validation_loss(session: Session) -> float | None:
    """The mean over pictures and draws; None where no picture was kept apart."""
    total, count = 0.0, 0
    for number, batch in enumerate(session.batches.validation):
        batch = batch.to(session.accelerator.device)
        for draw in range(_DRAWS):
            with session.accelerator.autocast():
                found = losses(session, batch, number * _DRAWS + draw, _SEED)  # B
            total += float(found.sum())
            count += len(batch)
    return total / count if count else None

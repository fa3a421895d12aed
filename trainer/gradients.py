"""How does a batch become gradients? In parts, one after the other, and in several processes, each with its share of the pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import blake2b

import torch
import torch.distributed
from torch import Tensor

from trainer.data.batch import Batch
from trainer.families.family import TextStates
from trainer.session import Session
from trainer.step import draw, losses_of, noisy_latents


def losses(session: Session, batch: Batch, number: int, seed: int) -> Tensor:
    """The loss of each picture, (B,), with the chance of the batch with that number."""
    config, checkpoint = session.config, session.checkpoint
    latents = _latents(session, batch)  # B C h w
    drawn = draw(seed, number, latents, config.loss, batch.first)
    text = text_of(session, batch)
    noisy = noisy_latents(latents, drawn, session.noising).to(checkpoint.dtype)
    answer = session.family.predict(checkpoint.unet, noisy, drawn.timesteps, text, batch)  # B C h w
    return losses_of(answer, latents, drawn, session.noising, config.loss, batch)


def add_gradients(session: Session, number: int) -> tuple[Tensor, Batch]:
    """Forward and backward of one batch; gives the sum of the pictures' losses over `whole`, (), and the batch."""
    memory, accelerator = session.config.memory, session.accelerator
    batch = session.batches.at(number)
    _seed_dropout(session, number)
    share = accelerator.num_processes / (batch.whole * memory.accumulation)  # so that the mean over processes is the batch's mean
    total = torch.zeros((), device=accelerator.device)
    for part in parts(batch.to(accelerator.device), memory.parts):
        with accelerator.autocast():
            loss = losses(session, part, number, session.config.run.seed).sum()
        accelerator.backward(loss * share)
        total += loss.detach()
    return total / (batch.whole * memory.accumulation), batch


def add_up(session: Session, loss: Tensor, stop: bool) -> tuple[float, bool]:
    """The mean gradient of all processes in each, unscaled, with the whole loss, and whether any of them is to stop.

    OutOfMemoryError in all of them where the memory of one is full.
    """
    count, trained = session.accelerator.num_processes, session.trained
    whole = loss.item()
    if count > 1:
        whole, stops, full = _sums(session, whole, stop)
        if full:
            raise FullElsewhere("The memory of another process's GPU is full.")
        stop = stops > 0
        gradients = [one.grad for one in trained.parameters if one.grad is not None]
        everything = torch.cat([gradient.flatten() for gradient in gradients])
        torch.distributed.all_reduce(everything)
        for gradient, mean in zip(gradients, (everything / count).split([one.numel() for one in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient))
    if trained.scaler is not None:
        trained.scaler.unscale_(trained.optimizer)  # what is not finite in one process is so in all now, so that all skip the step
    return whole, stop


def tell_full(session: Session, error: torch.OutOfMemoryError) -> None:
    """This process's memory is full: the others, which wait for its gradients, are to end, too."""
    if session.accelerator.num_processes > 1 and not isinstance(error, FullElsewhere):
        _sums(session, 0.0, stop=False, full=True)


class FullElsewhere(torch.OutOfMemoryError):
    """In another of the processes that train together."""


def _sums(session: Session, loss: float, stop: bool, full: bool = False) -> tuple[float, float, float]:
    told = torch.tensor([loss, float(stop), float(full)], device=session.accelerator.device)
    torch.distributed.all_reduce(told)
    whole, stops, fulls = told.tolist()
    return whole, stops, fulls


def parts(batch: Batch, count: int) -> Iterator[Batch]:
    """The batch in so many parts of about equal size; fewer where it has fewer pictures."""
    size = -(-len(batch) // count)
    for start in range(0, len(batch), size):
        yield batch if size >= len(batch) else _part(batch, slice(start, start + size))


def text_of(session: Session, batch: Batch) -> TextStates:
    """What the U-Net is told: cached, or by the text encoders now."""
    checkpoint, settings = session.checkpoint, session.config.model
    if batch.text is not None:
        return batch.text.to(checkpoint.device, checkpoint.dtype)
    text = session.family.encode_text(checkpoint, batch.captions, settings.clip_skip, 0)
    return TextStates(text.hidden[:, : settings.caption_chunks * 77], text.pooled).to(checkpoint.device, checkpoint.dtype)


def _seed_dropout(session: Session, number: int) -> None:
    """What else takes chance from torch does so by seed and step, too."""
    digest = blake2b(f"{session.config.run.seed} {number} {session.accelerator.process_index}".encode(), digest_size=7).digest()
    torch.manual_seed(int.from_bytes(digest, "little"))


def _latents(session: Session, batch: Batch) -> Tensor:
    """(B, C, h, w), float32."""
    if batch.latents is not None:
        return batch.latents
    assert batch.pixels is not None
    vae = session.checkpoint.vae
    with torch.no_grad(), torch.autocast(session.accelerator.device.type, enabled=False):
        latents = vae.encode(batch.pixels.to(vae.dtype), return_dict=False)[0].mode()
    return latents.float() * vae.config["scaling_factor"]


def _part(batch: Batch, of: slice) -> Batch:
    def cut(tensor: Tensor | None) -> Tensor | None:
        return None if tensor is None else tensor[of]

    text = None if batch.text is None else TextStates(batch.text.hidden[of], cut(batch.text.pooled))
    return replace(
        batch,
        latents=cut(batch.latents),
        pixels=cut(batch.pixels),
        text=text,
        captions=batch.captions[of],
        original_sizes=batch.original_sizes[of],
        crops=batch.crops[of],
        target_sizes=batch.target_sizes[of],
        loss_mask=cut(batch.loss_mask),
        weights=batch.weights[of],
        prior=batch.prior[of],
        names=batch.names[of],
        first=batch.first + of.start,
    )

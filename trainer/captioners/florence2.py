"""A sentence, short or long, by Florence-2 (Xiao et al. 2023, arXiv:2311.06242)."""

from __future__ import annotations

from transformers import Florence2ForConditionalGeneration, Florence2Processor

from lib_extension.spec.captioning import Florence2Settings
from trainer.captioners.hub_model import load_both
from trainer.captioners.sentences import SentenceCaptioner


def open_florence2(settings: Florence2Settings, device: str) -> SentenceCaptioner:
    """The task is one of the network's own prompts."""
    model, processor = load_both(Florence2ForConditionalGeneration, Florence2Processor, settings.model, device)
    return SentenceCaptioner(model, processor, settings.task, settings.longest, settings.beams)

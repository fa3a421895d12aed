"""A sentence by BLIP (Li et al. 2022, arXiv:2201.12086)."""

from __future__ import annotations

from transformers import BlipForConditionalGeneration, BlipProcessor

from lib_extension.spec.captioning import BlipSettings
from trainer.captioners.hub_model import load_both
from trainer.captioners.sentences import SentenceCaptioner


def open_blip(settings: BlipSettings, device: str) -> SentenceCaptioner:
    """The prompt is the sentence's beginning, and stays in it."""
    model, processor = load_both(BlipForConditionalGeneration, BlipProcessor, settings.model, device)
    return SentenceCaptioner(model, processor, settings.prompt, settings.longest, settings.beams)

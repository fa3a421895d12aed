"""A sentence by BLIP-2 (Li et al. 2023, arXiv:2301.12597)."""

from __future__ import annotations

from transformers import Blip2ForConditionalGeneration, Blip2Processor

from lib_extension.spec.captioning import Blip2Settings
from trainer.captioners.hub_model import load_both
from trainer.captioners.sentences import SentenceCaptioner


def open_blip2(settings: Blip2Settings, device: str) -> SentenceCaptioner:
    """A question is not repeated in the answer."""
    model, processor = load_both(Blip2ForConditionalGeneration, Blip2Processor, settings.model, device)
    return SentenceCaptioner(model, processor, settings.prompt, settings.longest, settings.beams, hides_prompt=True)

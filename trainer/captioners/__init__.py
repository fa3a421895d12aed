"""Which captioners are there? A kind's file is imported when it is asked for, as each needs packages that take seconds to load."""

from __future__ import annotations

from collections.abc import Callable

from lib_extension.spec.captioning import (
    Blip2Settings,
    BlipSettings,
    CaptionerSettings,
    EndpointSettings,
    Florence2Settings,
    TaggerSettings,
)
from trainer.captioners.described import Captioner


def open_captioner(settings: CaptionerSettings, device: str) -> Captioner:
    """Ready to describe. Raises NotFound or BadFile where its model is not there or is none; `device` as torch names it."""
    return CAPTIONERS[type(settings)](settings, device)


def _tagger(settings: TaggerSettings, device: str) -> Captioner:
    from trainer.captioners.tagger import TaggerCaptioner

    return TaggerCaptioner(settings)


def _blip(settings: BlipSettings, device: str) -> Captioner:
    from trainer.captioners.blip import open_blip

    return open_blip(settings, device)


def _blip2(settings: Blip2Settings, device: str) -> Captioner:
    from trainer.captioners.blip2 import open_blip2

    return open_blip2(settings, device)


def _florence2(settings: Florence2Settings, device: str) -> Captioner:
    from trainer.captioners.florence2 import open_florence2

    return open_florence2(settings, device)


def _endpoint(settings: EndpointSettings, device: str) -> Captioner:
    from trainer.captioners.endpoint import EndpointCaptioner

    return EndpointCaptioner(settings)


CAPTIONERS: dict[type[CaptionerSettings], Callable[..., Captioner]] = {
    TaggerSettings: _tagger,
    BlipSettings: _blip,
    Blip2Settings: _blip2,
    Florence2Settings: _florence2,
    EndpointSettings: _endpoint,
}

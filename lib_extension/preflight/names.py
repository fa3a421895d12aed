"""Does the backend have what a stage names? A WebUI answers an unknown name with another picture, not with an error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lib_extension.masks.weights import weights_in
from lib_extension.preflight.finding import Finding
from lib_extension.preflight.look import Look
from lib_extension.spec.errors import near_miss
from lib_extension.spec.inventory import NOTHING
from lib_extension.spec.settings import to_json
from lib_extension.stages.control import ControlStage
from lib_extension.stages.hires import LATENT
from lib_extension.stages.txt2img import Txt2ImgStage
from lib_extension.stages.upscale import UpscaleStage

_WEIGHTS_BELONG = {
    "detector": "Put its .onnx file into detectors/ in the models folder.",
    "background": "Put its .onnx file into rembg/ in the models folder, or use the method grabcut, which needs none.",
    "text": "Download CIDAS/clipseg-rd64-refined into clipseg/ in the models folder.",
}


def unknown_sampler(look: Look) -> Iterator[Finding]:
    """WebUIs take another sampler instead."""
    if look.drawn is None:
        return
    known = look.inventory
    for field, name in (("sampler_name", look.drawn.sampler_name), ("hires.hr_sampler_name", look.hires.hr_sampler_name)):
        if (name or field == "sampler_name") and known.sampler(name) is None and known.sampler_and_scheduler(name) is None:
            yield look.error(field, _not_there("sampler", name, (found.name for found in known.samplers)))


def unknown_scheduler(look: Look) -> Iterator[Finding]:
    """WebUIs take "Automatic" instead."""
    if look.drawn is None:
        return
    for field, name in (("scheduler", look.drawn.scheduler), ("hires.hr_scheduler", look.hires.hr_scheduler)):
        if name not in NOTHING and look.inventory.scheduler(name) is None:
            yield look.error(field, _not_there("schedule type", name, (found.label for found in look.inventory.schedulers)))


def unknown_checkpoint(look: Look) -> Iterator[Finding]:
    """WebUIs keep the one that they have in use."""
    if look.drawn is None:
        return
    asked = {
        "checkpoint": look.drawn.checkpoint,
        "refiner_checkpoint": look.drawn.refiner_checkpoint,
        "hires.hr_checkpoint_name": look.hires.hr_checkpoint_name,
        "override_settings.sd_model_checkpoint": str(look.drawn.override_settings.get("sd_model_checkpoint") or ""),
    }
    for field, name in asked.items():
        if name and look.inventory.checkpoint(name) is None:
            yield look.error(field, _not_there("checkpoint", name, look.inventory.named("checkpoint")))


def unknown_vae(look: Look) -> Iterator[Finding]:
    """WebUIs keep the one that they have in use."""
    if look.drawn is not None and look.inventory.identity("vae", look.drawn.vae) is None:
        yield look.error("vae", _not_there("VAE", look.drawn.vae, ("Automatic", *look.inventory.named("vae"))))


def unknown_upscaler(look: Look) -> Iterator[Finding]:
    """A hires fix takes latent modes too; img2img, which "hires" of a picture is made by, stretches latents on every host."""
    stage = look.stage
    if isinstance(stage, UpscaleStage) and stage.upscaler not in (*look.inventory.upscalers, LATENT):
        yield look.error("upscaler", _not_there("upscaler", stage.upscaler, look.inventory.upscalers))
    elif isinstance(stage, Txt2ImgStage) and stage.hires and stage.hires.hr_upscaler not in look.inventory.named("upscaler"):
        yield look.error("hires.hr_upscaler", _not_there("upscaler", stage.hires.hr_upscaler, look.inventory.named("upscaler")))


def unknown_lora(look: Look) -> Iterator[Finding]:
    """WebUIs leave it out."""
    for use in look.loras:
        if look.inventory.lora(use.name) is None:
            told = _not_there("LoRA", use.name, look.inventory.named("lora"))
            yield look.error(use.field, f"{told} Put its file into the Lora folder there, without an ending in the name here.")


def unknown_style(look: Look) -> Iterator[Finding]:
    """WebUIs leave it out."""
    for place, name in enumerate(look.drawn.styles if look.drawn else ()):
        if name not in look.inventory.named("style"):
            yield look.error(f"styles[{place}]", _not_there("style", name, look.inventory.named("style")))


def unknown_extension(look: Look) -> Iterator[Finding]:
    """WebUIs refuse the whole call then, only when it comes."""
    for name in look.drawn.alwayson if look.drawn else ():
        if name.lower() not in look.inventory.scripts:
            told = _not_there("script", name, look.inventory.scripts)
            yield look.error(f"alwayson.{name}", f"{told} Install its extension there, or leave it out.")


def no_controlnet(look: Look) -> Iterator[Finding]:
    """Without the extension, units are refused or do nothing."""
    if look.inventory.has_controlnet:
        return
    field = "module" if isinstance(look.stage, ControlStage) else "controlnet" if look.units else ""
    if field:
        yield look.error(field, "The backend has no ControlNet. Install the extension sd-webui-controlnet there, or leave this out.")


def unknown_control_model(look: Look) -> Iterator[Finding]:
    """WebUIs answer with a picture that is not guided."""
    for where, control in look.units if look.inventory.has_controlnet else ():
        if control.model not in NOTHING and look.inventory.controlnet(control.model) is None:
            yield look.error(f"{where}.model", _not_there("ControlNet model", control.model, look.inventory.named("controlnet")))


def unknown_module(look: Look) -> Iterator[Finding]:
    """Hosts call preprocessors by different names; an unknown one leaves the picture unguided."""
    if not look.inventory.has_controlnet:
        return
    asked = [(f"{where}.module", control.module) for where, control in look.units]
    asked += [("module", look.stage.module)] if isinstance(look.stage, ControlStage) else []
    for field, name in asked:
        if name.lower() != "none" and look.inventory.module(name) is None:
            yield look.error(field, _not_there("preprocessor", name, look.inventory.modules))


def unknown_mask_network(look: Look) -> Iterator[Finding]:
    """It would be told only when the mask is looked for, after all that comes before it."""
    if look.inventory.host != "engine" and not look.inventory.networks:
        return  # a WebUI, and what the engine that helps it has is not known
    for field in ("mask", "paste_back"):
        for name in dict.fromkeys(weights_in(to_json(getattr(look.stage, field, "")))):
            kind, _, model = name.partition("/")
            if look.inventory.identity("network", name) is None and kind in _WEIGHTS_BELONG:
                there = [known.partition("/")[2] for known in look.inventory.named("network") if known.startswith(f"{kind}/")]
                yield look.error(field, f"{_not_there(f'network for {kind} masks', model, there)} {_WEIGHTS_BELONG[kind]}")


def _not_there(what: str, name: str, known: Iterable[str]) -> str:
    names = list(known)
    guess = near_miss(name, names)
    listed = "" if guess or not names else f" It has: {', '.join(names[:8])}{' …' if len(names) > 8 else ''}."
    return f'The backend has no {what} "{name}".{guess}{listed}'

"""What does the engine hold between two requests?

One ``Engine`` is used by one worker thread; only its ``progress`` is shared with others.
"""

from __future__ import annotations

import gc
from collections import OrderedDict
from dataclasses import dataclass, field

import torch
from diffusers import AutoencoderKL, ControlNetModel

from lib_extension.engine.annotators import Annotators
from lib_extension.engine.conditioning import TextEncoders
from lib_extension.engine.latents import PreviewColours, preview_colours
from lib_extension.engine.options import Options
from lib_extension.engine.progress import Progress
from lib_extension.engine.schedules import NoiseLevels
from lib_extension.models.checkpoint import Checkpoint, Placement, load_checkpoint
from lib_extension.models.controlnet import load_controlnet
from lib_extension.models.library import Found, Library
from lib_extension.models.vae import load_vae
from lib_extension.spec.errors import NotFound

Stamp = tuple[str, int, int]  # of a file, as Found.stamp

CONTROLNETS_KEPT = 3  # As many as the WebUI's default number of units.


@dataclass(frozen=True)
class Loaded:
    """A checkpoint, ready: its own VAE, its text encoders wrapped, its noise levels, and the colours of its previews."""

    checkpoint: Checkpoint
    found: Found
    stamp: Stamp
    own_vae: AutoencoderKL
    text: TextEncoders
    levels: NoiseLevels
    colours: PreviewColours


@dataclass
class Engine:
    """``lenient`` makes it as forgiving as the WebUI; by default what the WebUI gets silently wrong is refused."""

    library: Library
    options: Options
    placement: Placement
    annotators: Annotators
    progress: Progress = field(default_factory=Progress)
    lenient: bool = False
    _loaded: Loaded | None = None
    _embeddings: list[Stamp] = field(default_factory=list)
    _vae: tuple[Stamp, AutoencoderKL] | None = None
    _controlnets: OrderedDict[tuple[str, int], ControlNetModel] = field(default_factory=OrderedDict)

    def checkpoint(self, name: str | None = None) -> Loaded:
        """The checkpoint ``name`` (by default the one the options name), loaded if another one is. Raises NotFound, BadFile."""
        name = name or self.options["sd_model_checkpoint"]
        if not name:
            raise NotFound("No checkpoint is chosen. Start the engine with --model, or set the option sd_model_checkpoint.")
        found = self.library.checkpoint(name)
        if self._loaded is None or self._loaded.stamp != found.stamp:
            self.unload()
            self._loaded = self._load(found)
        embeddings = self.library.embeddings()
        if (stamps := [one.stamp for one in embeddings]) != self._embeddings:
            self._loaded.text.use_embeddings(embeddings)
            self._embeddings = stamps
        return self._loaded

    @property
    def loaded(self) -> Loaded | None:
        """What is in memory now; looking loads nothing."""
        return self._loaded

    def unload(self) -> None:
        """Forgets the checkpoint, and the VAE and ControlNets that were used with it."""
        self._loaded, self._vae = None, None
        self._controlnets.clear()
        gc.collect()
        if self.placement.device.type == "cuda":
            torch.cuda.empty_cache()

    def use_vae(self, loaded: Loaded, name: str) -> Found | None:
        """Gives the checkpoint the VAE ``name``; "Automatic" and "None" mean its own, for which None is returned."""
        if name in ("Automatic", "None", ""):
            loaded.checkpoint.vae = loaded.own_vae
            return None
        found = self.library.vae(name)
        if self._vae is None or self._vae[0] != found.stamp:
            self._vae = (found.stamp, load_vae(found, loaded.checkpoint))
        loaded.checkpoint.vae = self._vae[1]
        return found

    def controlnet(self, found: Found, checkpoint: Checkpoint) -> ControlNetModel:
        """The ControlNet, from memory when it was used lately. Raises BadFile, Mismatch."""
        key = (str(found.path), found.path.stat().st_mtime_ns)
        if key not in self._controlnets:
            self._controlnets[key] = load_controlnet(found, checkpoint)
        self._controlnets.move_to_end(key)
        while len(self._controlnets) > CONTROLNETS_KEPT:
            self._controlnets.popitem(last=False)
        return self._controlnets[key]

    def close(self) -> None:
        """Frees the models and ends the annotators' process."""
        self.unload()
        self.annotators.close()

    def _load(self, found: Found) -> Loaded:
        stamp = found.stamp  # taken before: a file that is overwritten meanwhile is read again the next time
        checkpoint = load_checkpoint(found, self.placement)
        embeddings = self.library.embeddings()
        self._embeddings = [one.stamp for one in embeddings]
        text = TextEncoders(checkpoint, embeddings)
        levels = NoiseLevels(checkpoint.noise, sdxl=checkpoint.family == "sdxl")
        with torch.no_grad():
            colours = preview_colours(checkpoint.vae)
        return Loaded(checkpoint, found, stamp, checkpoint.vae, text, levels, colours)

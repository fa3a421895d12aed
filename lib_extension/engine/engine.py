"""What does the engine hold between two requests?

One ``Engine`` is used by one worker thread; only its ``progress`` is shared with others.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from diffusers import AutoencoderKL, ControlNetModel

from lib_extension.engine.annotators import Annotators
from lib_extension.engine.conditioning import TextEncoders
from lib_extension.engine.options import Options
from lib_extension.engine.progress import Progress
from lib_extension.models.checkpoint import Checkpoint, Placement, load_checkpoint
from lib_extension.models.controlnet import load_controlnet
from lib_extension.models.library import Found, Library
from lib_extension.models.vae import load_vae

CONTROLNETS_KEPT = 3  # As many as the WebUI's default number of units.


@dataclass(frozen=True)
class Loaded:
    """A checkpoint, ready: with its own VAE and with the text encoders wrapped."""

    checkpoint: Checkpoint
    found: Found
    own_vae: AutoencoderKL
    text: TextEncoders


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
    _controlnets: OrderedDict[tuple[str, int], ControlNetModel] = field(default_factory=OrderedDict)

    def checkpoint(self, name: str | None = None) -> Loaded:
        """The checkpoint ``name`` (by default the one the options name), loaded if another one is. Raises NotFound, BadFile."""
        found = self.library.checkpoint(name or self.options["sd_model_checkpoint"])
        if self._loaded is None or self._loaded.found != found:
            self.unload()
            checkpoint = load_checkpoint(found, self.placement)
            self._loaded = Loaded(checkpoint, found, checkpoint.vae, TextEncoders(checkpoint))
        return self._loaded

    @property
    def loaded(self) -> Loaded | None:
        """What is in memory now; looking loads nothing."""
        return self._loaded

    def unload(self) -> None:
        """Forgets the checkpoint and the ControlNets that were made for it."""
        self._loaded = None
        self._controlnets.clear()

    def use_vae(self, loaded: Loaded, name: str) -> str | None:
        """Gives the checkpoint the VAE ``name``; "Automatic" and "None" mean its own. Returns the name that infotexts carry."""
        if name in ("Automatic", "None", ""):
            loaded.checkpoint.vae = loaded.own_vae
            return None
        found = self.library.vae(name)
        loaded.checkpoint.vae = load_vae(found, loaded.checkpoint)
        return found.name

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

"""What does a backend say of itself? Who it is, and which models, samplers and scripts can be asked of it. Pure data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from lib_extension.spec.control_modules import listed_module

Host = Literal["engine", "a1111", "forge", "reforge"]
FileKind = Literal["checkpoint", "lora", "vae", "controlnet", "upscaler", "embedding", "style", "network"]

NOTHING = ("", "None", "none", "Automatic")  # names that stand for no file of one's own


@dataclass(frozen=True)
class Identity:
    """Which software answers, and on what: pictures of equal calls are equal within one class."""

    host: Host
    version: str
    device: str  # the kind: "cpu", "cuda", "mps"
    precision: str  # "fp32", "fp16", "bf16"; "auto" where the host decides

    @property
    def class_(self) -> str:
        """ "software version device precision", as it enters keys."""
        return f"{self.host} {self.version} {self.device} {self.precision}"


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint. `title` is what override_settings take; it may end with the hash, once that is known."""

    title: str
    name: str
    hash: str = ""  # 10 hex digits; '' while the backend has not computed it
    sha256: str = ""
    file: str = ""  # its name, without folders
    family: str = ""  # "sd1", "sd2", "sdxl"; '' where the backend does not say

    @property
    def names(self) -> tuple[str, ...]:
        """All that it answers to."""
        bare, stem = self.title.split(" [")[0], self.file.rpartition(".")[0]
        return tuple(dict.fromkeys(name for name in (self.title, bare, self.name, self.file, stem, self.hash, self.sha256) if name))


@dataclass(frozen=True)
class Lora:
    """A LoRA file: <lora:name:1> uses it."""

    name: str
    alias: str = ""
    hash: str = ""  # 12 hex digits, as the host writes it into "Lora hashes"; '' while unknown
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Sampler:
    """A sampler; `scheduler` is the schedule that it takes for "Automatic", '' for its own."""

    name: str
    aliases: tuple[str, ...] = ()
    scheduler: str = ""


@dataclass(frozen=True)
class Scheduler:
    """A schedule of noise levels. Infotexts tell its label."""

    name: str
    label: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Vae:
    """A VAE file."""

    name: str
    hash: str = ""  # 10 hex digits; '' where the host does not tell


@dataclass(frozen=True)
class Embedding:
    """A textual inversion; `fits` says whether the loaded checkpoint takes it.

    Hosts list its shape and how long it was trained, not its file's hash. They tell that of those that a picture was made with: one
    that does not fit the checkpoint in use has none, and another file of the same shape and step passes for the same there.
    """

    name: str
    fits: bool = True
    vectors: int = 1
    width: int = 0  # of a vector: what the text encoder takes; 0 while unknown
    step: int | None = None  # of its training, where the file says so
    hash: str = ""  # 12 hex digits; '' while unknown

    @property
    def identity(self) -> str:
        """As much as is known."""
        return self.hash or f"{self.name} {self.vectors}x{self.width} step {self.step}"


@dataclass(frozen=True)
class Network:
    """Weights that find masks or judge pictures, by "kind/name" as masks.weights and scores.weights have it."""

    name: str
    hash: str


@dataclass(frozen=True)
class Style:
    """A text that the host adds to prompts under a name."""

    name: str
    prompt: str = ""
    negative_prompt: str = ""


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """What a backend had when it was last asked."""

    host: Host
    checkpoints: tuple[Checkpoint, ...] = ()
    current: str = ""  # title of the checkpoint that calls without one get
    samplers: tuple[Sampler, ...] = ()
    schedulers: tuple[Scheduler, ...] = ()
    upscalers: tuple[str, ...] = ()
    upscaler_hashes: Mapping[str, str] = field(default_factory=dict)  # of those that are files and whose hash is known, 10 hex digits
    latent_modes: tuple[str, ...] = ()
    loras: tuple[Lora, ...] = ()
    vaes: tuple[Vae, ...] = ()
    embeddings: tuple[Embedding, ...] = ()
    styles: tuple[Style, ...] = ()
    networks: tuple[Network, ...] = ()  # of an engine, or of the one that helps a WebUI
    scripts: tuple[str, ...] = ()  # titles in lower case, always-on and selectable ones
    has_controlnet: bool = False
    controlnets: tuple[str, ...] = ()  # "name [hash]"
    modules: tuple[str, ...] = ()  # preprocessors by the name that works there
    units: int = 3  # ControlNet units that a call may have
    sends_maps: bool = False  # whether a unit's map comes back, which proves that it ran
    control_modes: bool = True  # whether control_mode has an effect
    guards_itself: bool = False  # refuses what other hosts get silently wrong
    options: Mapping[str, Any] = field(default_factory=dict)

    def checkpoint(self, name: str) -> Checkpoint | None:
        """The checkpoint that a title, name, file or hash means; '' means the one in use."""
        name = name or self.current
        return next((found for found in self.checkpoints if name in found.names), None)

    def lora(self, name: str) -> Lora | None:
        """The LoRA of that name; an alias counts where no file has it as its name."""
        named = (found for found in self.loras if found.name == name)
        return next(named, None) or next((found for found in self.loras if found.alias == name), None)

    def sampler(self, name: str) -> Sampler | None:
        """The sampler by name or alias, in any case."""
        asked = name.lower()
        return next((found for found in self.samplers if asked in (each.lower() for each in (found.name, *found.aliases))), None)

    def scheduler(self, name: str) -> Scheduler | None:
        """The scheduler by name, label or alias, in any case."""
        asked = name.lower()
        known = self.schedulers
        return next((found for found in known if asked in (each.lower() for each in (found.name, found.label, *found.aliases))), None)

    def sampler_and_scheduler(self, name: str) -> tuple[Sampler, Scheduler] | None:
        """Of an older name that holds both, such as "DPM++ 2M Karras"."""
        for scheduler in self.schedulers:
            for told in (scheduler.label, scheduler.name):
                if name.lower().endswith(f" {told.lower()}") and (sampler := self.sampler(name[: -len(told) - 1])):
                    return sampler, scheduler
        return None

    def controlnet(self, name: str) -> str | None:
        """The model's full name with its [hash], from that or from the bare name."""
        return next((full for full in self.controlnets if name in (full, full.split(" [")[0])), None)

    def module(self, name: str) -> str | None:
        """The preprocessor by the spelling that works here: "none" is "None" on some hosts, and a failing name on others."""
        return listed_module(name, self.modules)

    def identity(self, kind: FileKind, name: str) -> str | None:
        """What tells this file from another of the same name, or only its name where the backend knows no more. None: it is not here."""
        if kind == "checkpoint":
            found = self.checkpoint(name)
            return found and (found.hash or found.name)
        if kind == "lora":
            lora = self.lora(name)
            return lora and (lora.hash or lora.name)
        if kind == "controlnet":
            return self.controlnet(name)
        if kind == "embedding":
            return next((found.identity for found in self.embeddings if found.name == name), None)
        if kind == "network":
            return next((found.hash for found in self.networks if found.name == name), None)
        if kind == "style":
            return next((f"{found.prompt} / {found.negative_prompt}" for found in self.styles if found.name == name), None)
        if name not in (*self.named(kind), *NOTHING):
            return None
        vaes = {found.name: found.hash for found in self.vaes} if kind == "vae" else {}
        return vaes.get(name) or (self.upscaler_hashes.get(name) if kind == "upscaler" else "") or name

    def embeddings_in(self, prompt: str) -> tuple[str, ...]:
        """The names of the embeddings that a prompt may mean. Hosts look for them among its tokens, in which digits stand alone."""
        text = prompt.lower()
        return tuple(name for lower, name in self._embedding_names if lower in text and _stands_in(text, lower))

    @cached_property
    def _embedding_names(self) -> tuple[tuple[str, str], ...]:
        """In lower case and as they are: there may be thousands, and a prompt for each of ten thousand items."""
        return tuple((found.name.lower(), found.name) for found in self.embeddings)

    def named(self, kind: FileKind) -> tuple[str, ...]:
        """The names of the files of a kind, for lists and near misses."""
        if kind == "checkpoint":
            return tuple(found.name for found in self.checkpoints)
        if kind == "upscaler":
            return (*self.upscalers, *self.latent_modes)
        if kind == "controlnet":
            return tuple(full.split(" [")[0] for full in self.controlnets)
        files: dict[FileKind, Iterable[Lora | Vae | Embedding | Style | Network]] = {
            "lora": self.loras,
            "vae": self.vaes,
            "embedding": self.embeddings,
            "style": self.styles,
            "network": self.networks,
        }
        return tuple(found.name for found in files[kind])


def _stands_in(text: str, name: str) -> bool:
    """Whether the name stands there with no letter that goes on from it."""
    before, after = r"(?<![^\W\d_])" if name[:1].isalpha() else "", r"(?![^\W\d_])" if name[-1:].isalpha() else ""
    return bool(name) and re.search(f"{before}{re.escape(name)}{after}", text) is not None

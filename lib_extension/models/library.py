"""Which models lie in the user's folders, and which of them does a name mean?

A name is only ever compared with the names of files that were found, never joined to a path, so no name leads out of the folders.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lib_extension.formats.name_order import as_people_count
from lib_extension.models.hashes import Hashes, old_hash, stamp
from lib_extension.spec.errors import BadFile, NotFound, near_miss

DEMO = Path(__file__).parent / "demo"  # the bundled model
WEIGHTS = ".safetensors"
REFUSED = (".ckpt", ".pt", ".pth", ".bin")  # Pickles: listed, so that asking for one can say why it is refused.
_TITLE = re.compile(r"(.+?) ?\[([0-9a-fA-F]{8,64})\]")
_HASH = re.compile(r"[0-9a-fA-F]{8,64}")


@dataclass(frozen=True)
class Found:
    """A model file, or a diffusers folder. ``file`` is its path below the folder it was found in, with forward slashes."""

    path: Path
    file: str
    hashes: Hashes = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """As the WebUI's ``model_name``: the path without its ending, folders joined by underscores."""
        return self._without_ending.replace("/", "_")

    @property
    def stem(self) -> str:
        """The file's own name without its ending."""
        return self._without_ending.rsplit("/", 1)[-1]

    @property
    def title(self) -> str:
        """As the WebUI's: ``file [hash]``; without the hash until someone computed it, which takes seconds for a big file."""
        known = self.hashes.known(self.path)
        return f"{self.file} [{known[:10]}]" if known else self.file

    @property
    def control_title(self) -> str:
        """As sd-webui-controlnet lists a model."""
        return f"{self.stem} [{old_hash(self.path)}]"

    @property
    def stamp(self) -> tuple[str, int, int]:
        """Another one once the file has changed: path, size, and time in ns. Reads no content."""
        return (str(self.path), *stamp(self.path))

    @property
    def sha256(self) -> str:
        return self.hashes.sha256(self.path)

    @property
    def short_hash(self) -> str:
        """Ten digits of SHA-256, as in infotexts."""
        return self.sha256[:10]

    @property
    def _without_ending(self) -> str:
        return self.file if self.path.is_dir() else self.file.rsplit(".", 1)[0]


@dataclass(frozen=True)
class Folders:
    """Where each kind of model is looked for; folders that do not exist hold nothing. Subfolders are searched too."""

    checkpoints: tuple[Path, ...] = ()
    vaes: tuple[Path, ...] = ()
    loras: tuple[Path, ...] = ()
    controlnets: tuple[Path, ...] = ()
    embeddings: tuple[Path, ...] = ()
    upscalers: tuple[Path, ...] = ()

    @classmethod
    def below(cls, models: Path, lora: Path | None = None, controlnet: Path | None = None) -> Folders:
        """The WebUI's folders below its ``models`` folder, and further ones for LoRAs and ControlNets."""
        return cls(
            checkpoints=(models / "Stable-diffusion",),
            vaes=(models / "VAE",),
            loras=(*([lora] if lora else []), models / "Lora", models / "LyCORIS"),
            controlnets=(*([controlnet] if controlnet else []), models / "ControlNet"),
            embeddings=(models.parent / "embeddings", models / "embeddings"),
            upscalers=(models / "ESRGAN", models / "RealESRGAN"),
        )


class Library:
    """The models found at the last ``refresh()``, the first of which happens on making it. Lists are in order of name."""

    def __init__(
        self,
        models_dir: Path,
        lora_dir: Path | None = None,
        controlnet_dir: Path | None = None,
        *,
        extra_checkpoints: Sequence[Path] = (),
        extra_loras: Sequence[Path] = (),
        hashes: Hashes | None = None,
    ) -> None:
        """``extra_checkpoints`` are files or diffusers folders named one by one; they are listed first. ``extra_loras`` are folders."""
        folders = Folders.below(models_dir, lora_dir, controlnet_dir)
        self.folders = replace(folders, loras=(*folders.loras, *extra_loras))
        self._hashes = hashes or Hashes()
        self._extra = tuple(extra_checkpoints)
        self.refresh()

    def refresh(self) -> None:
        """Looks again into all folders."""
        models = self._search(self.folders.checkpoints)
        self._checkpoints = [Found(path, path.name, self._hashes) for path in self._extra]
        self._checkpoints += [found for found in models if not _is_vae(found)]
        self._vaes = [found for found in models if _is_vae(found)] + self._search(self.folders.vaes)
        self._loras = self._search(self.folders.loras)
        # A pipeline may be saved with the ControlNet that goes with it, which then has the pipeline's name.
        inside = [Found(found.path / "controlnet", found.file, self._hashes) for found in self._checkpoints]
        self._controlnets = [found for found in inside if is_diffusers_folder(found.path)] + self._search(self.folders.controlnets)
        self._embeddings = self._search(self.folders.embeddings)
        self._upscalers = self._search(self.folders.upscalers)

    def sha256(self, path: Path) -> str:
        """Of a file beside the models, remembered as theirs are."""
        return self._hashes.sha256(path)

    def checkpoints(self) -> list[Found]:
        return list(self._checkpoints)

    def vaes(self) -> list[Found]:
        return list(self._vaes)

    def loras(self) -> list[Found]:
        return list(self._loras)

    def controlnets(self) -> list[Found]:
        return list(self._controlnets)

    def embeddings(self) -> list[Found]:
        return list(self._embeddings)

    def upscalers(self) -> list[Found]:
        return list(self._upscalers)

    def checkpoint(self, name: str) -> Found:
        """By title, file, name, stem, or hash. Raises ``NotFound``, as the next three do."""
        return _named("checkpoint", name, self._checkpoints)

    def vae(self, name: str) -> Found:
        """By file name, as the WebUI lists VAEs, or as a checkpoint."""
        return _named("VAE", name, self._vaes)

    def lora(self, name: str) -> Found:
        """By the name written in ``<lora:name:1>``."""
        return _named("LoRA", name, self._loras)

    def controlnet(self, name: str) -> Found:
        """By title ("stem [hash]") or by name."""
        return _named("ControlNet model", name, self._controlnets)

    def _search(self, folders: Iterable[Path]) -> list[Found]:
        found = [Found(path, path.relative_to(folder).as_posix(), self._hashes) for folder in folders for path in _models_in(folder, set())]
        return sorted(found, key=lambda one: as_people_count(one.file))


def refuse_pickle(path: Path, what: str) -> None:
    """Raises ``BadFile`` for the endings whose files run code when they are read."""
    if path.suffix.lower() in REFUSED:
        raise BadFile(
            f'The {what} "{path.name}" is a pickle, which can run code when it is loaded, and is refused. '
            "Convert it to .safetensors (any WebUI's checkpoint merger saves in that format), or take a download in that format."
        )


def _named(what: str, name: str, among: Sequence[Found]) -> Found:
    """The one that ``name`` means. A hash behind the name must be right: another file under the old name is not what was meant."""
    wanted, digits = _split_title(name)
    for found in among:
        if wanted in (found.file, found.path.name, found.name, found.stem):
            if digits and not _has_hash(found, digits):
                raise NotFound(f'The {what} "{wanted}" is another file than asked for: its hash is {found.short_hash}, not {digits}.')
            return found
    if _HASH.fullmatch(name):
        for found in among:
            if _has_hash(found, name.lower()):
                return found
    known = [found.file for found in among] + [found.stem for found in among]
    hint = near_miss(wanted, known) or (f" There are: {', '.join(found.file for found in among[:10])}." if among else " There are none.")
    raise NotFound(f'There is no {what} "{name}".{hint}')


def _split_title(name: str) -> tuple[str, str | None]:
    match = _TITLE.fullmatch(name)
    return (match[1], match[2].lower()) if match else (name, None)


def _has_hash(found: Found, digits: str) -> bool:
    if found.path.suffix.lower() in REFUSED:
        return False
    return digits == old_hash(found.path) or found.sha256.startswith(digits)


def _models_in(folder: Path, seen: set[Path]) -> Iterator[Path]:
    """Weight files and diffusers folders, at any depth. Linked folders are followed, each once."""
    if not folder.is_dir() or folder.resolve() in seen:
        return
    seen.add(folder.resolve())
    for path in folder.iterdir():
        if path.is_dir():
            if is_diffusers_folder(path):
                yield path
            else:
                yield from _models_in(path, seen)
        elif path.suffix.lower() in (WEIGHTS, *REFUSED):
            yield path


def is_diffusers_folder(path: Path) -> bool:
    """A whole pipeline, or one network with its configuration."""
    return (path / "model_index.json").is_file() or ((path / "config.json").is_file() and any(path.glob(f"*{WEIGHTS}")))


def _is_vae(found: Found) -> bool:
    """The WebUI takes ``x.vae.safetensors`` beside a checkpoint for a VAE."""
    return found.path.stem.lower().endswith(".vae")

"""Which base model is meant, what of it is needed when, and how does only that get into memory?

First what encodes pictures and captions, if the caches lack anything; when that has left, the U-Net; the encoders again only where they
are trained or samples are to be drawn.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from lib_extension.models.checkpoint import Checkpoint, Placement, load_checkpoint
from lib_extension.models.hashes import Hashes
from lib_extension.models.library import DEMO, Found
from lib_extension.models.single_file import Left
from lib_extension.models.vae import load_vae
from lib_extension.spec.errors import Mismatch, NotFound
from lib_extension.spec.training.model import ModelSettings


@dataclass(frozen=True)
class BaseModel:
    """A base model on disk, and how it is to be loaded."""

    found: Found
    vae: Found | None
    settings: ModelSettings
    placement: Placement

    def load(self, leave_out: Collection[Left]) -> Checkpoint:
        """Its networks but for those that are left out. Mismatch where it is of another family than stated."""
        left: set[Left] = {*leave_out, *(("vae",) if self.vae is not None else ())}
        checkpoint = load_checkpoint(self.found, self.placement, left)
        check_family(self.settings, checkpoint.family, self.found.path.name)
        if self.vae is not None and "vae" not in leave_out:
            checkpoint.vae = load_vae(self.vae, checkpoint)
        return checkpoint


def find_base(settings: ModelSettings, placement: Placement, cache_folder: Path) -> BaseModel:
    """Where it lies. NotFound says which of its files is not there."""
    hashes = Hashes(cache_folder / "hashes.json")
    vae = _found(settings.vae, "VAE", hashes) if settings.vae else None
    return BaseModel(_found(settings.checkpoint, "checkpoint", hashes), vae, settings, placement)


def check_family(settings: ModelSettings, family: str, name: str) -> None:
    """Mismatch where the checkpoint is of another family than stated."""
    if settings.family not in ("auto", family):
        raise Mismatch(f'model.family is "{settings.family}", but "{name}" is a model of the family "{family}". Correct one of them.')


def path_of(name: str, what: str) -> Path:
    """A file or folder that is there; "demo" is the bundled model. NotFound."""
    path = DEMO if name == DEMO.name and what == "checkpoint" else Path(name).expanduser()
    if not path.exists():
        raise NotFound(f'There is no {what} "{name}". Name a .safetensors file or a diffusers folder by its path.')
    return path


def _found(name: str, what: str, hashes: Hashes) -> Found:
    path = path_of(name, what).resolve()
    return Found(path, path.name, hashes)

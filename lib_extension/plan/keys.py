"""What is a node's key? The hash of everything that its pictures depend on; equal keys are computed once.

What settings bring is hashed once for all nodes that share them; a node adds its seed, its sources and, where they show, its labels.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lib_extension.masks import weights as mask_weights
from lib_extension.plan.variables import Path, texts_in
from lib_extension.scores import weights as score_weights
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import from_json, to_json
from lib_extension.stages.stage import NOT_IN_KEYS, StageType

# The field that names a file → the kind of file.
_FILES = {
    "checkpoint": "checkpoint",
    "refiner_checkpoint": "checkpoint",
    "vae": "vae",
    "upscaler": "upscaler",
    "hr_checkpoint_name": "checkpoint",  # in hires
    "hr_upscaler": "upscaler",
    "sd_model_checkpoint": "checkpoint",  # in override_settings
    "sd_vae": "vae",
}
_FILES_IN_LISTS = {("loras", "name"): "lora", ("controlnet", "model"): "controlnet"}
_NETWORKS: Mapping[str, Callable[[Any], Iterator[str]]] = {  # field → the weights that what stands in it needs
    "mask": mask_weights.weights_in,
    "paste_back": mask_weights.weights_in,
    "scores": score_weights.weights_in,
}
_PROMPTS = ("prompt", "negative_prompt", "hr_prompt", "hr_negative_prompt")
_LORA_IN_PROMPT = re.compile(r"<(?:lora|lyco):([^:>]+)")
_NO_FILE = ("none", "automatic")
_OTHER = "another-name-than-any"

canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode  # one text for equal JSON, whatever the order of its names


@dataclass(frozen=True)
class Known:
    """What is known of the backends that a plan is for; as in Facts."""

    identity: Callable[[str, str], str]
    embeddings: Callable[[str], tuple[str, ...]]
    backend: str


NOTHING_KNOWN = Known(lambda kind, name: "", lambda prompt: (), "")


@dataclass(frozen=True)
class KeyField:
    """One field of a stage as it enters keys."""

    value: Any  # JSON, names of sources replaced by their position
    line: str  # the same as text
    files: tuple[tuple[str, str], ...]  # (kind, name) of those that it names
    prompts: tuple[str, ...]  # in which names of embeddings may stand


@dataclass(frozen=True, eq=False)
class Entered:
    """What of a stage's type and settings, of the files that they name and of the backend enters keys."""

    type: str
    version: int
    fields: Mapping[str, KeyField]
    files: Mapping[str, str]  # "kind:name" → identity
    backend: str | None
    digest: str

    @cached_property
    def flat(self) -> Mapping[str, Any]:
        """The same as dotted path → JSON value, to be compared and told."""
        settings = {name: field.value for name, field in self.fields.items()}
        whole = {"type": self.type, "version": self.version, "settings": settings, "backend": self.backend}
        return {**dict(flat(whole)), **{f"files.{name}": identity for name, identity in self.files.items()}}


def digest(text: str) -> str:
    """The sha256 of a text, in hex. Lone surrogates, which JSON can carry, have their own."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def key_field(name: str, value: Any, references: Mapping[Path, int]) -> KeyField:
    """A field by its name and JSON; `references` is where in the stage's JSON which of its references stands."""
    for path, position in references.items():
        if path[0] == name:
            value = _with(value, path[1:], {"source": position})
    networks = (("network", weights) for weights in _NETWORKS[name](value)) if name in _NETWORKS else ()
    files = dict.fromkeys([*files_of({name: value}), *networks])
    prompts = dict.fromkeys(_prompts_of({name: value}))
    return KeyField(value, f"{name}={canonical(value)}", tuple(files), tuple(prompts))


def key_fields(stage: Any, references: Mapping[Path, int]) -> dict[str, KeyField]:
    """Every field of a stage that enters its key."""
    kept = {name: value for name, value in sorted(to_json(stage).items()) if name not in NOT_IN_KEYS and name != "seed"}
    return {name: key_field(name, value, references) for name, value in kept.items()}


def enter(type: StageType, fields: Mapping[str, KeyField], known: Known | None) -> Entered:
    """All fields together, with the identity of every file; `known` is None for a stage that asks no backend."""
    files = _identified(fields.values(), known) if known else {}
    backend = known.backend if known else None
    lines = [f"{type.name} {type.version}", *(field.line for field in fields.values()), canonical(files), canonical(backend)]
    return Entered(type.name, type.version, fields, files, backend, digest("\n".join(lines)))


def node_key(settings: str, seed: int, taken: Sequence[str], others: Sequence[str], labels: Sequence[Mapping[str, Any]]) -> str:
    """The key of a node; `settings` is the digest of what is entered, `taken` and `others` are the sources' texts."""
    return digest(canonical([settings, seed, taken, others, labels]))


def files_of(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(kind, name) of every file that a stage's settings name; a checkpoint '' is the one in use."""
    for path, text in texts_in(settings):
        kind = _FILES.get(str(path[-1])) or (_FILES_IN_LISTS.get((str(path[-3]), str(path[-1]))) if len(path) > 2 else None)
        if kind and (text or path == ("checkpoint",)) and text.lower() not in _NO_FILE:
            yield kind, text
        if path[:1] == ("styles",):
            yield "style", text
        if "<l" in text:
            yield from (("lora", name) for name in _LORA_IN_PROMPT.findall(text))


def _prompts_of(settings: Mapping[str, Any]) -> Iterator[str]:
    yield from (text for path, text in texts_in(settings) if path[-1] in _PROMPTS and text)


def _identified(fields: Collection[KeyField], known: Known) -> dict[str, str]:
    """Every file's identity. A style is a text that the backend adds to the prompts, and may name further ones."""
    named = {file for field in fields for file in field.files}
    styles = [known.identity(kind, name) for kind, name in named if kind == "style"]
    named |= {("lora", name) for text in styles for name in _LORA_IN_PROMPT.findall(text)}
    prompts = [prompt for field in fields for prompt in field.prompts]
    named |= {("embedding", name) for prompt in (*prompts, *styles) for name in known.embeddings(prompt)}
    return {f"{kind}:{name}": known.identity(kind, name) for kind, name in sorted(named)}


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """A JSON value as (dotted path, value) of everything that holds nothing further."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from flat(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, (list, tuple)) and value:
        for index, inner in enumerate(value):
            yield from flat(inner, f"{path}.{index}")
    else:
        yield path, value


def reference_paths(stage: Any, references: Sequence[str], type: StageType) -> dict[Path, int]:
    """Where in a stage's JSON its references stand: path → position in `references`.

    A text equal to a reference may be one, or a prompt that happens to say the same. It is one when the references follow its change.
    """
    data = to_json(stage)
    texts = [(path, text) for path, text in texts_in(data) if text in references and path[0] not in NOT_IN_KEYS]
    return {path: references.index(text) for path, text in texts if _follows(type, _with(data, path, _OTHER))}


def _follows(type: StageType, data: Any) -> bool:
    try:
        return _OTHER in type.references(from_json(type.settings, data))
    except BadRequest:
        return False  # a field that takes no other name is none of a source


def _with(value: Any, path: Path, leaf: Any) -> Any:
    """The JSON value with another leaf at `path`."""
    if not path:
        return leaf
    if isinstance(value, dict):
        return {name: _with(inner, path[1:], leaf) if name == path[0] else inner for name, inner in value.items()}
    return [_with(inner, path[1:], leaf) if index == path[0] else inner for index, inner in enumerate(value)]

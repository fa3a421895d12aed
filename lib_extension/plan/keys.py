"""What is a node's key? The hash of everything that its pictures depend on; equal keys are computed once.

The settings are hashed once for all nodes that share them; a node adds its seed, its sources and, where they show, its labels.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lib_extension.plan.graph import Facts, Source
from lib_extension.plan.variables import texts_in
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import from_json, to_json
from lib_extension.stages.stage import NOT_IN_KEYS, StageType

Path = tuple[str | int, ...]

# The field that names a file → the kind of file. Other fields of these names are read as such too: at worst a key knows more than it must.
_FILES = {
    "checkpoint": "checkpoint",
    "refiner_checkpoint": "checkpoint",
    "hr_checkpoint_name": "checkpoint",
    "vae": "vae",
    "upscaler": "upscaler",
    "hr_upscaler": "upscaler",
    "sd_model_checkpoint": "checkpoint",  # in override_settings
    "sd_vae": "vae",
}
_IN_LISTS = {("loras", "name"): "lora", ("controlnet", "model"): "controlnet"}
_IN_PROMPTS = re.compile(r"<(?:lora|lyco):([^:>]+)")


def canonical(value: Any) -> str:
    """One text for equal JSON values, whatever the order of their names."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest(text: str) -> str:
    """The sha256 of a text, in hex. Lone surrogates, which JSON can carry, are kept apart."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def settings_in_key(type: StageType, stage: Any, references: Mapping[Path, int], facts: Facts) -> dict[str, Any]:
    """What of a stage's settings enters its key: names of sources by their position, and the identity of every file it names.

    `references` is where in the stage's JSON which reference stands.
    """
    settings = {name: value for name, value in to_json(stage).items() if name not in NOT_IN_KEYS and name != "seed"}
    for path, position in references.items():
        settings = _with(settings, path, {"source": position})
    entered: dict[str, Any] = {"type": type.name, "version": type.version, "settings": settings}
    if not type.local(stage):
        entered["files"] = {f"{kind}:{name}": facts.identities(kind, name) for kind, name in sorted(set(files_of(settings)))}
        entered["backend"] = facts.backend
    return entered


def files_of(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(kind, name) of every file that a stage's settings name; a checkpoint '' is the one in use."""
    for path, text in texts_in(settings):
        named = _FILES.get(str(path[-1])) or (_IN_LISTS.get((str(path[-3]), str(path[-1]))) if len(path) > 2 else None)
        if named and (text or path == ("checkpoint",)) and text.lower() not in ("none", "automatic"):
            yield named, text
        if "<l" in text:
            yield from (("lora", name) for name in _IN_PROMPTS.findall(text))


def node_key(settings: str, seed: int, taken: Sequence[Source], others: Sequence[Source], labels: Sequence[Mapping[str, Any]]) -> str:
    """The key of a node; `settings` is the digest of what its settings bring."""
    sources = [[f"{source.key}#{source.index}" for source in given] for given in (taken, others)]
    return digest(canonical([settings, seed, *sources, labels] if labels else [settings, seed, *sources]))


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """A JSON value as (dotted path, value) of everything that holds nothing further."""
    if isinstance(value, Mapping) and value:
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


_OTHER = "another-name-than-any"


def _with(value: Any, path: Path, leaf: Any) -> Any:
    """The JSON value with another leaf at `path`."""
    if not path:
        return leaf
    if isinstance(value, Mapping):
        return {name: _with(inner, path[1:], leaf) if name == path[0] else inner for name, inner in value.items()}
    return [_with(inner, path[1:], leaf) if index == path[0] else inner for index, inner in enumerate(value)]

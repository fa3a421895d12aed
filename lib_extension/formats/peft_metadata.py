"""By how much is a LoRA scaled, where diffusers and peft wrote that into the file's metadata and not into tensors?"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from math import sqrt
from typing import Any

from lib_extension.spec.errors import BadFile

KEY = "lora_adapter_metadata"


def scale_of(path: str, metadata: Mapping[str, str]) -> float | None:
    """alpha / rank (with rsLoRA, arXiv:2312.03732, alpha / √rank) of the module `path`, "unet.…"; None where nothing is said."""
    if KEY not in metadata:
        return None
    said = _parse(metadata[KEY])
    network, _, module = path.partition(".")
    rank = _by_pattern(said.get(f"{network}.rank_pattern"), module, said.get(f"{network}.r"))
    alpha = _by_pattern(said.get(f"{network}.alpha_pattern"), module, said.get(f"{network}.lora_alpha", said.get(f"{network}.alpha")))
    if rank is None or alpha is None:
        return None
    if not (_is_number(rank) and _is_number(alpha) and rank > 0):
        raise BadFile(f"The LoRA's metadata gives rank {rank!r} and alpha {alpha!r}; both must be numbers, and the rank over 0.")
    return alpha / (sqrt(rank) if said.get(f"{network}.use_rslora") else rank)


@lru_cache(maxsize=8)  # one file's metadata is asked for once a module
def _parse(text: str) -> dict[str, Any]:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise BadFile(f'The LoRA\'s metadata "{KEY}" is not JSON.') from problem
    if not isinstance(said, dict):
        raise BadFile(f'The LoRA\'s metadata "{KEY}" is not a table.')
    return said


def _by_pattern(patterns: Any, module: str, default: Any) -> Any:
    """peft's rule: a pattern counts where it is the module's path, or the end of it. A file's own regular expressions are not run."""
    for pattern, value in patterns.items() if isinstance(patterns, dict) else ():
        path = pattern.removeprefix("^").removesuffix("$").replace("\\.", ".")
        if not re.fullmatch(r"[\w.]+", path):
            raise BadFile(f"The LoRA's metadata has the pattern {pattern!r}; only a module's path can be used there.")
        if module == path or module.endswith("." + path):
            return value
    return default


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e9  # refuses NaN too

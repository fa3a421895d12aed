"""How does a captioner of transformers get from a folder, or from the hub's cache, to its device?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from lib_extension.spec.errors import BadFile, NotFound


def load_both(model_class: Any, processor_class: Any, name: str, device: str) -> tuple[Any, Any]:
    """(model, processor). Weights are read from safetensors only. In half precision on a GPU, in full on a processor.

    Raises NotFound where there is no such folder and nothing in the cache, BadFile for a folder with another model in it.
    """
    where = Path(name).expanduser()
    if _is_path(name) and not where.is_dir():
        raise NotFound(f'There is no folder "{name}" with a captioning model. Download it from the hub, and name its folder.')
    source = str(where) if where.is_dir() else name
    dtype = torch.float32 if device == "cpu" else torch.float16
    try:
        processor = processor_class.from_pretrained(source)
        model = model_class.from_pretrained(source, dtype=dtype, use_safetensors=True)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as problem:
        raise _explained(problem, name, where.is_dir()) from problem
    return model.to(device).eval(), processor


def _is_path(name: str) -> bool:
    """A name on the hub is `owner/name`, or `name`; anything else with a separator means a folder."""
    return name.startswith(("/", ".", "~", "\\")) or name.count("/") > 1 or "\\" in name or (len(name) > 1 and name[1] == ":")


def _explained(problem: Exception, name: str, there: bool) -> NotFound | BadFile:
    first = (str(problem).strip().splitlines() or [""])[0][:200]
    if there:
        return BadFile(f'The folder "{name}" holds no such captioning model: {first}')
    offline = " HF_HUB_OFFLINE=0 in the environment lets it be fetched from the hub." if os.environ.get("HF_HUB_OFFLINE") == "1" else ""
    return NotFound(f'The captioning model "{name}" is not on this machine.{offline} Or download it, and name its folder. ({first})')

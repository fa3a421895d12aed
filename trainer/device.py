"""On which device, in which precision and in how many processes does a training run? Accelerate carries all three."""

from __future__ import annotations

import os
from datetime import timedelta

import torch
import torch.distributed
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import InitProcessGroupKwargs

from lib_extension.models.checkpoint import Placement
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.training.memory import MemorySettings

_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
_PATIENCE = timedelta(days=7)  # a paused run keeps its other processes waiting


def make_accelerator(settings: MemorySettings) -> Accelerator:
    """Accelerate for this process. BadRequest where the device is not there or cannot compute so."""
    name = device_name(settings)
    precision = trained_in(settings, name)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    if ":" in name:  # of several, accelerate takes the first, or the one that is this process's by its number
        os.environ["ACCELERATE_TORCH_DEVICE"] = name
    AcceleratorState._reset_state()  # one that trained before in this process may have had another precision
    return Accelerator(
        cpu=name == "cpu",
        mixed_precision="no" if precision == "fp32" else precision,
        kwargs_handlers=[InitProcessGroupKwargs(timeout=_PATIENCE)],
    )


def check_processes(settings: MemorySettings, count: int) -> None:
    """BadRequest for what one process would do without the others that train with it."""
    if settings.auto_memory and count > 1:
        raise BadRequest(
            f"memory.auto_memory is on, which only one process can do, and {count} train together. Leave it out, and save memory "
            "beforehand by memory.gradient_checkpointing or memory.parts."
        )


def in_any(accelerator: Accelerator, so: bool) -> bool:
    """Whether it is so in any of the processes that train together; each waits for all."""
    if accelerator.num_processes == 1:
        return so
    told = torch.tensor(float(so), device=accelerator.device)
    torch.distributed.all_reduce(told)
    return told.item() > 0


def device_name(settings: MemorySettings) -> str:
    """What "auto" is here; BadRequest for a device that is not there."""
    there = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    if settings.device == "auto":
        return there.type if there else "cpu"
    try:
        wanted = torch.device(settings.device)
    except RuntimeError as error:
        raise BadRequest(f'memory.device is "{settings.device}", which is none. Use auto, cpu, cuda or cuda:1.') from error
    if wanted.type != "cpu" and (there is None or there.type != wanted.type or (wanted.index or 0) >= torch.accelerator.device_count()):
        raise BadRequest(f'memory.device is "{settings.device}", which is not in this machine{_instead(there)}')
    return settings.device


def precision_of(settings: MemorySettings, device: str) -> str:
    """What "auto" is on a device."""
    if settings.precision != "auto":
        return settings.precision
    if device == "cpu":
        return "fp32"
    if device.startswith("cuda"):
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    return "bf16"


def trained_in(settings: MemorySettings, device: str) -> str:
    """The same, where the device trains in it: BadRequest for fp16 where its loss cannot be scaled."""
    precision = precision_of(settings, device)
    if precision == "fp16" and not device.startswith(("cuda", "mps", "xpu")):
        raise BadRequest(f"memory.precision is fp16, which {device} does not train in. Use bf16 or fp32.")
    return precision


def placement(accelerator: Accelerator, settings: MemorySettings) -> Placement:
    """Where and how the base model is held. It is compiled, if at all, once the network is on it."""
    precision = precision_of(settings, accelerator.device.type)
    return Placement(accelerator.device, _DTYPES[precision], settings.attention)


def _instead(there: torch.device | None) -> str:
    return f"; there is {there.type}." if there else "; it has no GPU that this torch can use. Use cpu, or install a torch for the GPU."

"""What is asked of a training? TrainingConfig, whose parts stand in one file each."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import Settings, field
from lib_extension.spec.training.data import DataSettings
from lib_extension.spec.training.evaluation import EvaluationSettings
from lib_extension.spec.training.loss import LossSettings
from lib_extension.spec.training.memory import MemorySettings
from lib_extension.spec.training.model import ModelSettings
from lib_extension.spec.training.network import NetworkSettings
from lib_extension.spec.training.optimizer import OptimizerSettings, ScheduleSettings
from lib_extension.spec.training.output import OutputSettings
from lib_extension.spec.training.run import RunSettings

_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")  # names that Windows keeps for devices
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(Settings):
    """Everything that a training was told: the same configuration trains the same LoRA."""

    name: str = field(label="Name", help="Of the LoRA: what stands in <lora:name:1>, and the name of the run's folder.")
    model: ModelSettings = field(label="Base model")
    data: DataSettings = field(label="Pictures and captions")
    network: NetworkSettings = field(NetworkSettings(), label="Network")
    optimizer: OptimizerSettings = field(OptimizerSettings(), label="Optimizer")
    schedule: ScheduleSettings = field(ScheduleSettings(), label="Learning rate over the run")
    loss: LossSettings = field(LossSettings(), label="Loss")
    memory: MemorySettings = field(MemorySettings(), label="Memory and speed")
    run: RunSettings = field(RunSettings(), label="Run")
    evaluation: EvaluationSettings = field(EvaluationSettings(), label="Comparison of the saves")
    output: OutputSettings = field(OutputSettings(), label="Output")

    def check(self) -> None:
        """What no part can know alone."""
        check_name(self.name)
        for place, block in enumerate(self.network.blocks):
            if self.optimizer.optimizer == "Prodigy" and block.rate != 1:
                told = f"network.blocks[{place}].rate is {block.rate:g}, but Prodigy finds one rate for all."
                raise BadRequest(f"{told} Leave it at 1, or take another optimizer.")


def check_name(name: str) -> None:
    """BadRequest where the name of a LoRA cannot be a file's on every system, or could lead out of its folder."""
    if not name.strip() or name != name.strip() or len(name) > 100:
        raise BadRequest(f"name is {name[:60]!r}; it must have 1 to 100 characters and neither begin nor end with a space.")
    if found := _FORBIDDEN.search(name):
        raise BadRequest(f"name has {found[0]!r} in it, which no file's name may have. Letters, digits, - and _ are safe.")
    if name.startswith(".") or name.endswith(".") or _RESERVED.fullmatch(name):
        raise BadRequest(f'name is "{name}", which is no name for a file on every system. Choose another.')

"""Are LoRAs whose change is no product of matrices refused by name, and is said what to do with them?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from lib_extension.spec.errors import BadFile
from tests.trainer.merging.loras import MODULES, Told
from trainer.merging import bake, convert, merge, resize

MODULE = next(iter(MODULES))
FILES = {
    "OFT": {"oft_blocks": torch.zeros(4, 8, 8), "alpha": torch.tensor(1.0)},
    "GLoRA": {f"{name}.weight": torch.zeros(4, 32) for name in ("a1", "a2", "b1", "b2")},
    "(IA)³": {"weight": torch.zeros(32, 1), "on_input": torch.tensor(0.0)},
}


def baking(file: Path, checkpoint: Path) -> list[str]:
    return [str(checkpoint), str(file)]


def alone(file: Path, checkpoint: Path) -> list[str]:
    return [str(file)]


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize(
    ("run", "arguments", "done", "more"),
    [
        (merge.run, alone, "merged", []),
        (bake.run, baking, "baked", []),
        (resize.run, alone, "resized", []),
        (convert.run, alone, "converted", ["--type", "lora"]),
    ],
)
def test_other_types_are_refused(
    run: Callable[[list[str], Told], int],
    arguments: Callable[[Path, Path], list[str]],
    done: str,
    more: list[str],
    kind: str,
    sd1_file: Path,
    tmp_path: Path,
) -> None:
    file = tmp_path / "strange.safetensors"
    save_file({f"{MODULE}.{part}": tensor for part, tensor in FILES[kind].items()}, file)
    with pytest.raises(BadFile) as refused:
        run([*arguments(file, sd1_file), *more, "--output.folder", str(tmp_path / "out")], Told())
    assert str(refused.value) == (
        f'"strange" is of the type {kind}; LoRA, LoCon, LoHa, LoKr, DoRA and full differences can be {done}. '
        "Name it in the prompt, beside the result, as <lora:strange:1>."
    )
    assert not list((tmp_path / "out").glob("*.safetensors"))

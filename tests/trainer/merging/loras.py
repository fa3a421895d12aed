"""Makes LoRAs of every type for the tiny models, and says what the WebUI computes from them."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from trainer.report import Report

Tensors = dict[str, Tensor]

# Modules of the tiny SD1 model: (out, in, *kernel)
MODULES: dict[str, tuple[int, ...]] = {
    "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q": (32, 32),
    "lora_unet_up_blocks_3_attentions_2_transformer_blocks_0_attn2_to_k": (32, 32),
    "lora_unet_mid_block_resnets_0_conv1": (64, 64, 3, 3),
    "lora_unet_down_blocks_1_attentions_0_proj_in": (32, 32, 1, 1),
    "lora_te_text_model_encoder_layers_1_mlp_fc1": (128, 32),
}
TYPES = ("lora", "loha", "lokr", "full", "dora")


def parts(kind: str, shape: tuple[int, ...], rank: int, alpha: float, generator: torch.Generator, *, size: float = 0.3) -> Tensors:
    """A module's tensors under the names that kohya's trainer and LyCORIS give them."""
    out, into, *kernel = shape

    def random(*sizes: int) -> Tensor:
        return torch.randn(*sizes, generator=generator) * size

    inner = into * (kernel[0] * kernel[1] if kernel else 1)
    if kind in ("lora", "dora"):
        found = {"lora_down.weight": random(rank, into, *kernel), "lora_up.weight": random(out, rank, *(1 for _ in kernel))}
        if kind == "dora":
            found["dora_scale"] = random(1, into, *(1 for _ in kernel)).abs() + 1
    elif kind == "loha":
        found = {f"hada_w{n}_{part}": sizes for n in (1, 2) for part, sizes in (("a", random(out, rank)), ("b", random(rank, inner)))}
    elif kind == "lokr":
        found = {"lokr_w1": random(4, 4), "lokr_w2_a": random(out // 4, rank), "lokr_w2_b": random(rank, inner // 4)}
    else:
        return {"diff": random(*shape) * 0.1}
    return {**found, "alpha": torch.tensor(alpha)}


def lora(file: Path, kind: str = "lora", *, rank: int = 4, alpha: float = 2.0, seed: int = 2, dtype: torch.dtype = torch.float32) -> Path:
    """A file of one type, or "mixed": of all but DoRA."""
    generator = torch.Generator().manual_seed(seed)
    tensors: Tensors = {}
    for number, (module, shape) in enumerate(MODULES.items()):
        of_module = TYPES[number % 4] if kind == "mixed" else kind
        of = parts(of_module, shape, rank, alpha, generator)
        tensors |= {f"{module}.{part}": tensor.to(dtype).contiguous() for part, tensor in of.items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, file)
    return file


def webui_name(module: str) -> str:
    """ldm's name of a module as the WebUI finds it (1.10.1's convert_diffusers_name_to_compvis), as in an SD1 checkpoint's tensors."""
    inside = {"conv1": "in_layers_2", "conv2": "out_layers_3", "time_emb_proj": "emb_layers_1", "conv_shortcut": "skip_connection"}
    if found := re.match(r"lora_unet_down_blocks_(\d+)_(attentions|resnets)_(\d+)_(.+)", module):
        place, kind, rest = 1 + int(found[1]) * 3 + int(found[3]), int(found[2] == "attentions"), found[4]
        return f"model_diffusion_model_input_blocks_{place}_{kind}_{inside.get(rest, rest) if not kind else rest}"
    if found := re.match(r"lora_unet_mid_block_(attentions|resnets)_(\d+)_(.+)", module):
        place = 1 if found[1] == "attentions" else int(found[2]) * 2
        return f"model_diffusion_model_middle_block_{place}_{inside.get(found[3], found[3]) if found[1] == 'resnets' else found[3]}"
    if found := re.match(r"lora_unet_up_blocks_(\d+)_(attentions|resnets)_(\d+)_(.+)", module):
        place, kind, rest = int(found[1]) * 3 + int(found[3]), int(found[2] == "attentions"), found[4]
        return f"model_diffusion_model_output_blocks_{place}_{kind}_{inside.get(rest, rest) if not kind else rest}"
    found = re.match(r"lora_te_(text_model_encoder_layers_.+)", module)
    assert found, module
    return f"cond_stage_model_transformer_{found[1]}"


def webui_weights(checkpoint: Path, uses: list[tuple[Path, float]]) -> Tensors:
    """An SD1 checkpoint's tensors as the WebUI changes them (network.py, network_lora.py and its like), in float32."""
    weights = {name: tensor.float() for name, tensor in load_file(checkpoint).items()}
    by_flat_name = {name.removesuffix(".weight").replace(".", "_"): name for name in weights if name.endswith(".weight")}
    for file, multiplier in uses:
        tensors = {name: tensor.float() for name, tensor in load_file(file).items()}
        for module in sorted({name.partition(".")[0] for name in tensors}):
            of = {name.partition(".")[2]: tensor for name, tensor in tensors.items() if name.startswith(module + ".")}
            name = by_flat_name[webui_name(module)]
            weights[name] = weights[name] + multiplier * webui_updown(of, weights[name])
    return weights


def webui_updown(of: Tensors, weight: Tensor) -> Tensor:
    """calc_updown and finalize_updown, without the multiplier."""
    dim: int | None = None
    if "lora_up.weight" in of:
        dim = of["lora_down.weight"].shape[0]
        updown = of["lora_up.weight"].reshape(weight.shape[0], -1) @ of["lora_down.weight"].reshape(dim, -1)
    elif "hada_w1_a" in of:
        dim = of["hada_w1_b"].shape[0]
        updown = (of["hada_w1_a"] @ of["hada_w1_b"]) * (of["hada_w2_a"] @ of["hada_w2_b"])
    elif "lokr_w1" in of:
        dim = of["lokr_w2_b"].shape[0]
        updown = torch.kron(of["lokr_w1"], of["lokr_w2_a"] @ of["lokr_w2_b"])
    else:
        updown = of["diff"]
    updown = updown.reshape(weight.shape)
    updown = updown * (of["alpha"].item() / dim if dim and "alpha" in of else 1.0)
    if "dora_scale" in of:
        merged = updown + weight
        norms = merged.transpose(0, 1).reshape(merged.shape[1], -1).norm(dim=1).reshape(1, -1, *(1 for _ in weight.shape[2:]))
        updown = merged * (of["dora_scale"] / norms) - weight
    return updown


class Told(Report):
    """Keeps events instead of writing them."""

    def __init__(self) -> None:
        super().__init__(None)
        self.events: list[dict[str, object]] = []

    def _tell(self, event: dict[str, object], again: bool = False) -> None:
        self.events.append(event)

    def result(self) -> Path:
        """The file that was written."""
        (found,) = [event["file"] for event in self.events if event["event"] == "result"]
        return Path(str(found))

    def error(self, detail: str = "", kind: str = "") -> float:  # pyright: ignore[reportIncompatibleMethodOverride]
        """What was told of what is lost."""
        (found,) = [event["error"] for event in self.events if event["event"] == "result"]
        assert isinstance(found, float)
        return found

    def warnings(self) -> list[str]:
        """All of them."""
        return [str(event["text"]) for event in self.events if event["event"] == "warning"]

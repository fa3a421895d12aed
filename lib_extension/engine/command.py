"""Which words does the engine's command line know?"""

from __future__ import annotations

import argparse
from pathlib import Path

DEVICES = ("auto", "cpu", "cuda", "mps")


def command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lib_extension.engine", description="Serves the /sdapi/v1 routes over diffusers.")
    add = parser.add_argument
    add("--model", metavar="PATH|HUB-ID|NAME|demo|none", help="loaded at the start; else the first of --models-dir, or the demo model")
    add("--host", default="127.0.0.1", help="address to listen at; another than this machine's own needs --api-auth")
    add("--port", type=int, default=7870, help="0 takes any free one (default: %(default)s)")
    add("--device", choices=DEVICES, default="auto")
    add("--dtype", choices=("auto", "fp32", "fp16", "bf16"), default="auto", help="auto: fp32 on a CPU, fp16 on a GPU")
    add("--models-dir", type=Path, metavar="DIR", help="a folder as the WebUI's models: Stable-diffusion, VAE, Lora, ControlNet, ESRGAN")
    add("--lora-dir", type=Path, metavar="DIR", help="a further folder of LoRAs")
    add("--controlnet-dir", type=Path, metavar="DIR", help="a further folder of ControlNets")
    add("--outputs-dir", type=Path, default=Path("outputs"), metavar="DIR", help="where save_images writes (default: %(default)s)")
    add("--api-auth", metavar="USER:PASSWORD[,...]", help="who may ask; HTTP Basic")
    add("--lenient", action="store_true", help="let pass what the WebUI lets pass; by default it is refused")
    add("--xformers", action="store_true", help="attention of xFormers; tried with a real step before the engine is ready")
    add("--compile", action="store_true", help="torch.compile; tried with a real step before the engine is ready")
    add("--parent-pid", type=int, metavar="PID", help="end when this process ends")
    return parser


def is_hub_id(model: str | None) -> bool:
    """owner/name that is no file here."""
    return model is not None and not Path(model).exists() and len(model.split("/")) == 2 and all(model.split("/")) and "." not in model[:1]

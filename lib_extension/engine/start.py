"""How does the engine come up? Models found, the first one loaded, and only then the port opened."""

from __future__ import annotations

import argparse
import os
import socket
import sys
import threading
from pathlib import Path

import torch
import uvicorn

from lib_extension.engine.annotators import Annotators
from lib_extension.engine.app import make_app
from lib_extension.engine.command import is_hub_id
from lib_extension.engine.engine import Engine
from lib_extension.engine.guard import LOOPBACK
from lib_extension.engine.judges import Judges
from lib_extension.engine.options import Options
from lib_extension.engine.parent import when_gone
from lib_extension.engine.queue import Queue
from lib_extension.engine.server import Server, Serving
from lib_extension.engine.txt2img import txt2img
from lib_extension.models.checkpoint import Placement
from lib_extension.models.hashes import Hashes, hash_file
from lib_extension.models.library import DEMO, Library
from lib_extension.spec.errors import AtelierError, BadRequest, NotFound
from lib_extension.spec.sdapi import Txt2Img

NO_MODELS = Path("models")
DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
STOP_SECONDS = 3
KEEP_ALIVE_SECONDS = 30  # As the WebUI. uvicorn's 5 cut off clients that think for a while between two calls.
END_SECONDS = 10


def serve(asked: argparse.Namespace) -> int:
    """Runs until it is told to stop. Raises AtelierError where it cannot start."""
    credentials = read_credentials(asked.api_auth)
    check_address(asked.host, credentials)
    listening = listen(asked.host, asked.port)
    port = listening.getsockname()[1]
    server = make_server(asked, port, credentials)
    name = load_first(server, tried=asked.xformers or asked.compile)
    config = uvicorn.Config(
        make_app(server), log_level="warning", timeout_graceful_shutdown=STOP_SECONDS, timeout_keep_alive=KEEP_ALIVE_SECONDS
    )
    web = uvicorn.Server(config)
    if asked.parent_pid is not None:
        when_gone(asked.parent_pid, lambda: end(web))
    where = f"[{asked.host}]" if ":" in asked.host else asked.host
    listening.listen()  # From now on callers wait instead of being refused: who reads the next line may call at once.
    sys.stdout.write(f"Atelier engine on http://{where}:{port} (model {name})\n")
    sys.stdout.flush()
    web.run(sockets=[listening])
    server.engine.close()
    return 0


def read_credentials(text: str | None) -> tuple[str, ...]:
    credentials = tuple(part.strip() for part in (text or "").split(",") if part.strip())
    if text is not None and (not credentials or any(":" not in each for each in credentials)):
        raise BadRequest("--api-auth must be USER:PASSWORD, or several of them with commas between.")
    return credentials


def check_address(host: str, credentials: tuple[str, ...]) -> None:
    """Whoever reaches the engine can use this machine's GPU and read its model lists."""
    if host not in LOOPBACK and not credentials:
        raise BadRequest(f"--host {host} opens the engine to other machines. Add --api-auth USER:PASSWORD, or leave --host away.")


def listen(host: str, port: int) -> socket.socket:
    """A bound socket, taken before the slow work, so that a taken port is told at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named for asyncio, which sends at once (TCP_NODELAY) only over sockets that name it: else each answer takes 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name != "nt":  # On Windows this option would let two engines share one port.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        listening.close()
        raise BadRequest(
            f"Port {port} at {host} cannot be opened ({error}). Is another engine or WebUI there? Choose another --port."
        ) from error
    return listening


def make_server(asked: argparse.Namespace, port: int, credentials: tuple[str, ...]) -> Server:
    options = Options(lenient=asked.lenient)
    library = find_models(asked)
    options.change({"sd_model_checkpoint": first_choice(asked, library)})
    models = asked.models_dir or NO_MODELS
    judges = Judges(DEMO, models)
    engine = Engine(library, options, place(asked), Annotators(judges, weights=models / "annotators"), lenient=asked.lenient)
    serving = Serving(asked.lenient, asked.host, port, credentials, asked.outputs_dir, flags(asked, port))
    return Server(engine, options, library, judges, serving, Queue(failed_stays_active=asked.lenient))


def find_models(asked: argparse.Namespace) -> Library:
    for folder in (asked.models_dir, asked.lora_dir, asked.controlnet_dir):
        if folder is not None and not folder.is_dir():
            raise NotFound(f"There is no folder {folder}.")
    # Not beside one's own models: its ControlNet fits none of them.
    wanted = asked.model == "demo" or (asked.model is None and asked.models_dir is None)
    demo = [DEMO] if wanted and (DEMO / "model_index.json").is_file() else []
    named = [] if asked.model in (None, "demo", "none") else [model_path(asked.model)]
    extra = [path for path in (*named, *demo) if path is not None]
    models = asked.models_dir or NO_MODELS
    return Library(
        models,
        asked.lora_dir,
        asked.controlnet_dir,
        extra_checkpoints=extra,
        extra_loras=[path / "loras" for path in demo],
        hashes=Hashes(hash_file()),
    )


def model_path(model: str) -> Path | None:
    """The file or folder that `--model` means; None for a name, which the library knows."""
    if Path(model).exists():
        return Path(model).resolve()
    if not is_hub_id(model):
        return None
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(model, allow_patterns=["*.json", "*.txt", "*.safetensors"]))
    except Exception as error:
        raise NotFound(f'The model "{model}" is no file here and could not be fetched from the hub: {error}') from error


def first_choice(asked: argparse.Namespace, library: Library) -> str:
    """The title of the checkpoint to start with, or '' for none."""
    if asked.model == "none":
        return ""
    if asked.model == "demo":
        if not (DEMO / "model_index.json").is_file():
            raise NotFound("The demo model is not here: lib_extension/models/demo holds no model_index.json. Is the clone complete?")
        return library.checkpoint(DEMO.name).title
    if asked.model is not None:
        path = model_path(asked.model)
        return library.checkpoint(path.name if path else asked.model).title
    chosen = next(iter(library.checkpoints()), None)
    return chosen.title if chosen else ""


def place(asked: argparse.Namespace) -> Placement:
    device = asked.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not available[device]:
        raise BadRequest(f"--device {device}: this torch finds no such device here. Use --device cpu, or install a torch built for it.")
    dtype = DTYPES.get(asked.dtype) or (torch.float32 if device == "cpu" else torch.float16)
    return Placement(torch.device(device), dtype, "xformers" if asked.xformers else "sdpa", asked.compile)


def load_first(server: Server, *, tried: bool) -> str:
    """Loads the chosen checkpoint and returns its title. `tried` makes one small picture, for options that fail only at a step."""
    if not server.options["sd_model_checkpoint"]:
        return "none"
    title = server.engine.checkpoint().found.title
    server.options.change({"sd_model_checkpoint": title})
    if tried:
        try:
            txt2img(server.engine, Txt2Img(prompt="a test", steps=1, width=64, height=64, seed=1, sampler_name="Euler"))
        except AtelierError:
            raise
        except Exception as error:
            raise BadRequest(f"A first step with --xformers or --compile failed, so leave the option away: {error}") from error
    return title


def flags(asked: argparse.Namespace, port: int) -> dict[str, object]:
    """The WebUI's flags that are other than its defaults; never the credentials."""
    return {
        "port": str(port),
        "server_name": asked.host,
        "listen": asked.host not in LOOPBACK,
        "xformers": asked.xformers,
        "use_cpu": ["all"] if asked.device == "cpu" else [],
    }


def end(web: uvicorn.Server) -> None:
    """Stops serving; a step that does not end is not waited for."""
    web.should_exit = True
    timer = threading.Timer(END_SECONDS, os._exit, (0,))
    timer.daemon = True
    timer.start()

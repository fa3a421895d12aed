"""A backend that answers at once, over real HTTP: it speaks the engine's routes, and draws deterministic pictures from the request.

    python -m tests.runs.stub_backend --log calls.log [--delay 0.1] [--checkpoints first,second]

prints its address. Every call that makes something is a line of the log, so calls are counted whoever was killed meanwhile. POST /stub
changes how it behaves: {"delay": 1, "break": 2, "cut": 1} waits, answers 500 twice, cuts the connection once.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from PIL import Image

from lib_extension.pictures.png import encode_png

CALLS = ("/sdapi/v1/txt2img", "/sdapi/v1/img2img", "/sdapi/v1/extra-single-image", "/controlnet/detect", "/atelier-engine/v1/mask")


class Stub:
    """The server's state; `url` once it listens."""

    def __init__(
        self, log: Path | None = None, delay: float = 0.0, checkpoints: tuple[str, ...] = ("first", "second"), port: int = 0
    ) -> None:
        self.delay = delay
        self.checkpoints = checkpoints
        self.behaviour: dict[str, int] = {}
        self.calls: list[tuple[str, str]] = []  # (route, digest of what makes the picture)
        self.bodies: list[dict[str, Any]] = []
        self.most_at_once = 0
        self.interrupts = 0
        self.refreshes_wait = False  # for their turn, as at a WebUI
        self.preview = ""  # data URL of what is being drawn
        self.padding = 0  # bytes that every picture is longer by
        self.embeddings: dict[str, str] = {}  # name to hash
        self.styles: dict[str, str] = {}  # name to prompt
        self.networks = {"parts/parts": "0123456789ab"}
        self._at_once = 0
        self._log = log
        self._guard = threading.Lock()
        self._interrupted = threading.Event()
        self._running = ""  # task id
        self._turn = threading.Lock()  # one generation at a time, as everywhere
        self._server = ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (_Handler,), {"stub": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def serve(self) -> None:
        """Answer until `stop`."""
        self._server.serve_forever(poll_interval=0.02)

    def stop(self) -> None:
        """Take no more connections."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, body: dict[str, Any]) -> Any:
        """The JSON that answers a request; None for a route that is not there."""
        if path in CALLS:
            return self._made(path, body)
        if path == "/stub":
            self.delay = float(body.pop("delay", self.delay))
            self.behaviour |= body
            return {}
        if path == "/internal/progress":
            told = {"active": body["id_task"] == self._running, "queued": False, "completed": False, "progress": 0.5}
            return told | ({"live_preview": self.preview} if body["live_preview"] else {})
        if path == "/sdapi/v1/interrupt":
            self.interrupts += 1
            self._interrupted.set()
            return {}
        if path == "/atelier-engine/v1/hashes":
            checkpoints = {name: _digest(name)[:10] for name in body["checkpoints"]}
            return {"checkpoints": checkpoints, "loras": {}, "embeddings": {name: self.embeddings[name] for name in body["embeddings"]}}
        if path.startswith("/sdapi/v1/refresh-"):
            with self._turn if self.refreshes_wait else nullcontext():
                return {}
        return self._lists().get(path)

    def _made(self, path: str, body: dict[str, Any]) -> Any:
        task = body.pop("force_task_id", "")
        digest = _digest(json.dumps([path, body], sort_keys=True))
        with self._guard:
            self.calls.append((path, digest))
            self.bodies.append(body)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            if self._log is not None:
                with self._log.open("a") as file:
                    file.write(f"{path} {digest}\n")
        try:
            with self._turn:
                self._running = task
                self._interrupted.clear()
                cut_short = self._interrupted.wait(self.delay) if self.delay else False
                return _pictures(path, body, digest, self.checkpoints, cut_short, self.padding)
        finally:
            self._running = ""
            with self._guard:
                self._at_once -= 1

    def _lists(self) -> dict[str, Any]:
        models = [
            {"title": name, "model_name": name, "hash": _digest(name)[:10], "sha256": _digest(name), "filename": name}
            for name in self.checkpoints
        ]
        return {
            "/atelier-engine/v1/identity": {"software": "atelier-engine", "version": "stub", "device": "cpu", "precision": "fp32"},
            "/atelier-engine/v1/mask-networks": self.networks,
            "/sdapi/v1/options": {"sd_model_checkpoint": self.checkpoints[0], "samples_format": "png"},
            "/sdapi/v1/scripts": {"txt2img": ["controlnet"], "img2img": ["controlnet"]},
            "/sdapi/v1/sd-models": models,
            "/sdapi/v1/samplers": [
                {"name": "Euler", "aliases": ["euler"], "options": {}},
                {"name": "Euler a", "aliases": [], "options": {}},
            ],
            "/sdapi/v1/schedulers": [
                {"name": "karras", "label": "Karras", "aliases": []},
                {"name": "automatic", "label": "Automatic", "aliases": []},
            ],
            "/sdapi/v1/upscalers": [{"name": "None"}, {"name": "Lanczos"}],
            "/sdapi/v1/latent-upscale-modes": [],
            "/sdapi/v1/loras": [],
            "/sdapi/v1/sd-vae": [],
            "/sdapi/v1/embeddings": {"loaded": {name: {"shape": 768, "vectors": 1} for name in self.embeddings}, "skipped": {}},
            "/sdapi/v1/prompt-styles": [{"name": name, "prompt": prompt} for name, prompt in self.styles.items()],
            "/controlnet/model_list": {"model_list": ["edges [12345678]"]},
            "/controlnet/module_list": {"module_list": ["none", "canny"]},
            "/controlnet/settings": {"control_net_unit_count": 3},
        }


def _pictures(path: str, body: dict[str, Any], digest: str, checkpoints: tuple[str, ...], cut_short: bool, padding: int) -> Any:
    if path == "/controlnet/detect":
        return {"images": [base64.b64encode(_drawn(digest, 64, 64, "")).decode() for _ in body["controlnet_input_images"]]}
    if path == "/sdapi/v1/extra-single-image":
        return {"image": base64.b64encode(_drawn(digest, 128, 128, "")).decode()}
    if path == "/atelier-engine/v1/mask":
        return {"mask": base64.b64encode(_drawn(digest, 64, 64, "")).decode()}
    count = body["batch_size"] * body["n_iter"]
    seeds = [body["seed"] + i for i in range(count)]
    name = str((body.get("override_settings") or {}).get("sd_model_checkpoint") or checkpoints[0])
    skip = (body.get("override_settings") or {}).get("CLIP_stop_at_last_layers", 1)
    texts = [
        f"{body['prompt']}\nSteps: {body['steps']}, Sampler: {body['sampler_name']}, Schedule type: {body['scheduler']}, "
        f"CFG scale: {body['cfg_scale']}, Seed: {seed}, Size: {body['width']}x{body['height']}, Model: {name}, Clip skip: {skip}"
        for seed in seeds
    ]
    units = [unit for unit in body.get("alwayson_scripts", {}).get("controlnet", {}).get("args", []) if unit.get("enabled")]
    drawn = [
        _drawn(f"{digest}{seed}{cut_short}", body["width"], body["height"], text, padding) for seed, text in zip(seeds, texts, strict=True)
    ]
    maps = [_drawn(f"map {digest} {i}", body["width"], body["height"], "") for i in range(len(units))]
    info = {"infotexts": texts, "all_seeds": seeds, "index_of_first_image": 0, "sd_model_hash": _digest(name)[:10], "sd_model_name": name}
    return {"images": [base64.b64encode(png).decode() for png in [*drawn, *maps]], "info": json.dumps(info), "parameters": {}}


def _drawn(digest: str, width: int, height: int, text: str, padding: int = 0) -> bytes:
    """A picture of this size, another for every digest: 4 × 4 fields of colour."""
    colours = hashlib.sha512(digest.encode()).digest()[:48]
    picture = Image.frombytes("RGB", (4, 4), colours).resize((width, height), Image.Resampling.NEAREST)
    return encode_png(picture, text or None, {"padding": "x" * padding} if padding else None)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    stub: Stub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}"))

    def _answer(self, body: dict[str, Any]) -> None:
        path = self.path.partition("?")[0]
        if path in CALLS and self._takes("cut"):
            self.close_connection = True
            return
        if path in CALLS and self._takes("break"):
            self._send(500, {"error": "RuntimeError", "errors": "CUDA out of memory", "detail": "", "body": ""})
            return
        if path in CALLS and self._takes("refuse"):
            self._send(422, {"detail": "The stub refuses."})
            return
        told = self.stub.answer(path, body)
        self._send(404 if told is None else 200, {"detail": "Not Found"} if told is None else told)

    def _takes(self, kind: str) -> bool:
        """Whether the request shall fail in this way; one such request is used up."""
        left = self.stub.behaviour.get(kind, 0)
        self.stub.behaviour[kind] = max(0, left - 1)
        return left > 0

    def _send(self, status: int, told: Any) -> None:
        content = json.dumps(told).encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        try:
            self.wfile.write(head.encode() + content)  # in one write: in two, the second waits for the first's acknowledgement
        except OSError:
            self.close_connection = True  # the client was killed

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@contextmanager
def running_stub(log: Path | None = None, delay: float = 0.0, checkpoints: tuple[str, ...] = ("first", "second")) -> Iterator[Stub]:
    """A stub in a thread of this process, while the block runs."""
    stub = Stub(log, delay, checkpoints)
    thread = threading.Thread(target=stub.serve, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        stub.stop()
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", type=Path)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--checkpoints", default="first,second")
    options = parser.parse_args()
    stub = Stub(options.log, options.delay, tuple(options.checkpoints.split(",")))
    print(stub.url, flush=True)
    stub.serve()


if __name__ == "__main__":
    main()

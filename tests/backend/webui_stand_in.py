"""What stands in for a WebUI where only the client's side is tested: it answers in the API's form with plain pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from lib_extension.pictures.png import encode_base64


@dataclass
class StandIn:
    """A WSGI application. `calls` holds every body that it got, with its route."""

    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    grid: bool = False  # put a grid first, as the WebUI does where its settings say so
    lost: int = 0  # so many pictures fewer than asked for, as after an interrupt
    refuse: tuple[int, Any] | None = None  # status and body of every answer

    def __call__(self, environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]) -> Iterable[bytes]:
        """Answer one request."""
        path = environ["PATH_INFO"]
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = json.loads(environ["wsgi.input"].read(length)) if length else {}
        self.calls.append((path, body))
        status, answer = self.refuse or (200, self._answer(path, body))
        start_response(f"{status} said", [("Content-Type", "application/json")])
        return [answer if isinstance(answer, bytes) else json.dumps(answer).encode()]

    def _answer(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path == "/sdapi/v1/progress":
            return {"progress": 0.25}
        if path == "/sdapi/v1/options":
            return {"sd_model_checkpoint": "plain [0123456789]"}
        count = body["batch_size"] * body["n_iter"] - self.lost
        seeds = [body["seed"] + i for i in range(count)]
        # Each picture's red says its seed, so that a test sees which one it got.
        images = [Image.new("RGB", (body["width"], body["height"]), (seed, 0, 0)) for seed in seeds]
        infotexts = [f"{body['prompt']}\nSeed: {seed}" for seed in seeds]
        if self.grid:
            images, infotexts = [Image.new("RGB", (8, 8)), *images], ["grid", *infotexts]
        # A control map comes last, and is no picture of ours.
        images.append(Image.new("RGB", (8, 8)))
        info = {"all_seeds": seeds, "infotexts": infotexts, "index_of_first_image": int(self.grid)}
        return {"images": [encode_base64(image) for image in images], "parameters": {}, "info": json.dumps(info)}

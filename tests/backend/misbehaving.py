"""A WebUI that draws noise, and goes wrong without a word in the ways that real ones were recorded to.

What it lists is what recorded ones answered (tests/data/webui_hosts). Its pictures depend on everything that a real one's would depend
on, so two of them are equal exactly where real ones are. It is an ASGI application; `python -m tests.backend.misbehaving a1111 PORT
0.1` serves it over HTTP, taking 0.1 seconds for a step.
"""

from __future__ import annotations

import asyncio
import base64
import copy
import hashlib
import io
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lib_extension.pictures.png import decode_picture, encode_base64
from lib_extension.spec.errors import AtelierError
from lib_extension.spec.inventory import Host

RECORDED = Path(__file__).parents[1] / "data" / "webui_hosts"
RESIZE_MODES = ("Just Resize", "Crop and Resize", "Resize and Fill", "Scale to Fit (Inner Fit)", 0, 1, 2, None)
_LORA = re.compile(r"<lora:([^:>]+):([^:>]+)>")


@dataclass
class LoraFile:
    """A file in its Lora folder. `weights` is what the networks get; '' for none."""

    hash: str
    weights: str = "good"
    readable: bool = True
    fits: bool = True


@dataclass
class Misbehaving:
    """`forgets` holds names that it lists and does not know when it comes to drawing, as after a file was removed."""

    host: Host = "a1111"
    forgets: set[str] = field(default_factory=set)
    loras: dict[str, LoraFile] = field(default_factory=dict)
    embeddings: dict[str, str] = field(default_factory=dict)  # name to hash
    saved_options: set[str] = field(default_factory=set)  # those of its config file, which it puts back after a call
    unheeded: set[str] = field(default_factory=set)  # options that a call asks for in vain
    live_in: int = 0  # requests that it answers before its own routes are there
    interrupted_at: int | None = None  # the n_iter at which somebody interrupts
    fails_once: bool = False
    black: bool = False
    lost: int = 0  # pictures fewer than asked
    more: int = 0  # pictures more than asked
    failing_module: str = ""  # a preprocessor whose weights are not there
    seed_shift: int = 0
    our_script: str = ""  # "signs", or "fails" without a word; '': the extension is not there
    vaes: tuple[str, ...] = ()  # that it lists; the first one is in use
    vae_files_gone: bool = False
    step_seconds: float = 0.0
    tells_tasks: bool = True
    password: str = ""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lists: dict[str, Any] = json.loads((RECORDED / f"{self.host}.json").read_text("utf-8"))
        self.options: dict[str, Any] = self.lists["/sdapi/v1/options"]["response"]
        if self.our_script:
            scripts = self.lists["/sdapi/v1/scripts"]["response"]
            for tab in ("txt2img", "img2img"):
                scripts[tab] = [*scripts[tab], "atelier"]
        if self.vaes:
            self.lists["/sdapi/v1/sd-vae"] = {"status": 200, "response": [{"model_name": name, "filename": "x"} for name in self.vaes]}
            self.options["sd_vae"] = self.vaes[0]
        self.state = {"job_timestamp": "0", "job_count": 0, "interrupted": False, "skipped": False, "sampling_step": 0}
        self.held: tuple[tuple[str, str], str] | None = None  # the LoRA and weight in use, and the weights that were loaded for it
        self.task: str | None = None
        self.waiting: list[str] = []
        self.done: list[str] = []
        self.queue = threading.Lock()
        self._jobs = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI."""
        if scope["type"] != "http":
            return
        text = b""
        while True:
            part = await receive()
            text += part.get("body", b"")
            if not part.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        status, answer = await asyncio.to_thread(self.answer, scope["method"], scope["path"], json.loads(text or b"{}"), headers)
        body = json.dumps(answer).encode()
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})

    def answer(self, method: str, path: str, body: dict[str, Any], headers: Mapping[str, str]) -> tuple[int, Any]:
        """Status and JSON."""
        if self.live_in:
            self.live_in -= 1
            return 404, {"detail": "Not Found"}
        if self.password and path.startswith("/sdapi/") and headers.get("authorization") != _basic(self.password):
            return 401, {"error": "HTTPException", "detail": "Not authenticated", "body": "", "errors": ""}
        own: dict[tuple[str, str], Callable[[dict[str, Any]], tuple[int, Any]]] = {
            ("POST", "/sdapi/v1/txt2img"): lambda body: self.generate("txt2img", body),
            ("POST", "/sdapi/v1/img2img"): lambda body: self.generate("img2img", body),
            ("POST", "/sdapi/v1/options"): self.set_options,
            ("POST", "/sdapi/v1/interrupt"): self.interrupt,
            ("POST", "/sdapi/v1/extra-single-image"): self.upscale,
            ("POST", "/controlnet/detect"): self.detect,
            ("GET", "/sdapi/v1/progress"): lambda _: (200, {"progress": 0.5, "state": self.state}),
            ("GET", "/sdapi/v1/options"): lambda _: (200, self.options),
            ("GET", "/sdapi/v1/embeddings"): lambda _: (200, self._embeddings()),
            ("GET", "/sdapi/v1/loras"): lambda _: (200, [{"name": name, "alias": name, "metadata": {}} for name in self.loras]),
        }
        if self.tells_tasks:
            own["POST", "/internal/progress"] = self.task_progress
        if (method, path) in own:
            return own[method, path](body)
        if path.startswith("/sdapi/v1/refresh-"):
            return 200, None
        found = self.lists.get(path)
        return (found["status"], found["response"]) if found and method == "GET" else (404, {"detail": "Not Found"})

    def set_options(self, body: dict[str, Any]) -> tuple[int, Any]:
        self.options.update(body)
        self.saved_options |= body.keys()
        return 200, None

    def interrupt(self, body: dict[str, Any]) -> tuple[int, Any]:
        self.state["interrupted"] = True
        return 200, {}

    def task_progress(self, body: dict[str, Any]) -> tuple[int, Any]:
        task = body["id_task"]
        active, queued = task == self.task, task in self.waiting
        told = {"active": active, "queued": queued, "completed": task in self.done, "progress": 0.25 if active else None}
        return 200, {**told, "live_preview": None}

    def upscale(self, body: dict[str, Any]) -> tuple[int, Any]:
        image = decode_picture(body["image"], what="image")
        factor = 1 if body["upscaler_1"] in self.forgets else body["upscaling_resize"]
        return 200, {"html_info": "", "image": encode_base64(image.resize((int(image.width * factor), int(image.height * factor))))}

    def detect(self, body: dict[str, Any]) -> tuple[int, Any]:
        if body["controlnet_module"] not in self.lists["/controlnet/module_list"]["response"]["module_list"]:
            return 422, {"error": "HTTPException", "detail": "Module not available", "body": "", "errors": ""}
        if body["controlnet_module"] == self.failing_module:
            said = "<urlopen error [Errno -2] Name or service not known>"
            return 500, {"error": "URLError", "detail": "", "body": "", "errors": said}
        return 200, {"images": [] if body["controlnet_module"] in self.forgets else body["controlnet_input_images"], "info": "Success"}

    def generate(self, route: str, body: dict[str, Any]) -> tuple[int, Any]:
        """One at a time, in the order of arrival."""
        self.calls.append((route, copy.deepcopy(body)))
        task = body.get("force_task_id") or "task(other)"
        self.waiting.append(task)
        with self.queue:
            self.waiting.remove(task)
            self.task = task
            self._jobs += 1
            job = f"{20261123000000 + self._jobs}"
            self.state.update(job_timestamp=job, job_count=1, interrupted=False, skipped=False)
            overrides = body.get("override_settings") or {}
            before = {name: self.options[name] for name in overrides if name in self.saved_options and name in self.options}
            try:
                if self.fails_once:
                    self.fails_once = False
                    return 500, {"error": "OutOfMemoryError", "detail": "", "body": "", "errors": "CUDA out of memory"}
                ours = {"sd_model_checkpoint", *self.unheeded}
                self.options.update({name: value for name, value in overrides.items() if name not in ours})
                answer = self._pictures(body, self._checkpoint(overrides), job)
            except NotFit as error:
                return 500, {"error": "RuntimeError", "detail": "", "body": "", "message": str(error)}
            finally:
                self.state["job_count"] = 0
                if body.get("override_settings_restore_afterwards", True):
                    self.options.update(before)
            self.task = None  # not after a failure: that task stays the current one
            self.done.append(task)
            return 200, answer

    def _embeddings(self) -> dict[str, Any]:
        """Those that were recorded there, and ours."""
        recorded = self.lists["/sdapi/v1/embeddings"]["response"]
        told = {"step": None, "sd_checkpoint": None, "sd_checkpoint_name": None, "shape": 768, "vectors": 1}
        return {**recorded, "loaded": {**recorded["loaded"], **dict.fromkeys(self.embeddings, told)}}

    def _checkpoint(self, overrides: Mapping[str, Any]) -> dict[str, Any]:
        """An unknown one is dropped, and the one in use taken."""
        known = self.lists["/sdapi/v1/sd-models"]["response"]
        for name in (overrides.get("sd_model_checkpoint"), self.options["sd_model_checkpoint"]):
            for item in known:
                if name not in self.forgets and name in (item["title"], item["model_name"], item["title"].split(" [")[0]):
                    item["hash"] = item["hash"] or hashlib.sha256(item["title"].encode()).hexdigest()[:10]
                    return item
        return known[0]

    def _pictures(self, body: dict[str, Any], checkpoint: Mapping[str, Any], job: str) -> dict[str, Any]:
        sampler, scheduler = self._sampler(str(body.get("sampler_name"))), self._scheduler(body.get("scheduler"))
        prompt, hashes, networks = self._networks(body.get("prompt", ""))
        if body.get("enable_hr") and body.get("hr_prompt"):
            _, further, acting = self._networks(body["hr_prompt"])
            hashes, networks = hashes | further, [*networks, *acting]
        units, maps = self._units(body)
        count = body.get("n_iter", 1) * body.get("batch_size", 1)
        seeds = [body.get("seed", -1) + self.seed_shift + place for place in range(count)]
        images, infotexts = [], []
        width, height = self._size(body)
        for place, seed in enumerate(seeds[: count - self.lost] + [seeds[-1] + 1] * self.more):
            for _ in range(body.get("steps", 1)):
                time.sleep(self.step_seconds)
                if self.state["interrupted"]:
                    break
            if place == self.interrupted_at:
                self.state["interrupted"] = True
            made_by = [
                prompt,
                body.get("negative_prompt"),
                seed,
                sampler,
                scheduler,
                checkpoint["model_name"],
                networks,
                units,
                body.get("steps"),
            ]
            made_by += [width, height, self.state["interrupted"], *_drawn_from(body)]
            infotext = (
                f"{body.get('prompt', '')}\nSteps: {body.get('steps', 1)}, Sampler: {sampler}, Schedule type: {scheduler}, Seed: {seed}, "
                f"Size: {width}x{height}, Model hash: {checkpoint['hash']}, Model: {checkpoint['model_name']}"
            )
            if self.options.get("CLIP_stop_at_last_layers", 1) > 1:
                infotext += f", Clip skip: {self.options['CLIP_stop_at_last_layers']:g}"
            for number, unit in enumerate(_units_of(body)):  # whether it guided or not
                infotext += f', ControlNet {number}: "Module: {unit["module"]}, Model: {unit["model"]}"'
            read = {name: hash for name, hash in self.embeddings.items() if name in prompt}
            made_by += sorted(read.values())
            if read and self.options.get("textual_inversion_add_hashes_to_infotext", True):
                infotext += f', TI hashes: "{", ".join(f"{name}: {hash}" for name, hash in read.items())}"'
            if hashes:
                infotext += f', Lora hashes: "{", ".join(f"{name}: {hash}" for name, hash in hashes.items())}"'
            signature = self._signature(body)
            infotext += "".join(f", {name}: {value}" for name, value in signature.items())
            infotexts.append(infotext + ", Version: 1.10.1")
            images.append(self._encode(_noise(made_by, width, height, self.black), infotexts[-1]))
            if body.get("mask") and self.options["return_mask"]:
                images.append(encode_base64(Image.new("L", (width, height), 255)))  # behind each picture, without an infotext
            if self.state["interrupted"]:
                break
        first = int(self.options["return_grid"] and count > 1 and not body.get("do_not_save_grid"))
        if first:
            images.insert(0, self._encode(Image.new("RGB", (width * count, height), "grey"), infotexts[0]))
            infotexts.insert(0, infotexts[0])
        info = {
            "all_seeds": seeds,
            "infotexts": infotexts,
            "index_of_first_image": first,
            "job_timestamp": job,
            "sampler_name": sampler,
            "sd_model_name": checkpoint["model_name"],
            "sd_model_hash": checkpoint["hash"],
            "sd_vae_name": self._vae_in_use(),
            "extra_generation_params": self._signature(body),
            "version": "1.10.1",
        }
        return {"images": images + maps, "parameters": {}, "info": json.dumps(info)}

    def _signature(self, body: dict[str, Any]) -> dict[str, str]:
        """What our script there adds to an infotext."""
        asked = (body.get("alwayson_scripts") or {}).get("atelier")
        if asked is None or self.our_script != "signs":
            return {}
        return {"Atelier call": asked["args"][0]} | ({"Atelier halted": "interrupted"} if self.state["interrupted"] else {})

    def _vae_in_use(self) -> str | None:
        if self.host == "forge" or self.vae_files_gone:
            return None
        listed = [item["model_name"] for item in self.lists["/sdapi/v1/sd-vae"]["response"]]
        asked = self.options.get("sd_vae")
        return asked if asked in listed else None

    def _sampler(self, name: str) -> str:
        known = self.lists["/sdapi/v1/samplers"]["response"]
        names = [item["name"] for item in known if item["name"] not in self.forgets]
        return name if name in names else "DPM++ 2M"  # an alias is no name here

    def _scheduler(self, name: str | None) -> str:
        known = self.lists["/sdapi/v1/schedulers"]["response"]
        return next((item["label"] for item in known if name in (item["name"], item["label"]) and name not in self.forgets), "Automatic")

    def _networks(self, prompt: str) -> tuple[str, dict[str, str], list[str]]:
        """The prompt without tags, what "Lora hashes" tells, and what acts. One that was in use with the same weight is not read anew."""
        hashes: dict[str, str] = {}
        acting: list[str] = []
        used = _LORA.findall(prompt)
        if not used:
            self.held = None
        for name, weight in used:
            file = self.loras.get(name)
            if file is None or not file.readable or name in self.forgets:
                continue
            if not file.fits and self.host == "forge":
                raise NotFit("The size of tensor a (321) must match the size of tensor b (640) at non-singleton dimension 3")
            hashes[name] = file.hash
            if self.held is None or self.held[0] != (name, weight):
                self.held = ((name, weight), file.weights if file.fits else "")
            if self.held[1] and float(weight):
                acting.append(f"{name} {self.held[1]} {weight}")
        return _LORA.sub("", prompt).strip(), hashes, acting

    def _units(self, body: dict[str, Any]) -> tuple[list[str], list[str]]:
        """What guides, and the maps that are sent back."""
        guides, maps = [], []
        modules = self.lists["/controlnet/module_list"]["response"]["module_list"]
        models = self.lists["/controlnet/model_list"]["response"]["model_list"]
        bare = [model.split(" [")[0] for model in models] if self.host == "a1111" else []
        for unit in _units_of(body):
            try:
                image = decode_picture(unit.get("image") or (body.get("init_images") or [""])[0], what="image")
            except AtelierError:
                continue
            known = unit["model"] in (*models, *bare) and unit["model"].split(" [")[0] not in self.forgets
            known = known or "reference" in unit["module"]  # which works on attention, without a model
            works = unit["module"] in modules and unit["module"] != self.failing_module and unit.get("resize_mode") in RESIZE_MODES
            if known and works and unit.get("weight", 1):
                mode = unit.get("control_mode") if self.host != "reforge" else None
                guides.append(f"{unit['module']} {unit['model'].split(' [')[0]} {unit.get('weight', 1)} {mode}")
            # Forge sends the map even where the model was not found.
            if works and (known or self.host == "forge") and self.host != "reforge" and unit.get("save_detected_map", True):
                maps += [encode_base64(image)] * (2 if body.get("enable_hr") else 1)
        return guides, maps

    def _size(self, body: dict[str, Any]) -> tuple[int, int]:
        if body.get("mask") and body.get("inpaint_full_res"):
            return decode_picture(body["init_images"][0], what="init_images").size
        width, height = (side - side % 8 for side in (body["width"], body["height"]))
        scale = body["hr_scale"] if body.get("enable_hr") else 1
        return int(width * scale), int(height * scale)

    def _encode(self, image: Image.Image, infotext: str) -> str:
        if self.options["samples_format"] == "png":
            return encode_base64(image, infotext if self.options["enable_pnginfo"] else None)
        return _jpeg(image)


class NotFit(Exception):
    """A LoRA of another shape, which Forge tells."""


def _units_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    scripts = body.get("alwayson_scripts") or {}
    return [unit for name, script in scripts.items() if name.lower() == "controlnet" for unit in script["args"]]


def _drawn_from(body: Mapping[str, Any]) -> list[Any]:
    pictures = [*(body.get("init_images") or []), body.get("mask") or ""]
    return [hashlib.sha256(text.encode()).hexdigest() for text in pictures] + [body.get("denoising_strength")]


def _noise(made_by: list[Any], width: int, height: int, black: bool) -> Image.Image:
    if black:
        return Image.new("RGB", (width, height))
    seed = int.from_bytes(hashlib.sha256(json.dumps(made_by).encode()).digest()[:8], "little")
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))


def _jpeg(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "JPEG")
    return base64.b64encode(file.getvalue()).decode()


def _basic(password: str) -> str:
    return "Basic " + base64.b64encode(password.encode()).decode()


if __name__ == "__main__":
    import sys

    import uvicorn

    # host, port, and the seconds that a step takes
    served = Misbehaving(host=sys.argv[1], step_seconds=float(sys.argv[3]))  # pyright: ignore[reportArgumentType]
    uvicorn.run(served, port=int(sys.argv[2]), log_level="warning")

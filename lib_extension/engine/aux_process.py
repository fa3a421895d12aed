"""How are controlnet-aux's detectors run, without their packages coming near ours?

controlnet-aux needs torchvision and timm, and a torchvision that does not fit its torch makes peft and diffusers unimportable. So its
packages lie in a folder of their own, and only the process started here has that folder on its path. The two talk through
pipes: a header line of JSON, then raw pixels.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from lib_extension.spec.errors import BadFile, NotFound

ROOT = Path(__file__).parents[2]
PACKAGES = Path(sys.prefix) / "controlnet-aux"
WEIGHTS = Path("models") / "annotators"
INSTALL = "Run `python3 install.py worker --update`, or choose another module."

# The detectors that read weights, with the files that they need; the others need none.
NEEDED_FILES = {
    "openpose": ("body_pose_model.pth", "hand_pose_model.pth", "facenet.pth"),
    "openpose_full": ("body_pose_model.pth", "hand_pose_model.pth", "facenet.pth"),
    "openpose_hand": ("body_pose_model.pth", "hand_pose_model.pth", "facenet.pth"),
    "lineart": ("sk_model.pth", "sk_model2.pth"),
    "lineart_coarse": ("sk_model.pth", "sk_model2.pth"),
    "lineart_anime": ("netG.pth",),
}


class AuxProcess:
    """The detectors, by sd-webui-controlnet's module names. The process starts at the first call and stays until ``close``."""

    def __init__(self, packages: Path | None = None, weights: Path | None = None) -> None:
        self._packages = packages or PACKAGES
        self._weights = weights or WEIGHTS
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def detect(self, detector: str, picture: NDArray[np.uint8], resolution: int) -> NDArray[np.uint8]:
        """The map of an RGB picture (H, W, 3). Raises NotFound where packages or weights are missing, BadFile where the detector fails."""
        self._check(detector)
        header = {"detector": detector, "resolution": resolution, "weights": str(self._weights.resolve()), "shape": picture.shape}
        with self._lock:
            process = self._running()
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(json.dumps(header).encode() + b"\n" + picture.tobytes())
                process.stdin.flush()
                answer = json.loads(process.stdout.readline() or b"{}")
                pixels = process.stdout.read(int(np.prod(answer["shape"]))) if "shape" in answer else b""
            except (OSError, ValueError) as e:
                self._end()
                raise BadFile(f"The process for the detector {detector} ended unexpectedly. {INSTALL}") from e
            if "shape" not in answer:
                if "error" not in answer:
                    self._end()
                raise BadFile(f"The detector {detector} failed: {answer.get('error', 'its process ended')}. {INSTALL}")
        return np.frombuffer(pixels, np.uint8).reshape(answer["shape"]).copy()

    def close(self) -> None:
        with self._lock:
            self._end()

    def _check(self, detector: str) -> None:
        if not (self._packages / "controlnet_aux").is_dir():
            raise NotFound(f"The module {detector} needs controlnet-aux, which is not installed. {INSTALL}")
        missing = [name for name in NEEDED_FILES.get(detector, ()) if not (self._weights / name).is_file()]
        if missing:
            raise NotFound(
                f"The module {detector} needs {' and '.join(missing)}. "
                f"Put {'it' if len(missing) == 1 else 'them'} into {self._weights.name}/ in the models folder "
                "(huggingface.co/lllyasviel/Annotators has them)."
            )

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            path = os.pathsep.join([str(self._packages.resolve()), *filter(None, [os.environ.get("PYTHONPATH")])])
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "lib_extension.engine.aux_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": path, "HF_HUB_OFFLINE": "1"},
            )
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process.kill()
            self._process.wait()
            self._process = None


def answer_requests(requests: IO[bytes], answers: IO[bytes]) -> None:
    """The other side: runs in the process of its own until its input ends."""
    loaded: dict[str, Any] = {}
    while line := requests.readline():
        header = json.loads(line)
        picture = np.frombuffer(requests.read(int(np.prod(header["shape"]))), np.uint8).reshape(header["shape"])
        try:
            name = header["detector"]
            if name not in loaded:
                loaded[name] = _load(name, header["weights"])
            found = np.ascontiguousarray(_run(loaded[name], name, picture, header["resolution"]), np.uint8)
        except Exception as error:
            answers.write(json.dumps({"error": f"{type(error).__name__}: {error}"[:300]}).encode() + b"\n")
        else:
            answers.write(json.dumps({"shape": found.shape}).encode() + b"\n" + found.tobytes())
        answers.flush()


def _load(name: str, weights: str) -> Any:
    _make_torchvision_importable()
    import controlnet_aux  # pyright: ignore[reportMissingImports]

    if name.startswith("openpose"):
        return controlnet_aux.OpenposeDetector.from_pretrained(weights)
    if name in ("lineart", "lineart_coarse"):
        return controlnet_aux.LineartDetector.from_pretrained(weights)
    if name == "lineart_anime":
        return controlnet_aux.LineartAnimeDetector.from_pretrained(weights)
    return {"lineart_standard": controlnet_aux.LineartStandardDetector, "shuffle": controlnet_aux.ContentShuffleDetector}[name]()


def _run(detector: Any, name: str, picture: NDArray[np.uint8], resolution: int) -> NDArray[np.uint8]:
    sizes = {"detect_resolution": resolution, "image_resolution": resolution, "output_type": "np"}
    if name.startswith("openpose"):
        return detector(picture, **sizes, include_body=True, include_hand=name != "openpose", include_face=name == "openpose_full")
    if name == "lineart_standard":
        return detector(picture, detect_resolution=resolution, output_type="np")
    if name == "shuffle":
        np.random.seed(0)  # The same picture gives the same map.
        return detector(picture, **sizes)
    return detector(picture, **sizes, **({"coarse": True} if name == "lineart_coarse" else {}))


def _make_torchvision_importable() -> None:
    """PyPI's torchvision is built for CUDA; beside a CPU torch its library does not load, and registering two operators fails.

    Declared here beforehand, they are there to be registered for; no detector calls them.
    """
    import torch

    try:
        import torchvision  # noqa: F401  # pyright: ignore[reportMissingImports]
    except RuntimeError:
        for name in [name for name in sys.modules if name.startswith("torchvision")]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        for operator in ("nms", "qnms"):
            library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        answer_requests.library = library  # type: ignore[attr-defined]  # Kept: the operators go when it does.


if __name__ == "__main__":
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(2, 1)  # What the detectors print must not come between our answers.
    answer_requests(sys.stdin.buffer, answers)

"""How does one call become pictures, without more? For the programs that need no receipts, identity or choice of backends."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

import httpx
from PIL import Image

from lib_extension.backend.errors import BackendError, Failed, Refused, Unreachable, WrongAnswer
from lib_extension.backend.wire import GENERATION_SECONDS, Wire
from lib_extension.pictures.png import decode_picture
from lib_extension.spec.sdapi import Img2Img, Txt2Img

__all__ = ["Answer", "BackendError", "Client", "Failed", "Refused", "Unreachable", "WrongAnswer"]


@dataclass(frozen=True)
class Answer:
    """What a generation gave: only the pictures themselves, without grids and control maps."""

    images: tuple[Image.Image, ...]
    infotexts: tuple[str, ...]  # one a picture
    seeds: tuple[int, ...]  # one a picture


class Client:
    """Calls one backend. Every method raises BackendError with a message for the user."""

    def __init__(
        self, url: str, transport: httpx.BaseTransport, auth: tuple[str, str] | None = None, timeout: float = GENERATION_SECONDS
    ) -> None:
        """`timeout` is in seconds, for one generation."""
        self._wire = Wire(url, transport, auth, timeout)

    def close(self) -> None:
        """Let go of the connections."""
        self._wire.close()

    def generate(self, body: Txt2Img | Img2Img) -> Answer:
        """Make the pictures that `body` asks for, as many as it asks for."""
        route = "img2img" if isinstance(body, Img2Img) else "txt2img"
        # Every field is sent: a backend's defaults for what is left out differ from its own interface's.
        sent = {name: value for name, value in dataclasses.asdict(body).items() if value is not None}
        answer = self._object(self._wire.post(f"/sdapi/v1/{route}", sent), route)
        try:
            info = json.loads(answer["info"])
            first, count = info.get("index_of_first_image", 0), len(info["all_seeds"])
            wanted = slice(first, first + count)
            images = tuple(decode_picture(text, what="A picture from the backend") for text in answer["images"][wanted])
            found = Answer(images, tuple(info["infotexts"][wanted]), tuple(info["all_seeds"]))
        except (KeyError, TypeError, ValueError) as error:
            raise WrongAnswer(f"{self._wire.name} answered {route} without the pictures' information: is it a WebUI?") from error
        asked = body.batch_size * body.n_iter
        if len(found.images) != asked:
            raise WrongAnswer(
                f"{self._wire.name} was asked for {asked} pictures and gave {len(found.images)}: the call was interrupted there."
            )
        return found

    def controlnets(self) -> list[str]:
        """The names of the ControlNet models that are there."""
        return list(self._wire.get("/controlnet/model_list")["model_list"])

    def _object(self, answer: Any, route: str) -> dict[str, Any]:
        if not isinstance(answer, dict):
            raise WrongAnswer(f"{self._wire.name} answered {route} with something else than an object: is it a WebUI?")
        return answer

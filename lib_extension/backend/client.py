"""How is a /sdapi backend called? One client; the transport that it is handed decides whether that is a network or this process."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

import httpx
from PIL import Image

from lib_extension.pictures.png import decode_picture
from lib_extension.spec.errors import AtelierError
from lib_extension.spec.sdapi import Img2Img, Txt2Img


class BackendError(AtelierError):
    """The backend could not do what was asked."""

    status = 502


class Unreachable(BackendError):
    """Nothing answers, or the answer was cut off."""


class Refused(BackendError):
    """The backend answered that it will not, and why."""


class WrongAnswer(BackendError):
    """The backend answered, but not with what was asked for."""


@dataclass(frozen=True)
class Answer:
    """What a generation gave: only the pictures themselves, without grids and control maps."""

    images: tuple[Image.Image, ...]
    infotexts: tuple[str, ...]  # one a picture
    seeds: tuple[int, ...]  # one a picture


class Client:
    """Calls one backend. Every method raises BackendError with a message for the user."""

    def __init__(self, url: str, transport: httpx.BaseTransport, auth: tuple[str, str] | None = None, timeout: float = 1800) -> None:
        """`timeout` is in seconds, for one generation."""
        self._url = url
        self._http = httpx.Client(base_url=url, transport=transport, auth=auth, timeout=httpx.Timeout(timeout, connect=10))

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def generate(self, body: Txt2Img | Img2Img) -> Answer:
        """Make the pictures that `body` asks for, as many as it asks for."""
        route = "img2img" if isinstance(body, Img2Img) else "txt2img"
        # Every field is sent: a backend's defaults for what is left out differ from its own interface's.
        sent = {name: value for name, value in dataclasses.asdict(body).items() if value is not None}
        answer = self._call("POST", f"/sdapi/v1/{route}", sent)
        try:
            info = json.loads(answer["info"])
            first, count = info.get("index_of_first_image", 0), len(info["all_seeds"])
            wanted = slice(first, first + count)
            images = tuple(decode_picture(text, what="A picture from the backend") for text in answer["images"][wanted])
            found = Answer(images, tuple(info["infotexts"][wanted]), tuple(info["all_seeds"]))
        except (KeyError, TypeError, ValueError) as error:
            raise WrongAnswer(f"{self._url} answered {route} without the pictures' information: is it a WebUI?") from error
        asked = body.batch_size * body.n_iter
        if len(found.images) != asked:
            raise WrongAnswer(f"{self._url} was asked for {asked} pictures and gave {len(found.images)}: the call was interrupted there.")
        return found

    def progress(self) -> float:
        """How much of the call that runs now is done, 0 to 1."""
        return float(self._call("GET", "/sdapi/v1/progress?skip_current_image=true")["progress"])

    def checkpoint(self) -> str:
        """The title of the checkpoint in use, with its hash."""
        options = self._call("GET", "/sdapi/v1/options")
        return str(options["sd_model_checkpoint"])

    def controlnets(self) -> list[str]:
        """The names of the ControlNet models that are there."""
        return list(self._call("GET", "/controlnet/model_list")["model_list"])

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            response = self._http.request(method, path, json=body)
        except httpx.TimeoutException as error:
            raise Unreachable(f"{self._url} did not answer in time.") from error
        except httpx.HTTPError as error:
            raise Unreachable(f"{self._url} does not answer: is it running there, with --api?") from error
        if response.is_error:
            raise Refused(f"{self._url} refused: {_said(response)}")
        try:
            answer = response.json()
        except ValueError as error:
            raise WrongAnswer(f"{self._url} answered {path} with something that is not JSON: is it a WebUI?") from error
        if not isinstance(answer, dict):
            raise WrongAnswer(f"{self._url} answered {path} with something else than an object: is it a WebUI?")
        return answer


def _said(response: httpx.Response) -> str:
    """What the server said about its refusal, as short as it can be."""
    try:
        answer = response.json()
    except ValueError:
        return f"status {response.status_code}"
    if not isinstance(answer, dict):
        return f"status {response.status_code}"
    said = answer.get("errors") or answer.get("detail") or answer.get("error")
    if isinstance(said, list):  # FastAPI's list of fields
        said = "; ".join(f"{'.'.join(map(str, item.get('loc', [])[1:]))}: {item.get('msg')}" for item in said if isinstance(item, dict))
    return str(said or f"status {response.status_code}")

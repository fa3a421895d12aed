"""What may be asked of captioning: which networks look at the pictures, and how what they say becomes a caption."""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import Literal

from lib_extension.spec.captions import Ending
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import Settings, field


@dataclass(frozen=True)
class TaggerSettings(Settings):
    """Tags by a network of the WD14 form: a folder with model.onnx and selected_tags.csv."""

    kind: Literal["tagger"]
    model: str = field("", label="Folder", help="Empty: the demo's tagger, which knows the demo's drawings only.")
    threshold: float = field(0.35, label="Threshold", minimum=0, maximum=1, step=0.01, help="General tags above this are taken.")
    character_threshold: float = field(0.85, label="Threshold for characters", minimum=0, maximum=1, step=0.01)
    rating: bool = field(False, label="The rating, too", advanced=True)
    most: int = field(
        0, label="Most tags", minimum=0, maximum=1000, help="The most certain ones; 0: all above the thresholds.", advanced=True
    )
    underscores: bool = field(False, label="Keep underscores", advanced=True)
    escape: bool = field(
        False, label="Escape brackets", help="As prompts want them: a backslash before each. Captions are read as they are.", advanced=True
    )


@dataclass(frozen=True)
class BlipSettings(Settings):
    """A sentence by BLIP."""

    kind: Literal["blip"]
    model: str = field("Salesforce/blip-image-captioning-large", label="Model", help="A folder, or a name on the hub.")
    prompt: str = field("", label="Begins with", help='Such as "a photograph of".')
    longest: int = field(50, label="Most tokens", minimum=1, maximum=500)
    beams: int = field(3, label="Beams", minimum=1, maximum=20, advanced=True)


@dataclass(frozen=True)
class Blip2Settings(Settings):
    """A sentence by BLIP-2."""

    kind: Literal["blip2"]
    model: str = field("Salesforce/blip2-opt-2.7b", label="Model", help="A folder, or a name on the hub.")
    prompt: str = field("", label="Question", help='Such as "Question: what is shown? Answer:"; empty: a caption.')
    longest: int = field(50, label="Most tokens", minimum=1, maximum=500)
    beams: int = field(3, label="Beams", minimum=1, maximum=20, advanced=True)


@dataclass(frozen=True)
class Florence2Settings(Settings):
    """A sentence, short or long, by Florence-2."""

    kind: Literal["florence2"]
    model: str = field("florence-community/Florence-2-large", label="Model", help="A folder, or a name on the hub.")
    task: Literal["<CAPTION>", "<DETAILED_CAPTION>", "<MORE_DETAILED_CAPTION>"] = field("<DETAILED_CAPTION>", label="How much")
    longest: int = field(256, label="Most tokens", minimum=1, maximum=1024)
    beams: int = field(3, label="Beams", minimum=1, maximum=20, advanced=True)


@dataclass(frozen=True)
class EndpointSettings(Settings):
    """A sentence by a server with OpenAI's API for pictures: a local llama.cpp or ollama, or a service."""

    kind: Literal["endpoint"]
    model: str = field(label="Model", help="As the server calls it.")
    url: str = field("http://127.0.0.1:11434/v1", label="Address", help="Up to and with /v1.")
    prompt: str = field("Describe this picture in one sentence, for training an image model.", label="Prompt", multiline=True)
    key_from: str = field(
        "OPENAI_API_KEY",
        label="Key from",
        help="The environment variable that holds the key. The key itself is never stored.",
        advanced=True,
    )
    longest: int = field(300, label="Most tokens", minimum=1, maximum=4096)
    side: int = field(
        1024, label="Pictures at most", minimum=64, maximum=8192, help="Pixels of the longer side that is sent.", advanced=True
    )
    timeout: float = field(120.0, label="Waits", minimum=1, maximum=3600, help="Seconds for one picture, at each try.", advanced=True)
    tries: int = field(4, label="Tries", minimum=1, maximum=20, help="When the server is busy or away.", advanced=True)
    at_once: int = field(1, label="Pictures at once", minimum=1, maximum=64, advanced=True)

    def check(self) -> None:
        """BadRequest for what is no address."""
        if not self.url.startswith(("http://", "https://")):
            raise BadRequest(f'url is "{self.url}"; it must begin with http:// or https://.')


CaptionerSettings = TaggerSettings | BlipSettings | Blip2Settings | Florence2Settings | EndpointSettings
PARTS = ("trigger", "tags", "sentence", "folder")


@dataclass(frozen=True)
class CaptioningSettings(Settings):
    """Write a caption for each picture of a folder."""

    folder: str = field(label="Folder")
    nested: bool = field(True, label="Folders in it, too")
    captioners: list[CaptionerSettings] = field(
        [TaggerSettings("tagger")], label="Captioners", help="What several say is joined by the template."
    )
    existing: Literal["skip", "append", "prepend", "replace", "compare"] = field(
        "skip", label="Where there is a caption", help="compare: no caption is written; what a tagger sees otherwise is told."
    )
    trigger: str = field("", label="Trigger word", help="The word that is to call for what is learnt; it comes first.")
    template: str = field(
        "{trigger}, {sentence}, {tags}", label="Template", help="Of trigger, sentence, tags and folder. Empty parts go with their comma."
    )
    undesired: list[str] = field([], label="Undesired tags", help="Never written, such as what belongs to the trigger.")
    implied: dict[str, list[str]] = field(
        {}, label="Implied tags", help="A tag, and those that go without saying where it is: they are left out.", advanced=True
    )
    aliases: dict[str, str] = field({}, label="Aliases", help="A tag, and what is written in its place.", advanced=True)
    contradict_below: float = field(
        0.1,
        label="Not seen below",
        minimum=0,
        maximum=1,
        step=0.01,
        help="When comparing: tags of a caption that are less likely.",
        advanced=True,
    )
    contradict_above: float = field(
        0.8, label="Surely seen above", minimum=0, maximum=1, step=0.01, help="When comparing: tags that a caption lacks.", advanced=True
    )
    ending: Ending = field("", label="Ending", help="Empty: whichever is there.", advanced=True)
    batch: int = field(8, label="Pictures at once", minimum=1, maximum=256, advanced=True)
    device: str = field("auto", label="Device", help="auto, cpu, cuda or cuda:1.", advanced=True)
    journal: str = field("", label="Journal", help="Where edits are kept to be taken back; empty: in the user's cache.", advanced=True)

    def check(self) -> None:
        """BadRequest for a template with other parts, or nobody to caption."""
        if not self.captioners:
            raise BadRequest("captioners is empty; name at least one.")
        try:
            names = [name for _, name, form, conversion in string.Formatter().parse(self.template) if name is not None]
        except ValueError as problem:
            raise BadRequest(f'template is "{self.template}": {problem}.') from problem
        for name in names:
            if name not in PARTS:
                raise BadRequest(f'template has "{{{name}}}"; it may have {", ".join(f"{{{part}}}" for part in PARTS)}.')

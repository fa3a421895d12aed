"""Where are the things that a detector was trained for, such as faces and hands? ONNX files of YOLO, as ADetailer's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from lib_extension.models.masks.found import Kept, Places, Thing, files_in, find_file, refuse_pickle
from lib_extension.models.masks.yolo import Yolo
from lib_extension.spec.errors import BadRequest, near_miss
from lib_extension.spec.settings import Settings, field

FOLDER = "detectors"
EXPORT = "Write it as ONNX with the package ultralytics, yolo export model=NAME.pt format=onnx, and put that file there instead."


@dataclass(frozen=True)
class DetectorSettings(Settings):
    """Without ``classes`` everything that the detector knows is looked for."""

    model: str = field(label="Detector", help="The name of its .onnx file.")
    confidence: float = field(0.3, label="Confidence", minimum=0, maximum=1, step=0.05)
    overlap: float = field(
        0.7, label="Overlap", minimum=0, maximum=1, step=0.05, help="Of two boxes of a class that share more, one stays."
    )
    classes: tuple[str, ...] = field((), label="Classes")
    max_count: int = field(100, label="At most", minimum=1, maximum=1000, help="The surest ones stay.")


class Detector:
    """The masks of the things, or where the detector gives none, their boxes. Detectors lie in ``detectors`` in the models folder."""

    name = "detector"
    settings = DetectorSettings

    def __init__(self, places: Places) -> None:
        self._folder = places.models / FOLDER
        self._kept: Kept[Yolo] = Kept(3)

    def files(self) -> Mapping[str, Path]:
        return files_in(self._folder, ".onnx")

    def find(self, picture: Image.Image, settings: object) -> list[Thing]:
        assert isinstance(settings, DetectorSettings)
        refuse_pickle(settings.model, EXPORT)
        path = find_file(self._folder, settings.model, ".onnx", "detector")
        yolo = self._kept.get((path, path.stat().st_mtime_ns), lambda: Yolo.load(path))
        for name in settings.classes:
            if name not in yolo.names:
                known = ", ".join(yolo.names[:20])
                raise BadRequest(f'The detector {path.stem} knows no "{name[:100]}".{near_miss(name, yolo.names)} It knows: {known}.')
        wanted = [yolo.names.index(name) for name in settings.classes] or None
        return yolo.find(picture, settings.confidence, settings.overlap, wanted, settings.max_count)

"""How do captions go to the files of other programs?

`metadata.jsonl` and JSON are as reading.py says; a kohya folder is `N_name` with pictures and `.txt`, and a `dataset.toml` that names it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from lib_extension.captions.counts import balance, count
from lib_extension.captions.files import Captioned, write_bytes, write_text
from lib_extension.captions.reading import composed
from lib_extension.captions.tags import caption_of, tags_of
from lib_extension.formats.picture_names import MASK_SUFFIX
from lib_extension.spec.captions import ExportSettings
from lib_extension.spec.errors import BadFile, BadRequest

_CARD_TAGS = 40


def export(captions: Sequence[Captioned], settings: ExportSettings) -> list[Path]:
    """The files that were written. Raises BadRequest for a folder with something in it, BadFile where it cannot be written."""
    into = Path(settings.into)
    usable = [one for one in captions if not one.problem]
    if not usable:
        raise BadRequest("There are no captions to export.")
    try:
        if into.exists() and any(into.iterdir()):
            raise BadRequest(f'The folder "{into}" is not empty. Name a new one, so that nothing in it is overwritten.')
        into.mkdir(parents=True, exist_ok=True)
        written = _FORMS[settings.form](usable, into, settings)
        if settings.card:
            write_text(into / "README.md", _card(usable, settings))
            written.append(into / "README.md")
    except OSError as problem:
        raise BadFile(f'"{into}" cannot be written: {problem.strerror}.') from problem
    return written


def _texts(captions: Iterable[Captioned], into: Path, settings: ExportSettings) -> list[Path]:
    written = []
    for one in captions:
        file = (into / one.name).with_suffix(f".{settings.form}")
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, one.text)
        written.append(file)
    return written


def _json(captions: Iterable[Captioned], into: Path, _: ExportSettings) -> list[Path]:
    table = {one.name: {"tags" if _is_tags(one.text) else "caption": one.text} for one in captions}
    write_bytes(into / "captions.json", json.dumps(table, ensure_ascii=False, indent=1).encode())
    return [into / "captions.json"]


def _is_tags(text: str) -> bool:
    """Whether the tags are the whole caption."""
    return "," in text and text == caption_of(tags_of(text))


def _jsonl(captions: Iterable[Captioned], into: Path, _: ExportSettings) -> list[Path]:
    lines = (json.dumps({"file_name": one.name, "text": one.text}, ensure_ascii=False) for one in captions)
    write_bytes(into / "metadata.jsonl", "".join(f"{line}\n" for line in lines).encode())
    return [into / "metadata.jsonl"]


def _kohya(captions: Sequence[Captioned], into: Path, settings: ExportSettings) -> list[Path]:
    """Pictures are copied; names of pictures from several folders are joined, as kohya's folders have none in them.

    Every image of such a folder is trained on, so masks lie in another; and where one is named, each picture must have its mask there.
    """
    plain, masked = (into / f"{settings.repeats}_{_plain(settings.name)}{more}" for more in ("", "-masked"))
    masks = into / "masks"
    written: list[Path] = []
    taken: set[str] = set()
    for one in captions:
        mask = one.picture.with_name(f"{one.picture.stem}{MASK_SUFFIX}.png")
        folder = masked if mask.is_file() else plain
        folder.mkdir(exist_ok=True)
        target = folder / _free_name(one.name.replace("/", "_"), taken)
        shutil.copyfile(one.picture, target)
        write_text(target.with_suffix(".txt"), one.text)
        written += [target, target.with_suffix(".txt")]
        if mask.is_file():
            masks.mkdir(exist_ok=True)
            shutil.copyfile(mask, masks / f"{target.stem}.png")
            written.append(masks / f"{target.stem}.png")
    general = f'[general]\nresolution = {settings.resolution}\ncaption_extension = ".txt"\nenable_bucket = true\n'
    datasets = [_dataset(plain, settings)] * plain.is_dir() + [_dataset(masked, settings, masks)] * masked.is_dir()
    write_bytes(into / "dataset.toml", "\n".join((general, *datasets)).encode())
    return [*written, into / "dataset.toml"]


def _dataset(folder: Path, settings: ExportSettings, masks: Path | None = None) -> str:
    """In TOML, whose texts are as JSON's."""
    options = {"image_dir": folder.as_posix(), **({} if masks is None else {"conditioning_data_dir": masks.as_posix()})}
    lines = [f"  {name} = {json.dumps(text, ensure_ascii=False)}" for name, text in options.items()]
    return "\n".join(["[[datasets]]\n", "  [[datasets.subsets]]", *lines, f"  num_repeats = {settings.repeats}\n"])


def _free_name(name: str, taken: set[str]) -> str:
    """The name, with a number where another picture has it but for its ending or its capitals: in/a.png and in_a.jpg are two."""
    stem, _, ending = name.rpartition(".")
    names = (stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 3)))
    free = next(one for one in names if composed(one).casefold() not in taken)
    taken.add(composed(free).casefold())
    return f"{free}.{ending}"


_FORMS = {"txt": _texts, "caption": _texts, "json": _json, "metadata.jsonl": _jsonl, "kohya": _kohya}


def _plain(name: str) -> str:
    """As a folder's name on every system."""
    kept = "".join(letter if letter.isalnum() or letter in "-_ " else "_" for letter in name).strip()
    if not kept:
        raise BadRequest(f'name is "{name}"; a folder cannot be called so.')
    return kept


def _card(captions: Sequence[Captioned], settings: ExportSettings) -> str:
    counts = count(captions)
    tags = "\n".join(f"| {tag.replace('|', chr(92) + '|')} | {often} |" for tag, often in counts.tags[:_CARD_TAGS])
    folders = "\n".join(f"- {name or 'the folder itself'}: {often}" for name, often, _ in balance(captions))
    return (
        f"# {settings.name}\n\n"
        f"{counts.captions} pictures with captions, {counts.empty} of them empty; {len(counts.tags)} different tags.\n\n"
        f"## Folders\n\n{folders}\n\n## The most frequent tags\n\n| tag | captions |\n| --- | --- |\n{tags}"
    )

"""How do captions come from, and go to, the files of other programs?

`metadata.jsonl` is that of Hugging Face's datasets (a line {"file_name", "text"} for each picture); JSON is kohya's (a picture's name →
{"caption", "tags"}); a kohya folder is `N_name` with pictures and `.txt`, and a `dataset.toml` that names it.
"""

from __future__ import annotations

import json
import shutil
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lib_extension.captions.counts import balance, count
from lib_extension.captions.edits import Difference
from lib_extension.captions.files import Captioned, text_in, write_bytes, write_text
from lib_extension.captions.tags import caption_of, tags_of
from lib_extension.formats.picture_names import MASK_SUFFIX
from lib_extension.spec.captions import ExportSettings
from lib_extension.spec.errors import BadFile, BadRequest

MOST_BYTES = 512 * 2**20
_TEXT_KEYS = ("text", "caption", "prompt")
_CARD_TAGS = 40


def read_from(file: Path, captions: Sequence[Captioned]) -> tuple[list[Difference], list[str]]:
    """What the file's captions change in the folder's, and the names in it that are no pictures there. BadFile for what is neither form."""
    told = _told(file)
    by_name = {_composed(one.name): one for one in captions}
    by_stem: dict[str, Captioned] = {}
    for name, one in by_name.items():
        by_stem.setdefault(Path(name).with_suffix("").as_posix(), one)
        by_stem.setdefault(Path(name).stem, one)
    changes: dict[str, Difference] = {}
    strange = []
    for name, text in told:
        plain = _composed(name.replace("\\", "/"))
        stem = Path(plain).with_suffix("") if Path(plain).suffix else Path(plain)
        one = by_name.get(plain) or by_stem.get(stem.as_posix()) or by_stem.get(stem.name)
        if one is None:
            strange.append(name)
        elif one.text != text:
            changes[one.name] = Difference(one, one.text, text)
    return list(changes.values()), strange


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


def _told(file: Path) -> list[tuple[str, str]]:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise BadFile(f'"{file.name}" is too large for a file of captions.')
        text = text_in(file.read_bytes(), file.name)
    except OSError as problem:
        raise BadFile(f'"{file.name}" cannot be read: {problem.strerror}.') from problem
    try:
        if file.suffix.lower() == ".jsonl":
            told = [_line(json.loads(line)) for line in text.split("\n") if line.strip()]
        else:
            told = [(name, _of_kohya(entry)) for name, entry in json.loads(text).items()]
        for words in told:
            "".join(words).encode()  # ValueError for halves of letters, which JSON can hold and no file of text
        return told
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise BadFile(f'"{file.name}" is neither a metadata.jsonl nor a JSON of captions: {problem}.') from problem


def _composed(name: str) -> str:
    """As one system writes "é" with one letter and another with two."""
    return unicodedata.normalize("NFC", name)


def _line(entry: dict[str, Any]) -> tuple[str, str]:
    text = next((entry[key] for key in _TEXT_KEYS if isinstance(entry.get(key), str)), None)
    if text is None:
        raise ValueError(f"a line has none of {', '.join(_TEXT_KEYS)}")
    return str(entry["file_name"]), text.strip()


def _of_kohya(entry: Any) -> str:
    if isinstance(entry, str):
        return entry.strip()
    tags = entry.get("tags", "")
    parts = [entry.get("caption", ""), ", ".join(tags) if isinstance(tags, list) else tags]
    return ", ".join(part.strip() for part in parts if part.strip())


def _texts(captions: Iterable[Captioned], into: Path, settings: ExportSettings) -> list[Path]:
    written = []
    for one in captions:
        file = (into / one.name).with_suffix(f".{settings.form}")
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, one.text)
        written.append(file)
    return written


def _json(captions: Iterable[Captioned], into: Path, _: ExportSettings) -> list[Path]:
    table = {one.name: {"tags": caption_of(tags_of(one.text))} if "," in one.text else {"caption": one.text} for one in captions}
    write_bytes(into / "captions.json", json.dumps(table, ensure_ascii=False, indent=1).encode())
    return [into / "captions.json"]


def _jsonl(captions: Iterable[Captioned], into: Path, _: ExportSettings) -> list[Path]:
    lines = (json.dumps({"file_name": one.name, "text": one.text}, ensure_ascii=False) for one in captions)
    write_bytes(into / "metadata.jsonl", "".join(f"{line}\n" for line in lines).encode())
    return [into / "metadata.jsonl"]


def _kohya(captions: Sequence[Captioned], into: Path, settings: ExportSettings) -> list[Path]:
    """Pictures are copied; names of pictures from several folders are joined, as kohya's folders have none in them."""
    name = _plain(settings.name)
    folder = into / f"{settings.repeats}_{name}"
    folder.mkdir()
    written = []
    taken: set[str] = set()
    for one in captions:
        target = folder / _free_name(one.name.replace("/", "_"), taken)
        shutil.copyfile(one.picture, target)
        mask = one.picture.with_name(f"{one.picture.stem}{MASK_SUFFIX}.png")
        if mask.is_file():
            shutil.copyfile(mask, folder / f"{target.stem}{MASK_SUFFIX}.png")
        write_text(target.with_suffix(".txt"), one.text)
        written += [target, target.with_suffix(".txt")]
    toml = (
        "[general]\n"
        f"resolution = {settings.resolution}\n"
        'caption_extension = ".txt"\n'
        "enable_bucket = true\n\n"
        "[[datasets]]\n\n"
        "  [[datasets.subsets]]\n"
        f"  image_dir = {json.dumps(folder.as_posix(), ensure_ascii=False)}\n"
        f"  num_repeats = {settings.repeats}\n"
    )
    write_bytes(into / "dataset.toml", toml.encode())
    return [*written, into / "dataset.toml"]


def _free_name(name: str, taken: set[str]) -> str:
    """The name, with a number where another picture has it but for its ending or its capitals: in/a.png and in_a.jpg are two."""
    stem, _, ending = name.rpartition(".")
    names = (stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 3)))
    free = next(one for one in names if _composed(one).casefold() not in taken)
    taken.add(_composed(free).casefold())
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

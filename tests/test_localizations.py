"""Has every text of the tab a translation? Texts in the modules, labels and help of every setting, and the built-in recipes' own words."""

from __future__ import annotations

import ast
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib_extension.jobs.kinds import KINDS, JobKind
from lib_extension.session.home import Home
from lib_extension.session.recipes import Recipes
from lib_extension.spec.captions import CaptionsSettings
from lib_extension.spec.class_pictures import ClassPicturesSettings
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.merging.warnings import WARNINGS
from lib_extension.spec.settings import from_json, json_schema
from lib_extension.spec.training.presets import PRESETS
from lib_extension.stages import recipe_schema

ROOT = Path(__file__).parents[1]
MODULES = ROOT / "javascript"
LANGUAGES = sorted((ROOT / "localizations").glob("*.json"))

_STRING = r'"((?:[^"\\\n]|\\.)*)"' + r"|'((?:[^'\\\n]|\\.)*)'"
_T = re.compile(rf"\bt\(\s*(?:{_STRING})")
_TN = re.compile(rf"\btn\(\s*(?:{_STRING})\s*,\s*(?:{_STRING})")
# Texts that are looked up by a name of theirs, such as those of a table of states, are literals that begin like a sentence.
_SENTENCE = re.compile(r'"([A-Z][a-z]+(?:[ ,.:…][^"\\\n]*)?)"')
_COMMENT = re.compile(r"^\s*//[^\n]*$|/\*\*[\s\S]*?\*/", re.MULTILINE)
NO_TEXTS = {
    # keys, types and headers of browsers
    *("Enter", "Escape", "Tab", "Delete", "Backspace", "Home", "End", "Insert", "Shift", "Control", "Alt", "Meta", "Files", "Accept"),
    *("Undefined", "Error", "Content", "Last", "Unknown", "Unreachable", "Reload", "Any", "Forge", "Standalone"),
}


def unescaped(text: str) -> str:
    return json.loads(f'"{text}"') if "\\" in text and '"' not in text.replace('\\"', "") else text.replace('\\"', '"')


def in_modules() -> dict[str, str]:
    """Text → the module that has it."""
    found: dict[str, str] = {}
    for module in sorted(MODULES.rglob("*.mjs")):
        if "vendor" in module.parts:
            continue
        source = _COMMENT.sub("", module.read_text(encoding="utf-8"))
        texts = [*(group for match in (*_T.findall(source), *_TN.findall(source)) for group in match if group)]
        texts += [text for text in _SENTENCE.findall(source) if text not in NO_TEXTS]
        found |= {unescaped(text): module.name for text in texts}
    return found


def in_schema(schema: Any) -> Iterator[str]:
    """Titles and descriptions of properties, as forms show them."""
    if isinstance(schema, dict):
        # What a whole form is called is the name of its class, which no page shows.
        for name in ("description",) if "properties" in schema else ("title", "description"):
            if isinstance(schema.get(name), str) and schema[name]:
                yield schema[name]
        for name, inner in schema.items():
            if name in ("properties", "$defs", "definitions"):
                for one in inner.values():
                    yield from in_schema(one)
            elif name not in ("default", "examples", "enum", "const"):
                yield from in_schema(inner)
    elif isinstance(schema, list):
        for one in schema:
            yield from in_schema(one)


def in_python() -> dict[str, str]:
    """Text → where it comes from."""
    found = dict.fromkeys(in_schema(recipe_schema()), "the recipes' schema")
    for name, kind in KINDS.items():
        found |= dict.fromkeys(in_schema(json_schema(kind.settings)), f"settings of {name}")
        found |= dict.fromkeys(_titles(kind), f"a job {name}")
    found |= dict.fromkeys(in_schema(json_schema(ClassPicturesSettings)), "settings of class pictures")
    found |= dict.fromkeys(in_schema(json_schema(CaptionsSettings)), "settings of captions")
    found |= dict.fromkeys(WARNINGS, "warnings of merging")
    for preset in PRESETS:
        found |= dict.fromkeys((preset.title, preset.about), "a preset of training")
    recipes = Recipes(Home(ROOT / "nowhere").recipes)
    for recipe in (recipes.get(listed.name).recipe for listed in recipes.all()):
        found |= dict.fromkeys(filter(None, (recipe.title, recipe.about)), f"the recipe {recipe.name}")
    return found


def in_gradio() -> dict[str, str]:
    """What gradio shows in a WebUI: read from the source, as gradio need not be here. Text → its file."""
    found: dict[str, str] = {}
    for file in sorted((ROOT / "lib_extension" / "ui").glob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        named = {name: value for node in tree.body if isinstance(node, ast.Assign) for name, value in _assigned(node)}
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            keywords = {one.arg: one.value for one in call.keywords}
            shown = [value for name, value in keywords.items() if name in ("label", "info")]
            if isinstance(call.func, ast.Name) and call.func.id == "Option":
                shown += [call.args[1], *call.args[4:5]]
                shown += [
                    choice for inner in call.args for choice in ast.walk(inner) if isinstance(choice, ast.Name) and choice.id in named
                ]
            elif not (isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name) and call.func.value.id == "gr"):
                continue
            elif file.stem != "accordion" or "visible" in keywords:
                continue  # what gradio holds for us is hidden
            texts = [
                named[one.id] if isinstance(one, ast.Name) else one.value for one in shown if isinstance(one, (ast.Name, ast.Constant))
            ]
            found |= dict.fromkeys((text for text in texts if isinstance(text, str) and text), file.name)
    return found


def _assigned(node: ast.Assign) -> Iterator[tuple[str, str]]:
    """Names that texts are given to at the top of a file."""
    for target in node.targets:
        names = target.elts if isinstance(target, ast.Tuple) else [target]
        values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        for name, value in zip(names, values, strict=False):
            if isinstance(name, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield name.id, value.value


def _titles(kind: JobKind) -> set[str]:
    """What its jobs may be called: by each of its choices."""
    properties = json_schema(kind.settings)["properties"]
    choices = {name: told["enum"] for name, told in properties.items() if "enum" in told}
    named = [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]
    return {_title(kind, one) for one in named}


def _title(kind: JobKind, one: dict[str, Any]) -> str:
    try:
        return kind.title(from_json(kind.settings, one))
    except BadRequest:
        return kind.title(None)  # more must be set, and the title does not depend on it


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return in_python() | in_gradio() | in_modules()


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda file: file.stem)
def test_every_text_has_a_translation(language: Path, texts: dict[str, str]):
    words = json.loads(language.read_text(encoding="utf-8"))
    assert {text: place for text, place in texts.items() if not words.get(text)} == {}


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda file: file.stem)
def test_nothing_else_is_translated(language: Path, texts: dict[str, str]):
    words = json.loads(language.read_text(encoding="utf-8"))
    assert sorted(words.keys() - texts.keys()) == []


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda file: file.stem)
def test_a_translation_has_the_places_of_its_text(language: Path):
    words = json.loads(language.read_text(encoding="utf-8"))
    places = re.compile(r"\{\w+\}")
    wrong = {text: said for text, said in words.items() if sorted(set(places.findall(said))) != sorted(set(places.findall(text)))}
    assert wrong == {}


def test_texts_are_found():
    """Guards the guard."""
    found = in_modules()
    assert {"What shall it be?", "Worker environment", "Go on with {count}", "Only half made"} <= found.keys()
    assert len(found) > 200
    assert "Denoising strength" in in_python()
    assert {"Draw with this WebUI", "What a run ends with", "Send each finished picture to a recipe"} <= in_gradio().keys()

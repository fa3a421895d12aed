"""Imports point one way: what each package of ours may import, of ours and of others', read from the source."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Package or module → what it may import of ours besides itself.
_BASE = {"pictures", "formats", "spec"}
_PLANNED = {"plan", "preflight", "stages", "masks", "scores", "backend"}
ARROWS: dict[str, set[str]] = {
    "spec": set(),
    "formats": {"spec"},
    "pictures": {"spec"},
    "captions": {"formats", "spec"},  # names of pictures, and their order
    **dict.fromkeys(sorted(_PLANNED), _BASE | _PLANNED),
    "backend": {"setup"} | _BASE | _PLANNED,  # the embedded engine runs in the worker's environment
    "runs": {"plan", "stages", "masks", "scores", "backend"} | _BASE,
    "jobs": {"backend", "setup", "captions"} | _BASE,  # where a folder's journal of edits lies
    "host": {"backend"} | _BASE,
    "ui": {"host", "api", "session", "setup", "runs", "jobs"} | _PLANNED | _BASE,
    "session": {"runs", "captions"} | _PLANNED | _BASE,
    "api": {"session", "runs", "jobs", "setup", "captions"} | _PLANNED | _BASE,
    "cli": {"session", "runs", "jobs"} | _PLANNED | _BASE,
    "__main__": {"cli"},
    "setup": {"formats", "spec"},  # how files get their names
    "locks": set(),
    "models": _BASE,
    "engine": {"models"} | _BASE,
    "trainer": {"models", "captions"} | _BASE,
}
STDLIB_ONLY = ("spec", "formats", "captions", "setup", "locks")
PICTURE_LIBRARIES = {"PIL", "numpy"}
WORKER = ("models", "engine", "trainer")
WORKER_ONLY = {
    "torch",
    "diffusers",
    "transformers",
    "peft",
    "accelerate",
    "bitsandbytes",
    "controlnet_aux",
    "cv2",
    "onnxruntime",
    "spandrel",
}
WORKER_ONLY |= {"lark", "uvicorn", "huggingface_hub", "safetensors", "onnx", "torchvision", "timm", "torchsde", "rembg"}
WORKER_ONLY |= {"prodigyopt", "schedulefree", "tensorboardX"}


def _part(path: Path) -> str:
    """ "spec" for lib_extension/spec/errors.py, "plan" for lib_extension/plan.py, "trainer" for trainer/loop.py."""
    names = list(path.relative_to(ROOT).with_suffix("").parts)
    return names[1] if names[0] == "lib_extension" and len(names) > 1 else names[0]


def _sources() -> list[Path]:
    folders = [ROOT / name for name in ("lib_extension", "trainer", "scripts")]
    return sorted(path for folder in folders for path in folder.rglob("*.py") if path != ROOT / "lib_extension" / "__init__.py")


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, full module name) of every import in the file, those inside functions too."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def _ours(module: str) -> str | None:
    """The part of ours that an imported module belongs to."""
    names = module.split(".")
    if names[0] == "trainer":
        return "trainer"
    return names[1] if names[0] == "lib_extension" and len(names) > 1 else None


def _others() -> Iterator[tuple[Path, int, str]]:
    """Imports from outside the project, as (file, line, top-level package)."""
    for path in _sources():
        for line, module in _imports(path):
            top = module.split(".")[0]
            if top not in ("lib_extension", "trainer", "__future__") and top not in sys.stdlib_module_names:
                yield path, line, top


def _told(found: list[tuple[Path, int, str]]) -> list[str]:
    return [f"{path.relative_to(ROOT)}:{line} imports {module}" for path, line, module in found]


def test_every_part_has_its_arrows():
    parts = {_part(path) for path in _sources()} - {"scripts"}
    assert parts <= ARROWS.keys()


@pytest.mark.parametrize("part", ARROWS)
def test_parts_import_only_what_lies_under_them(part: str):
    wrong = [
        (path, line, module)
        for path in _sources()
        if _part(path) == part
        for line, module in _imports(path)
        if (other := _ours(module)) is not None and other != part and other not in ARROWS[part]
    ]
    assert _told(wrong) == []


def test_scripts_import_only_the_tab_the_host_and_the_routes():
    sources = [path for path in _sources() if _part(path) == "scripts"]
    wrong = [(p, line, m) for p in sources for line, m in _imports(p) if _ours(m) not in (None, "ui", "host", "api")]
    assert _told(wrong) == []


def test_what_runs_anywhere_uses_the_standard_library_only():
    assert _told([found for found in _others() if _part(found[0]) in STDLIB_ONLY]) == []


def test_pictures_use_pillow_and_numpy_only():
    assert _told([found for found in _others() if _part(found[0]) == "pictures" and found[2] not in PICTURE_LIBRARIES]) == []


def test_only_the_tab_imports_gradio():
    assert _told([found for found in _others() if found[2] == "gradio" and _part(found[0]) != "ui"]) == []


def test_only_the_host_imports_the_webui():
    """Besides what the WebUI itself loads, which names the class that it looks for there."""
    assert _told([found for found in _others() if found[2] == "modules" and _part(found[0]) not in ("host", "scripts")]) == []


def test_only_the_worker_imports_its_packages():
    assert _told([found for found in _others() if found[2] in WORKER_ONLY and _part(found[0]) not in WORKER]) == []


def test_the_finder_sees_relative_and_inner_imports():
    """Guards the guard: were nothing found, every test above would pass."""
    assert any(_ours(module) == "spec" for path in _sources() if _part(path) == "formats" for _, module in _imports(path))
    assert any(_part(path) == "pictures" and top == "numpy" for path, _, top in _others())

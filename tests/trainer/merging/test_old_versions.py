"""Does this part keep to what the WebUI's own Python has: Python 3.10, torch 2.1, and no other package?"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "trainer" / "merging").rglob("*.py"))
OURS = ("lib_extension.spec", "lib_extension.formats", "trainer.merging", "trainer.report", "trainer.config_file")
OURS += tuple(f"lib_extension.models.{name}" for name in ("lora_delta", "ldm_names", "families", "hashes"))  # torch only, or nothing
# Of torch, everything that is used. Only names are compared here, under whichever torch is installed: behaviour that differs is not seen.
# All of them are in torch 2.1; each command was carried out by hand with torch 2.1.2 and Python 3.10, and gave what newer ones give.
TORCH = {
    "Generator",
    "aminmax",
    "bfloat16",
    "bool",
    "cat",
    "dtype",
    "einsum",
    "empty",
    "equal",
    "exp2",
    "eye",
    "finfo",
    "float16",
    "float32",
    "float64",
    "frombuffer",
    "geqrf",
    "int16",
    "int32",
    "int64",
    "int8",
    "kron",
    "kthvalue",
    "linalg",
    "manual_seed",
    "no_grad",
    "ormqr",
    "rand",
    "randn",
    "stack",
    "tensor",
    "uint8",
    "where",
    "zeros",
    "zeros_like",
}
LINALG = {"cholesky_ex", "qr", "solve_triangular", "svd", "vector_norm"}
NEWER_THAN_310 = {"tomllib", "Self", "StrEnum", "ExceptionGroup", "batched"}


def _names(tree: ast.AST) -> set[str]:
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} | {
        n.id for n in ast.walk(tree) if isinstance(n, ast.Name)
    }


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_nothing_newer_is_used(file: Path) -> None:
    tree = ast.parse(file.read_text("utf-8"), feature_version=(3, 10))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(("lib_extension", "trainer")):
            assert node.module.startswith(OURS), f"line {node.lineno} imports {node.module}"
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            assert all(module.split(".")[0] in sys.stdlib_module_names | {"torch"} for module in modules), f"line {node.lineno}"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "torch":
            assert node.attr in TORCH, f"line {node.lineno} uses torch.{node.attr}: is it in torch 2.1?"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "linalg":
            assert node.attr in LINALG, f"line {node.lineno} uses torch.linalg.{node.attr}: is it in torch 2.1?"
    assert not _names(tree) & NEWER_THAN_310


def test_nothing_else_is_loaded() -> None:
    """All commands, in a Python that finds no other package than torch."""
    code = f"""
import sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {{"diffusers", "transformers", "peft", "accelerate", "safetensors", "PIL", "yaml", "huggingface_hub"}}:
            raise ImportError("not here: " + name)
sys.meta_path.insert(0, Wall())
for name in {sorted(path.stem for path in FILES)!r}:
    if name not in ("__init__",):
        try:
            __import__("trainer.merging." + name)
        except ModuleNotFoundError:
            __import__("trainer.merging.methods." + name)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

"""What does `install.py demo` show? One drawing of a product, carried through four stages to three places by the embedded engine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
from PIL import Image

from lib_extension.backend.client import Client
from lib_extension.backend.engine_process import running_engine
from lib_extension.pictures.masks import threshold
from lib_extension.runs.progress_line import ProgressLine
from lib_extension.runs.recipe_files import BUILT_IN, load_recipe
from lib_extension.runs.results_folder import save_contact_sheet, save_manifest, save_picture
from lib_extension.runs.small_recipe import Recipe, inputs_of
from lib_extension.runs.small_runner import Result, run
from lib_extension.spec.errors import AtelierError


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; gives the exit status."""
    options = _parser().parse_args(arguments)
    try:
        make_pictures(options.recipe, options.model, options.output)
    except AtelierError as error:
        print(f"Atelier: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"Atelier: the pictures cannot be written: {error.strerror} ({error.filename or options.output})", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nAtelier: stopped.", file=sys.stderr)
        return 130
    return 0


def make_pictures(recipe_file: Path, model: str, folder: Path) -> None:
    """Carry out a recipe with an engine started for it, and leave pictures, contact sheet and manifest in `folder`."""
    recipe, inputs = load_recipe(recipe_file)
    folder.mkdir(parents=True, exist_ok=True)
    for earlier in folder.glob("[0-9][0-9]-*.png"):
        earlier.unlink()
    print(f"Starting the engine with the model {model}", flush=True)
    with ExitStack() as open_until_done:
        url = open_until_done.enter_context(running_engine(model, folder / "engine.log"))
        # Two clients: the progress line asks from a thread of its own while the other one waits for its pictures.
        client, asker = (open_until_done.enter_context(closing(Client(url, httpx.HTTPTransport()))) for _ in range(2))
        print(f"{recipe.title or recipe.name}: {len(recipe.stages)} stages for {len(recipe.rows)} rows", flush=True)
        cut = cut_out(recipe, inputs, client)
        results: list[Result] = []
        for result in run(recipe, cut, client, ProgressLine(len(recipe.stages), sys.stdout, asker.progress)):
            save_picture(folder, result)
            results.append(result)
        checkpoint = client.checkpoint()
    save_manifest(folder, recipe, checkpoint, results)
    sheet = save_contact_sheet(folder, recipe, inputs, results)
    print(f"{len(results)} pictures are in {folder}; look at {sheet} first")


def cut_out(recipe: Recipe, inputs: Mapping[str, Image.Image], client: Client) -> dict[str, Image.Image]:
    """The inputs; those that give a mask have a transparent ground then: all but the object that the engine's network sees."""
    used = {name for stage in recipe.stages if stage.mask for row in recipe.rows for name in inputs_of(stage, row)[-1:]}
    found = dict(inputs)
    for name in used:
        if inputs[name].mode != "RGBA":
            found[name] = inputs[name].convert("RGB")
            found[name].putalpha(threshold(client.part(inputs[name], "object")))  # half kept is not kept
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="install.py demo", description="Make the demo's pictures.")
    parser.add_argument("--model", default="demo", help="a model's folder, file or hub id instead of the bundled one")
    parser.add_argument("--recipe", type=Path, default=BUILT_IN / "product-shots.yaml", help="another recipe")
    parser.add_argument("--output", type=Path, default=Path("demo-output"), help="where the pictures go")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""Do baking, extracting, resizing and converting, asked for on the page, write the files that they should?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from safetensors import safe_open
from safetensors.torch import load_file

from tests.ldm_files import write_checkpoint
from tests.tiny import tiny_sd1
from tests.trainer.merging.loras import MODULES, lora, webui_weights
from tests.ui.conftest import Tab, served_tab
from tests.ui.test_looks import SCREENSHOTS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint, and two LoRAs that fit it."""
    folder = tmp_path_factory.mktemp("here")
    (folder / "models" / "Stable-diffusion").mkdir(parents=True)
    write_checkpoint(tiny_sd1(tmp_path_factory.mktemp("sd1")), folder / "models" / "Stable-diffusion" / "base.safetensors", "sd1")
    lora(folder / "models" / "Lora" / "watch.safetensors")
    lora(folder / "models" / "Lora" / "other-type.safetensors", "loha", rank=2)
    return folder


@pytest.fixture(scope="module")
def tab(chromium: str, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with served_tab(tmp_path_factory.mktemp("tab"), folder) as tab:
        tab.get("inventory", fresh=1)
        yield tab


@pytest.fixture(scope="module")
def checkpoints(folder: Path) -> Path:
    return folder / "models" / "Stable-diffusion"


@pytest.fixture(scope="module")
def loras(folder: Path) -> Path:
    return folder / "models" / "Lora"


def test_baking_and_extracting(page: Page, tab: Tab, checkpoints: Path, loras: Path):
    """What was baked is what the WebUI computes with the LoRA, and extracting gives that back."""
    form = opened(page, "bake", "Bake into a checkpoint")
    chosen(page, form.get_by_role("combobox", name="Checkpoint", exact=True), "base")
    chosen(page, form.get_by_role("combobox", name="LoRA", exact=True), "watch")
    form.get_by_role("spinbutton", name="Weight", exact=True).fill("0.8")
    form.get_by_label("Name", exact=True).fill("baked")
    begin(page, form, "Bake into a checkpoint", "baked")
    baked = load_file(checkpoints / "baked.safetensors")
    wanted = webui_weights(checkpoints / "base.safetensors", [(loras / "watch.safetensors", 0.8)])
    assert baked.keys() == wanted.keys()
    for name, tensor in wanted.items():
        torch.testing.assert_close(baked[name].float(), tensor, rtol=0, atol=2e-3)
    page.screenshot(path=SCREENSHOTS / "merge-baked.png", full_page=True)

    form = opened(page, "extract", "Extract a LoRA")
    first, second = form.get_by_role("combobox", name="Checkpoint", exact=True).all()
    chosen(page, first, "base")
    chosen(page, second, "baked")
    form.get_by_role("spinbutton", name="Rank", exact=True).fill("4")
    form.get_by_label("Modules", exact=True).select_option("all")
    form.get_by_label("Name", exact=True).fill("extracted")
    begin(page, form, "Extract a LoRA", "extracted")
    again = webui_weights(checkpoints / "base.safetensors", [(loras / "extracted.safetensors", 1.0)])
    for name, tensor in wanted.items():
        torch.testing.assert_close(again[name], tensor, rtol=0, atol=5e-3)
    page.screenshot(path=SCREENSHOTS / "merge-extracted.png", full_page=True)


def test_resizing_and_once_more(page: Page, tab: Tab, loras: Path):
    form = opened(page, "resize", "Resize a LoRA")
    chosen(page, form.get_by_role("combobox", name="LoRA", exact=True), "watch")
    form.get_by_role("spinbutton", name="Rank", exact=True).fill("2")
    form.get_by_label("Name", exact=True).fill("small")
    begin(page, form, "Resize a LoRA", "small")
    assert ranks(loras / "small.safetensors") == {2}
    page.screenshot(path=SCREENSHOTS / "merge-resized.png", full_page=True)
    page.get_by_role("button", name="Once more").click()
    expect(page.get_by_role("region", name="Result")).to_contain_text("small-2")
    first, second = (load_file(loras / f"{name}.safetensors") for name in ("small", "small-2"))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_converting(page: Page, tab: Tab, loras: Path):
    form = opened(page, "convert", "Convert a LoRA")
    chosen(page, form.get_by_role("combobox", name="LoRA", exact=True), "other-type")
    form.get_by_label("Type", exact=True).select_option("lora")
    form.get_by_label("Names", exact=True).select_option("diffusers")
    form.get_by_label("Name", exact=True).fill("converted")
    begin(page, form, "Convert a LoRA", "converted")
    page.screenshot(path=SCREENSHOTS / "merge-converted.png", full_page=True)
    tensors = load_file(loras / "converted.safetensors")
    assert len(tensors) == 2 * len(MODULES)
    assert all(name.startswith(("unet.", "text_encoder.")) and name.endswith(("lora_A.weight", "lora_B.weight")) for name in tensors)
    with safe_open(loras / "converted.safetensors", "pt") as file:
        assert "lora_adapter_metadata" in file.metadata()


def opened(page: Page, command: str, title: str) -> Locator:
    """The form of a command."""
    page.goto(f"/#merge?do={command}")
    return page.get_by_role("region", name=title, exact=True).first


def chosen(page: Page, field: Locator, name: str) -> None:
    field.click()
    page.get_by_role("option", name=name, exact=True).click()


def begin(page: Page, form: Locator, title: str, name: str) -> None:
    """Start it, and wait for what it makes."""
    expect(form.get_by_role("status")).to_contain_text(f"Becomes {name}")
    form.get_by_role("button", name=title).click()
    expect(page.get_by_role("region", name="Result")).to_contain_text(name)


def ranks(file: Path) -> set[int]:
    return {tensor.shape[0] for name, tensor in load_file(file).items() if name.endswith("lora_down.weight")}

"""Are LoRAs merged on the page, warned of before, drawn with after, tried before, and kept out of each other's way?"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from safetensors.torch import load_file, save_file

from tests.ui.conftest import ROOT, Tab, served_tab
from tests.ui.test_looks import SCREENSHOTS

UNET = ROOT / "lib_extension" / "models" / "demo" / "unet" / "diffusion_pytorch_model.safetensors"

RECIPE = {
    "version": 1,
    "name": "watch",
    "settings": {"steps": 2, "width": 64, "height": 64, "sampler_name": "Euler", "scheduler": "Automatic"},
    "stages": [{"id": "base", "type": "txt2img", "prompt": "a watch"}],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two LoRAs for the demo model."""
    folder = tmp_path_factory.mktemp("here")
    shapes = {name: shape for name, shape in _shapes(UNET).items() if name.endswith(("attn2.to_q.weight", "attn2.to_k.weight"))}
    for number, lora in enumerate(("watch", "beach")):
        generator = torch.Generator().manual_seed(number)
        tensors = {}
        for name, (out, into) in shapes.items():
            module = "lora_unet_" + name.removesuffix(".weight").replace(".", "_")
            tensors[f"{module}.lora_down.weight"] = torch.randn(2, into, generator=generator)
            tensors[f"{module}.lora_up.weight"] = torch.randn(out, 2, generator=generator) * 0.02
            tensors[f"{module}.alpha"] = torch.tensor(2.0)
        (folder / "models" / "Lora").mkdir(parents=True, exist_ok=True)
        save_file(tensors, folder / "models" / "Lora" / f"{lora}.safetensors")
    return folder


@pytest.fixture(scope="module")
def tab(chromium: str, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with served_tab(tmp_path_factory.mktemp("tab"), folder) as tab:
        tab.get("inventory", fresh=1)
        yield tab


def test_two_loras_become_one_that_can_be_drawn_with(page: Page, tab: Tab, folder: Path):
    tab.open_draft(RECIPE)
    page.goto("/#merge")
    form = page.get_by_role("region", name="Merge LoRAs", exact=True).first
    start = form.get_by_role("button", name="Merge LoRAs")
    expect(start).to_be_disabled()
    (first, name), (second, other) = fields(form)
    first.click()
    page.get_by_role("option", name=name).click()
    form.get_by_role("button", name="Choose by picture").nth(1).click()
    cards = page.get_by_role("dialog")
    page.screenshot(path=SCREENSHOTS / "merge-cards.png")
    cards.get_by_role("searchbox", name="Search").fill("bea")
    expect(cards.get_by_role("listitem")).to_have_count(1)
    cards.get_by_role("button", name=other).click()
    expect(cards).to_have_count(0)
    expect(second).to_have_value(other)
    expect(form.locator('[data-path="loras"] > div > .atelier-note')).to_contain_text("The weights add up to 2")
    expect(form.get_by_role("status")).to_contain_text("Becomes watch")
    form.get_by_text("3 more settings").first.click()
    form.get_by_role("button", name="OUTALL").first.click()
    expect(form.get_by_role("textbox", name="Block weights").first).to_have_value("OUTALL")
    form.get_by_label("Name", exact=True).fill("both")
    expect(form.get_by_role("status")).to_contain_text("Becomes both")
    page.screenshot(path=SCREENSHOTS / "merge-form.png", full_page=True)
    start.click()
    result = page.get_by_role("region", name="Result")
    expect(result).to_contain_text("both")
    tensors = load_file(folder / "models" / "Lora" / "both.safetensors")
    assert {tensor.shape[0] for name, tensor in tensors.items() if name.endswith("lora_down.weight")} <= {2, 4}
    page.screenshot(path=SCREENSHOTS / "merge-result.png", full_page=True)
    page.reload()
    result.get_by_role("button", name="Into the prompt").click()
    expect(page.get_by_text("It is in the prompt")).to_be_visible()
    page.wait_for_timeout(1500)
    assert tab.get("draft")["recipe"]["settings"]["prompt"] == "<lora:both:1>"
    result.get_by_role("button", name="Look into it").click()
    looked = page.get_by_role("region", name="Look into a file").first
    looked.get_by_role("button", name="Look into a file").click()
    job = page.locator(".atelier-job")
    expect(job.get_by_role("log")).to_contain_text("OUT11   2 modules  rank 4")
    expect(job.locator("img")).to_have_count(1)
    contents = page.get_by_role("region", name="What is in it")
    expect(contents).to_contain_text("both")
    contents.locator("summary", has_text="OUT11").click()
    expect(contents.locator("details[open] li")).to_have_count(2)
    contents.get_by_text("All metadata").click()
    expect(contents).to_contain_text("sshs_model_hash")
    page.screenshot(path=SCREENSHOTS / "merge-inspect.png", full_page=True)
    assert "both" in tab.get("inventory")["loras"]


def test_what_is_wrong_is_said_beside_its_field(page: Page, tab: Tab, folder: Path):
    (folder / "models" / "Lora" / "broken.safetensors").write_bytes(b"\xff" * 64)
    told = tab.post("merging/check", {"kind": "resize", "config": {"file": "broken"}})
    assert "broken" in told["problem"]
    page.goto("/#merge?do=resize")
    form = page.get_by_role("region", name="Resize a LoRA", exact=True).first
    form.get_by_role("combobox", name="LoRA", exact=True).fill("broken")
    expect(form.locator('[data-path="file"] .atelier-note')).to_contain_text("broken")
    expect(form.get_by_role("button", name="Resize a LoRA")).to_be_disabled()
    (folder / "models" / "Lora" / "broken.safetensors").unlink()


def test_merges_are_tried_on_one_sheet_and_deleted(page: Page, tab: Tab, folder: Path):
    tab.open_draft(RECIPE)
    page.goto("/#merge")
    form = page.get_by_role("region", name="Merge LoRAs", exact=True).first
    for field, name in fields(form):
        field.fill(name)
    card = page.get_by_role("region", name="Try before saving")
    card.get_by_label("svd").check()
    card.get_by_label("All weights times").fill("0.5")
    card.get_by_label("Prompt of the sheet").fill("a red watch")
    card.get_by_role("button", name="Draw 2 of them").click()
    expect(card.get_by_role("button", name="Take its settings")).to_have_count(2)
    card.get_by_role("button", name="Take its settings").first.click()
    expect(form.get_by_label("Weight", exact=True).first).to_have_value("0.5")
    sheet = card.get_by_role("img", name="Sheet of what was tried")
    expect(sheet).to_be_visible(timeout=240_000)
    page.wait_for_function("image => image.complete && image.naturalWidth > image.naturalHeight", arg=sheet.element_handle())
    card.screenshot(path=SCREENSHOTS / "merge-tried.png")
    tried = folder / "models" / "Lora"
    assert len(list(tried.glob("atelier-try-*"))) == 2
    form.get_by_label("Name", exact=True).fill("kept")
    expect(form.get_by_role("status")).to_contain_text("Becomes kept")
    form.get_by_role("button", name="Merge LoRAs").click()
    result = page.get_by_role("region", name="Result")
    expect(result.get_by_role("img", name="The picture beside kept")).to_be_visible()  # that of the sheet
    assert (tried / "kept.png").read_bytes().startswith(b"\x89PNG")
    form.get_by_label("Weight", exact=True).first.fill("0.3")
    form.get_by_label("Name", exact=True).fill("other")
    expect(form.get_by_role("status")).to_contain_text("Becomes other")
    form.get_by_role("button", name="Merge LoRAs").click()
    expect(result.get_by_label("Prompt of the preview")).to_have_value("a red watch")
    result.get_by_role("button", name="Draw a preview").click()
    expect(result.get_by_role("img", name="The picture beside other")).to_be_visible(timeout=240_000)
    assert (tried / "other.png").read_bytes() != (tried / "kept.png").read_bytes()
    result.screenshot(path=SCREENSHOTS / "merge-preview.png")
    card.get_by_role("button", name="Delete what was tried (2)").click()
    expect(card.get_by_role("button", name="Delete what was tried")).to_have_count(0)
    assert list(tried.glob("atelier-try-*")) == []


def fields(form: Locator) -> list[tuple[Locator, str]]:
    """The form's fields for LoRAs, and what goes into each."""
    found = form.get_by_role("combobox", name="LoRA", exact=True)
    expect(found).to_have_count(2)
    return list(zip(found.all(), ("watch", "beach"), strict=True))


def _shapes(file: Path) -> dict[str, list[int]]:
    with file.open("rb") as opened:
        (length,) = struct.unpack("<Q", opened.read(8))
        header = json.loads(opened.read(length))
    return {name: told["shape"] for name, told in header.items() if name != "__metadata__"}

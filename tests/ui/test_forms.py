"""Is any settings' schema drawn as a form, and does what is typed into it come back as what the settings take?

Pages that ask for something else than recipes lean on this: they write no field of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from playwright.sync_api import Page, expect

from lib_extension.spec.settings import Settings, field, from_json, json_schema
from tests.ui.conftest import Tab


@dataclass(frozen=True)
class Plain(Settings):
    kind: Literal["plain"]
    weight: float = field(1.0, label="Weight", minimum=0, maximum=2, step=0.05)


@dataclass(frozen=True)
class Fine(Settings):
    kind: Literal["fine"]
    rank: int = field(8, label="Rank", minimum=1, maximum=128)
    alpha: float | None = field(None, label="Alpha", help="Empty: as the rank.")


@dataclass(frozen=True)
class Source(Settings):
    folder: str = field(label="Folder")
    repeats: int = field(1, label="Repeats", minimum=1)


@dataclass(frozen=True)
class Everything(Settings):
    """One field of each type that settings may have."""

    checkpoint: str = field(label="Checkpoint", names="checkpoints")
    network: Plain | Fine = field(label="Network")
    sources: list[Source] = field([], label="Sources")
    name: str = field("", label="Name")
    notes: str = field("", label="Notes", multiline=True)
    precision: Literal["fp32", "bf16"] = field("fp32", label="Precision")
    steps: int = field(100, label="Steps", minimum=1)
    rate: float = field(1e-4, label="Learning rate", minimum=0)
    mirror: bool = field(False, label="Mirror")
    bounds: tuple[int, int] = field((64, 512), label="Sides")
    tags: list[str] = field([], label="Tags")
    weights: dict[str, float] = field({}, label="Weights")
    sample: Plain | None = field(None, label="Sample")
    seed: int = field(0, label="Seed", advanced=True)


MOUNT = """async (schema) => {
  const base = new URL(document.getElementById("atelier_root").dataset.modules, document.baseURI);
  const [{ Form }, { AppContext }, { start }, { html, render }] = await Promise.all(
    ["form.mjs", "app.mjs", "main.mjs", "vendor/htm-preact.mjs"].map((name) => import(new URL(name, base))));
  const app = await start();
  const place = document.body.appendChild(document.createElement("section"));
  Object.assign(place, { className: "atelier", id: "form" });
  window.value = {};
  const draw = () => render(html`<${AppContext.Provider} value=${app}>
    <${Form} root=${schema} schema=${schema} value=${window.value} around=${{ id: ["form"], names: app.inventory.names }}
      onChange=${(next) => { window.value = next; draw(); }} /></${AppContext.Provider}>`, place);
  draw();
}"""


def test_any_settings_are_a_form(page: Page, tab: Tab):
    tab.open_draft(None)
    page.goto("/#jobs")
    expect(page.get_by_role("region", name="Worker environment")).to_be_visible()
    schema = json_schema(Everything)
    page.evaluate(MOUNT, schema)
    form = page.locator("#form")
    form.get_by_text("1 more setting").click()
    for name in schema["properties"]:
        expect(form.locator(f'.atelier-field[data-path="{name}"]')).to_have_count(1)

    form.get_by_label("Checkpoint", exact=True).fill("first")
    form.get_by_label("Notes", exact=True).fill("two\nlines")
    form.get_by_label("Precision", exact=True).select_option("bf16")
    form.get_by_label("Steps", exact=True).fill("250")
    form.get_by_label("Learning rate", exact=True).fill("0.00003")
    form.get_by_label("Mirror", exact=True).check()
    form.locator('[data-path="network"] select').first.select_option(label="Fine")
    form.locator('[data-path="network.rank"] input[type="number"]').fill("16")
    form.locator('[data-path="sources"]').get_by_role("button", name="Add").click()
    form.get_by_label("Folder", exact=True).fill("/pictures")
    form.get_by_label("Tags: add").fill("watch")
    form.get_by_label("Tags: add").press("Enter")
    form.get_by_role("switch", name="Sample").check()
    form.get_by_label("Seed", exact=True).fill("7")
    form.get_by_label("Seed", exact=True).press("Tab")

    tab.get("inventory")  # the form asked for names, which come when the engine has started
    told: dict[str, Any] = page.evaluate("window.value")
    assert from_json(Everything, told) == Everything(
        checkpoint="first",
        network=Fine(kind="fine", rank=16),
        sources=[Source("/pictures")],
        notes="two\nlines",
        precision="bf16",
        steps=250,
        rate=0.00003,
        mirror=True,
        tags=["watch"],
        sample=Plain(kind="plain"),
        seed=7,
    )

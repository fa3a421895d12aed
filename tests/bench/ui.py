"""Does the tab stay quick when there is much to show? `python -m tests.bench.ui [--json] [--only NAME,…]`.

Chromium without a GPU against the standalone server over a stub backend, each a process of its own. Frames are wall time, of which a busy
machine takes its part; beside them stands what scripts, styles and layout took of each (own_ms).
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.runs.stub_backend import running_stub
from tests.ui.conftest import NAMES, QUIET, ROOT, WIDE

SHARED: dict[str, Any] = {"steps": 4, "sampler_name": "Euler", "scheduler": "Automatic", "width": 128, "height": 128, "seed": 7}
SECONDS = 6.0  # that a page is scrolled
SPEED = 12  # pixels a frame: as fast as one can still look
LARGE = 4096  # pixels of the masked picture's sides

WANTED = {
    "tab_first_ms": "< 300",
    "tab_again_ms": "< 300",
    "sheet_still": "p95 <= 20",
    "sheet_updating": "p95 <= 20",
    "run_updating": "p95 <= 20",
    "strips_updating": "p95 <= 20",
    "events_kB_s": "< 20",
    "mask_4096": "p95 <= 20",
}

# Scrolls the element, or the window, down and up again by some pixels a frame; or only looks on.
SCROLL = """async ([selector, seconds, pixels]) => {
  const box = selector ? document.querySelector(selector) : document.scrollingElement;
  const frames = [];
  let down = 1, last = performance.now(), end = last + seconds * 1000;
  while (last < end) {
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    frames.push(now - last);
    last = now;
    const before = box.scrollTop;
    box.scrollTop += down * pixels;
    if (pixels && box.scrollTop === before) down = -down;
  }
  return frames.slice(2);
}"""
SHOWN = """async (name) => {
  const began = performance.now();
  [...document.querySelectorAll(".atelier-tab")].find((one) => one.textContent.trim() === name).click();
  const isThere = () => document.querySelector(`.atelier-page[data-page="${name.toLowerCase()}"] > :not(.atelier-loading)`);
  while (!isThere()) await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return performance.now() - began;
}"""


class Server:
    """The standalone tab in a process of its own."""

    def __init__(self, home: Path, backend: str) -> None:
        command = [sys.executable, "-m", "lib_extension", "serve", "--home", str(home), "--port", "0", "--backend", backend]
        environment = {**os.environ, "ATELIER_WORKER": str(home / "worker"), "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().removeprefix("Atelier is at ").split(" ")[0]
        self._client = httpx.Client(base_url=f"{self.url.rstrip('/')}/atelier/v1", timeout=120, trust_env=False)

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """The answer's value."""
        return self._client.request(method, f"/{path}", **more).raise_for_status().json()

    def open_draft(self, recipe: dict[str, Any] | None, inputs: dict[str, Any] | None = None) -> None:
        """Have the recipe open."""
        draft = {"revision": self.ask("GET", "draft")["revision"], "recipe": recipe, "inputs": inputs or {}, "base": ""}
        self.ask("PUT", "draft", json=draft)

    def until(self, run: str, done: int) -> None:
        """Wait for so many finished stage instances."""
        while sum(stage["done"] for stage in self.ask("GET", f"runs/{run}", params={"brief": 1})["stages"]) < done:
            time.sleep(0.3)

    def close(self) -> None:
        self._client.close()
        self._process.terminate()
        self._process.wait(60)


class Watch:
    """How many bytes of a run's events come in the seconds of a block."""

    def __init__(self, url: str, run: str) -> None:
        self.worst, self.mean = 0.0, 0.0
        self._address = f"{url.rstrip('/')}/atelier/v1/runs/{run}/events"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def _follow(self) -> None:
        sizes: dict[int, int] = {}
        began = time.monotonic()
        with httpx.stream("GET", self._address, timeout=30, trust_env=False) as answer:
            for text in answer.iter_bytes():
                second = int(time.monotonic() - began)
                sizes[second] = sizes.get(second, 0) + len(text)
                if self._ended.is_set():
                    break
        later = {second: size for second, size in sizes.items() if second > 1}  # at first all that happened is told
        self.worst = max(later.values(), default=0) / 1000
        self.mean = sum(later.values()) / max(1.0, time.monotonic() - began - 2) / 1000

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of a table")
    parser.add_argument("--only", default="", help=f"some of {', '.join(PARTS)}")
    chosen = parser.parse_args()
    parts = [name for name in chosen.only.split(",") if name] or list(PARTS)
    measured: dict[str, Any] = {"load": round(os.getloadavg()[0], 1)}
    for name in parts:
        with tempfile.TemporaryDirectory() as folder, running_stub(delay=0.04) as stub, sync_playwright() as playwright:
            server = Server(Path(folder), stub.url)
            browser = playwright.chromium.launch(executable_path=_chromium(), args=list(QUIET))
            try:
                measured |= PARTS[name](server, browser)
            finally:
                browser.close()
                server.close()
    if chosen.json:
        print(json.dumps(measured))
        return
    for name, value in measured.items():
        print(f"{name:18} {_told(value):70} {WANTED.get(name, '')}")


def tabs(server: Server, browser: Browser) -> dict[str, Any]:
    """Milliseconds from a click on a tab until its page is there, the first time and again; the worst of all pages."""
    server.open_draft(server.ask("GET", "recipes/product-shots")["recipe"])
    with _page(browser, f"{server.url}#refine") as page:
        page.wait_for_selector(".atelier-stage")
        names = ("Catalogue", "Runs", "Jobs", "Refine")
        first = {name: round(page.evaluate(SHOWN, name)) for name in names}
        again = {name: round(page.evaluate(SHOWN, name)) for name in names}
    return {"tab_first_ms": first, "tab_again_ms": again}


def sheet(server: Server, browser: Browser) -> dict[str, Any]:
    """The contact sheet of 50 rows and 12 columns, while half of it still comes, and when all is there."""
    axes = {"place": [f"place {n}" for n in range(12)]}
    stages = [{"id": "base", "type": "txt2img", "prompt": "{thing}, {place}"}]
    rows = [{"thing": f"thing {n}"} for n in range(50)]
    recipe = {"version": 1, "name": "sheet", "settings": SHARED, "stages": stages, "rows": rows, "axes": axes}
    server.open_draft(recipe)
    run = server.ask("POST", "runs", json={"recipe": recipe})["id"]
    server.until(run, 150)
    with _page(browser, f"{server.url}#catalogue?run={run}") as page:
        page.wait_for_selector(".atelier-sheet-cell img")
        updating = frames(page, "", SPEED)
        server.until(run, 600)
        page.wait_for_timeout(3000)
        still = frames(page, "", SPEED)
        cells = page.locator(".atelier-sheet-cell").count()
    return {"sheet_updating": updating, "sheet_still": still, "sheet_cells": cells}


def large(server: Server, browser: Browser) -> dict[str, Any]:
    """A run of 60 stages and 200 items at work: the page is scrolled, then its strips."""
    stages: list[dict[str, Any]] = [{"id": "s0", "type": "txt2img", "prompt": "{thing}"}]
    stages += [{"id": f"s{n}", "type": "img2img", "takes": f"s{n - 1}", "prompt": "{thing}"} for n in range(1, 60)]
    axes = {"thing": [f"thing {n}" for n in range(200)]}
    recipe = {"version": 1, "name": "large", "settings": SHARED, "stages": stages, "axes": axes}
    server.open_draft(recipe)
    run = server.ask("POST", "runs", json={"recipe": recipe, "confirm": True})["id"]
    server.until(run, 120)
    with Watch(server.url, run) as events, _page(browser, f"{server.url}#refine?run={run}") as page:
        page.wait_for_selector(".atelier-thumb img")
        page.wait_for_timeout(2000)
        whole = frames(page, "", SPEED)
        strips = frames(page, ".atelier-strips", SPEED)
    server.ask("POST", f"runs/{run}/cancel", params={"brief": 1})
    return {
        "run_updating": whole,
        "strips_updating": strips,
        "events_kB_s": {"mean": round(events.mean, 1), "worst": round(events.worst, 1)},
    }


def mask(server: Server, browser: Browser) -> dict[str, Any]:
    """Strokes of the brush over a picture of 4,096 × 4,096."""
    file = io.BytesIO()
    Image.linear_gradient("L").resize((LARGE, LARGE)).convert("RGB").save(file, "PNG")
    inputs = {"photo": {"type": "image"}, "where": {"type": "mask", "optional": True}}
    stages = [{"id": "redraw", "type": "inpaint", "takes": "photo", "mask": "where"}]
    photo = server.ask("POST", "pictures", content=file.getvalue(), headers={"Content-Type": "image/png"})["id"]
    server.open_draft({"version": 1, "name": "m", "inputs": inputs, "settings": SHARED, "stages": stages}, {"photo": photo})
    with _page(browser, f"{server.url}#refine") as page:
        page.locator('[data-picture-input="atelier-input-where"] button').first.wait_for()
        began = time.monotonic()
        page.get_by_role("button", name="draw").first.click()
        canvas = page.get_by_role("application")
        canvas.wait_for()
        page.wait_for_timeout(300)
        opened = time.monotonic() - began
        box = canvas.bounding_box()
        assert box is not None
        with _own(page) as own:
            page.evaluate(f"() => {{ window.looking = ({SCROLL})(['.atelier-paint', {SECONDS}, 0]) }}")
            end = time.monotonic() + SECONDS - 0.5
            page.mouse.move(box["x"] + 60, box["y"] + 60)
            page.mouse.down()
            step = 0
            while time.monotonic() < end:
                step += 1
                x = box["x"] + box["width"] * (0.5 + 0.4 * ((step * 7) % 100 / 50 - 1))
                page.mouse.move(x, box["y"] + box["height"] * (0.1 + 0.8 * (step % 60) / 60), steps=4)
            page.mouse.up()
            times = page.evaluate("window.looking")
            return {"mask_4096": _summary(times, own()), "mask_open_s": round(opened, 2)}


def frames(page: Page, selector: str, pixels: int) -> dict[str, float]:
    """How long frames took while something was scrolled."""
    with _own(page) as own:
        times = page.evaluate(SCROLL, [selector, SECONDS, pixels])
        return _summary(times, own())


def _summary(times: list[float], own: float) -> dict[str, float]:
    ordered = sorted(times)
    at = lambda share: round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)  # noqa: E731
    return {"p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "worst": at(1), "own_ms": round(1000 * own / len(times), 2)}


@contextmanager
def _own(page: Page) -> Iterator[Callable[[], float]]:
    """Seconds that the page's scripts, styles and layout have taken since the block began."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def taken() -> float:
        told = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        return sum(told[name] for name in ("ScriptDuration", "RecalcStyleDuration", "LayoutDuration"))

    before = taken()
    yield lambda: taken() - before
    session.detach()


@contextmanager
def _page(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(viewport=WIDE, locale="en-US")  # pyright: ignore[reportArgumentType]
    page = context.new_page()
    page.goto(address)
    yield page
    context.close()


def _chromium() -> str:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        sys.exit("There is no Chromium on this machine (Debian, Ubuntu: apt install chromium).")
    return found


def _told(value: object) -> str:
    return " ".join(f"{name} {number}" for name, number in value.items()) if isinstance(value, dict) else str(value)


PARTS = {"tabs": tabs, "sheet": sheet, "large": large, "mask": mask}

if __name__ == "__main__":
    main()

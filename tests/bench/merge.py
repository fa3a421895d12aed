"""What do merges cost? `python -m tests.bench.merge [--json] [--without-sdxl]`.

Each runs as its own process, as users start it. CPU seconds are beyond those of `import torch`, which run in turns with it; memory is the
highest resident size, pages of files included. Files are random, as large as the real ones, and in the page cache. What is called "hashing"
computes the SHA-256 of its checkpoints, as the first merge of each does; later ones remember it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # Before torch is imported, here and in the processes that are measured.
os.environ["HF_HUB_OFFLINE"] = "1"

ROOT = Path(__file__).parents[2]
WANTED = {
    "bake_sd15_cpu_s": "<= 3",
    "bake_sd15_gb": "<= 1",
    "bake_sdxl_gb": "<= 1",
    "svd_merge_cpu_s": "<= 0.7",
    "resize_cpu_s": "<= 0.35",
    "extract_cpu_s": "<= 5",
    "extract_error": "<= 0.006",
    "start_s": "<= 2",
}


@dataclass(frozen=True)
class Cost:
    """Of one process."""

    wall: float
    cpu: float
    gb: float
    moved_gb: float  # read and written, by calls
    told: dict[str, Any]  # its last event "result"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of a table")
    parser.add_argument("--without-sdxl", action="store_true", help="needs 5 GB of disk instead of 20")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=None, help="where the files are made; kept, if it is named")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.folder or Path(temporary)
        measured = measure(folder, chosen.rounds, not chosen.without_sdxl)
    if chosen.json:
        print(json.dumps(measured))
    else:
        for name, value in measured.items():
            print(f"{name:24} {value:10.3f}   {WANTED.get(name, '')}")


def measure(folder: Path, rounds: int, with_sdxl: bool) -> dict[str, float]:
    """Every number by its name."""
    from tests.bench import merge_files

    base = _there(folder / "sd15.safetensors", lambda file: merge_files.checkpoint(file, "sd1"))
    first, second = (_there(folder / f"lora{n}.safetensors", lambda file, n=n: merge_files.lora(file, base, n)) for n in (1, 2))
    tuned = folder / "tuned.safetensors"
    if not tuned.exists():
        _run("bake", str(base), str(first), "--output.folder", str(folder), "--output.name", "tuned")
    out = folder / "out"
    to = ("--output.folder", str(out))
    known = "0" * 64  # as from a checkpoint's second merge on, when its hash is remembered; the first one is "hashing"
    runs = {
        "bake_sd15": ("bake", str(base), str(first), "--checkpoint.sha256", known, *to),
        "bake_sd15_hashing": ("bake", str(base), str(first), *to),
        "svd_merge": ("merge", str(first), str(second), "--method", "svd", "--method.ranks.rank", "32", *to),
        "extract_hashing": ("extract", str(base), str(tuned), "--ranks.rank", "32", *to),
        "resize": ("resize", str(first), "--ranks.rank", "16", *to),
        "extract": ("extract", str(base), str(tuned), "--base.sha256", known, "--tuned.sha256", known, "--ranks.rank", "32", *to),
        "start": ("inspect", "--help"),
    }
    if with_sdxl:
        xl = _there(folder / "sdxl.safetensors", lambda file: merge_files.checkpoint(file, "sdxl"))
        xl_lora = _there(folder / "sdxl-lora.safetensors", lambda file: merge_files.lora(file, xl, 3))
        runs["bake_sdxl"] = ("bake", str(xl), str(xl_lora), "--checkpoint.sha256", known, *to)
        runs["bake_sdxl_hashing"] = ("bake", str(xl), str(xl_lora), *to)
    costs, importing = _in_turns(runs, rounds, out)
    measured = _summed(costs, importing)
    measured |= _copied(base, out, rounds)
    measured |= _on_all_cores(runs, out)
    return measured


def _there(file: Path, make: Any) -> Path:
    return file if file.exists() else make(file)


def _in_turns(runs: dict[str, tuple[str, ...]], rounds: int, out: Path) -> tuple[dict[str, list[Cost]], list[Cost]]:
    costs: dict[str, list[Cost]] = {name: [] for name in runs}
    importing: list[Cost] = []
    for _ in range(rounds):
        for name, arguments in runs.items():
            importing.append(_process([sys.executable, "-c", "import torch"]))
            costs[name].append(_run(*arguments))
            _empty(out)
    return costs, importing


def _summed(costs: dict[str, list[Cost]], importing: list[Cost]) -> dict[str, float]:
    imported = median(cost.cpu for cost in importing)
    measured: dict[str, float] = {}
    for name, of_one in costs.items():
        if name != "start":
            measured[f"{name}_cpu_s"] = median(cost.cpu for cost in of_one) - imported
            measured[f"{name}_gb"] = max(cost.gb for cost in of_one)
            measured[f"{name}_wall_s"] = median(cost.wall for cost in of_one)
            measured[f"{name}_moved_gb"] = max(cost.moved_gb for cost in of_one)
    measured["extract_error"] = max(cost.told["error"] for cost in costs["extract"])
    measured["start_s"] = median(cost.wall for cost in costs["start"])
    measured["import_torch_cpu_s"] = imported
    measured["import_torch_wall_s"] = median(cost.wall for cost in importing)
    return measured


def _copied(file: Path, out: Path, rounds: int) -> dict[str, float]:
    """The same file by cp, without and with waiting for the disk."""
    out.mkdir(exist_ok=True)
    copies: list[Cost] = []
    flushes: list[float] = []
    for _ in range(rounds):
        copies.append(_process(["cp", "--reflink=never", str(file), str(out / "copy")]))
        begun = time.perf_counter()
        with (out / "copy").open("rb") as copy:
            os.fsync(copy.fileno())
        flushes.append(copies[-1].wall + time.perf_counter() - begun)
        _empty(out)
    return {
        "cp_wall_s": median(cost.wall for cost in copies),
        "cp_cpu_s": median(cost.cpu for cost in copies),
        "cp_fsync_wall_s": median(flushes),
    }


def _on_all_cores(runs: dict[str, tuple[str, ...]], out: Path) -> dict[str, float]:
    measured = {}
    for name in ("bake_sd15", "svd_merge", "resize", "extract"):
        measured[f"{name}_all_cores_wall_s"] = _run(*runs[name], threads=str(os.cpu_count())).wall
        _empty(out)
    return measured


def _run(*arguments: str, threads: str = "1") -> Cost:
    return _process([sys.executable, "-m", "trainer", *arguments], threads)


def _process(command: list[str], threads: str = "1") -> Cost:
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryDirectory() as cache:  # in which no hash is remembered
        environment = {**os.environ, "OMP_NUM_THREADS": threads, "XDG_CACHE_HOME": cache}
        begun = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, text=True)
        moved = highest = 0
        while True:
            moved, highest = max(moved, _moved(process.pid)), max(highest, _highest(process.pid))
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(0.005)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        lines = output.read().splitlines()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {lines[-1:]}")
    events = [json.loads(line) for line in lines if line.startswith("{")]
    told = next((event for event in reversed(events) if event["event"] == "result"), {})
    return Cost(wall, usage.ru_utime + usage.ru_stime, highest / 1e9, moved / 1e9, told)


def _moved(pid: int) -> int:
    """Bytes read and written until now."""
    try:
        told = Path(f"/proc/{pid}/io").read_text()
    except OSError:
        return 0
    numbers = dict(line.split(": ") for line in told.splitlines())
    return int(numbers.get("rchar", 0)) + int(numbers.get("wchar", 0))


def _highest(pid: int) -> int:
    """The most bytes that were resident until now. The system's own sum counts this process too, from which that one was forked."""
    try:
        told = Path(f"/proc/{pid}/status").read_text()
        return 1024 * int(told.partition("VmHWM:")[2].split()[0])
    except (OSError, IndexError):
        return 0


def _empty(folder: Path) -> None:
    for file in folder.iterdir() if folder.is_dir() else ():
        file.unlink()


if __name__ == "__main__":
    main()

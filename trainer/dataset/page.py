"""How do the findings of a check become a page with thumbnails, and JSON for programs?"""

from __future__ import annotations

import base64
import io
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import Any

from lib_extension.captions.files import write_bytes
from lib_extension.spec.dataset import CheckSettings
from lib_extension.spec.errors import BadFile
from lib_extension.spec.settings import to_json
from trainer.data.buckets import Fit
from trainer.dataset.findings import KINDS, Finding, clusters_in
from trainer.dataset.seen import Seen

PAGE, DATA = "report.html", "report.json"
MOST_SHOWN = 600  # thumbnails on the page; all findings are in the JSON
_IN_A_ROW = 12  # pictures of a cluster that are shown

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --mark: #e0463c; --quiet: #6b6b6b; }
@media (prefers-color-scheme: dark) { :root { --quiet: #a0a0a0; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .75rem; border-bottom: 1px solid var(--line); }
p, small { color: var(--quiet); } table { border-collapse: collapse; } td, th { padding: .15rem 1rem .15rem 0; text-align: left; }
ul { list-style: none; padding: 0; display: grid; gap: .75rem; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); }
li { display: flex; gap: .75rem; border: 1px solid var(--line); border-radius: .5rem; padding: .5rem; }
li > :last-child { flex: 1; min-width: 0; overflow-wrap: anywhere; }
.grid { grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); } .grid li { flex-direction: column; gap: .4rem; }
.picture { position: relative; line-height: 0; overflow: hidden; border-radius: .25rem; align-self: start; flex: none; }
.picture img { width: auto; height: auto; max-width: 7rem; max-height: 7rem; }
.picture i { position: absolute; outline: 2px solid var(--mark); outline-offset: -2px; box-shadow: 0 0 0 10rem #000a; }
.none { width: 7rem; height: 5rem; background: repeating-linear-gradient(45deg, var(--line) 0 1px, #0000 1px .5rem); }
.beside { max-width: 3.5rem; } .beside img { max-width: 3.5rem; max-height: 5rem; }
.cluster { grid-column: 1 / -1; flex-wrap: wrap; } .cluster figure { margin: 0; width: 7rem; } .cluster > :last-child { flex-basis: 100%; }
b, small { display: block; overflow-wrap: anywhere; } b { font-weight: 600; }
"""


def make_folder(folder: Path) -> None:
    """For both files. Raises BadFile where it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise BadFile(f'The folder "{folder}" for the report cannot be made: {problem.strerror}.') from problem


def write_report(folder: Path, settings: CheckSettings, seen: Sequence[Seen], findings: Sequence[Finding]) -> None:
    """Both files, each whole or not there. Raises BadFile where they cannot be written."""
    write_bytes(folder / DATA, json.dumps(as_data(settings, seen, findings), ensure_ascii=False, indent=1).encode())
    write_bytes(folder / PAGE, as_page(settings, seen, findings).encode())


def as_data(settings: CheckSettings, seen: Sequence[Seen], findings: Sequence[Finding]) -> dict[str, Any]:
    """For programs, such as the tab's page."""
    return {
        "settings": to_json(settings),
        "pictures": [_picture(one) for one in seen],
        "findings": [asdict(finding) for finding in findings],
        "clusters": clusters_in(findings),  # of pictures that look alike, of each the one first that is proposed to be kept
        "buckets": [{"height": size[0], "width": size[1], "pictures": often} for size, often in buckets_of(seen)],
    }


def buckets_of(seen: Iterable[Seen]) -> list[tuple[tuple[int, int], int]]:
    """Each bucket's (height, width) and how many pictures it would get, the fullest first."""
    return sorted(Counter(one.fit.bucket for one in seen if one.fit).items(), key=lambda item: (-item[1], item[0]))


def _picture(one: Seen) -> dict[str, Any]:
    told: dict[str, Any] = {"name": one.name, "width": one.look.width, "height": one.look.height}
    if one.facts:
        told |= {name: round(getattr(one.facts, name), 3) for name in ("sharpness", "brightness", "clipped")}
    if one.fit:
        told |= {
            "bucket": {"height": one.fit.bucket[0], "width": one.fit.bucket[1]},
            "kept": round(one.fit.kept, 3),
            "crop": _frame(one.fit),
        }
    return told


def _frame(fitted: Fit) -> dict[str, float]:
    """The crop as shares of the picture."""
    (height, width), (top, left) = fitted.resized, fitted.crop
    return {
        "left": round(left / width, 4),
        "top": round(top / height, 4),
        "right": round((left + fitted.bucket[1]) / width, 4),
        "bottom": round((top + fitted.bucket[0]) / height, 4),
    }


def as_page(settings: CheckSettings, seen: Sequence[Seen], findings: Sequence[Finding]) -> str:
    """One file that needs nothing else."""
    by_name = {one.name: one for one in seen}
    often = Counter(finding.kind for finding in findings)
    rows = "".join(f"<tr><th>{escape(title)}<td>{often[kind]}" for kind, title in KINDS.items() if often[kind])
    sizes = ", ".join(f"{width} × {height}: {number}" for (height, width), number in buckets_of(seen))
    sections = "".join(
        f"<h2>{escape(title)} ({often[kind]})</h2><ul>{_listed([f for f in findings if f.kind == kind], by_name)}</ul>"
        for kind, title in KINDS.items()
        if often[kind]
    )
    shown = "".join(f"<li>{_thumbnail(one)}<small>{escape(one.name)}</small></li>" for one in seen[:MOST_SHOWN] if one.facts)
    more = f"<p>The first {MOST_SHOWN} of {len(seen)}.</p>" if len(seen) > MOST_SHOWN else ""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(Path(settings.folder).name)}</title><style>{_STYLE}</style>"
        f"<h1>{len(seen)} pictures, {len(findings)} findings</h1><p>{escape(settings.folder)}</p>"
        f"<table>{rows or '<tr><td>Nothing was found.'}</table>{sections}"
        f"<h2>How each is cropped</h2><p>Buckets for {settings.resolution} pixels: {escape(sizes) or 'none'}</p>{more}"
        f'<ul class="grid">{shown}</ul></html>'
    )


def _listed(findings: Sequence[Finding], by_name: dict[str, Seen]) -> str:
    """Findings of one kind; of pictures that look alike all that belong together at once."""
    if findings[0].kind == "alike":
        shown = [_cluster(names, by_name) for names in clusters_in(findings)[: MOST_SHOWN // _IN_A_ROW]]
        more = len(clusters_in(findings)) - len(shown)
    else:
        shown = [_finding(finding, by_name[finding.name], [by_name[name] for name in finding.with_it]) for finding in findings[:MOST_SHOWN]]
        more = len(findings) - len(shown)
    return "".join(shown) + (f"<li><small>and {more} more, see {DATA}</small></li>" if more else "")


def _cluster(names: Sequence[str], by_name: dict[str, Seen]) -> str:
    figures = "".join(
        f"<figure>{_thumbnail(by_name[name], framed=False)}<small>{escape(name)}</small></figure>" for name in names[:_IN_A_ROW]
    )
    more = f", of which {_IN_A_ROW} are shown" if len(names) > _IN_A_ROW else ""
    what = f"<b>{len(names)} pictures, each of which looks like another{more}</b>"
    proposal = f"<small>Keep {escape(names[0])}, the largest or the sharpest, and those that differ in what counts.</small>"
    return f'<li class="cluster">{figures}<span>{what}{proposal}</span></li>'


def _finding(finding: Finding, one: Seen, others: Sequence[Seen]) -> str:
    what = f"<b>{escape(finding.name)}</b>{escape(finding.what)}<small>{escape(finding.proposal)}</small>"
    beside = "".join(_thumbnail(other, "picture beside", framed=False) for other in others)
    return f"<li>{_thumbnail(one)}{beside}<span>{what}</span></li>"


def _thumbnail(one: Seen, look: str = "picture", framed: bool = True) -> str:
    """With what the crop leaves, where it does not leave all; what it cuts away is darkened."""
    thumbnail = one.thumbnail
    if thumbnail is None:
        return '<span class="picture none"></span>'
    data = io.BytesIO()
    thumbnail.save(data, "WEBP", quality=70)
    frame = ""
    if framed and one.fit and one.fit.kept < 0.999:
        box = _frame(one.fit)
        style = (
            f"left:{box['left']:.1%};top:{box['top']:.1%};width:{box['right'] - box['left']:.1%};height:{box['bottom'] - box['top']:.1%}"
        )
        frame = f'<i style="{style}"></i>'
    source = base64.b64encode(data.getvalue()).decode()
    size = f'width="{thumbnail.width}" height="{thumbnail.height}"'
    return f'<span class="{look}"><img {size} alt="{escape(one.name)}" src="data:image/webp;base64,{source}">{frame}</span>'

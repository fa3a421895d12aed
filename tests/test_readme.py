"""Is the README true: its file tree, its links, the paths that it names?"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def tree() -> set[str]:
    """Every path of the section "Files"."""
    paths, folders = set(), [""]
    section = TEXT.split("## Files")[1].split("\nImports")[0]
    for line in section.splitlines():
        found = re.match(r"    ( *)(\S+)", line)
        if found:
            depth = len(found[1]) // 2
            folders[depth + 1 :] = [folders[depth] + found[2]]
            paths.add(folders[depth + 1])
    return paths


def test_the_tree_shows_what_is_there() -> None:
    missing = [path for path in tree() if not (ROOT / path).exists()]
    assert not missing
    folders = {f"lib_extension/{path.name}/" for path in (ROOT / "lib_extension").iterdir() if (path / "__init__.py").is_file()}
    assert folders <= tree()
    assert "trainer/" in tree()


def test_links_and_paths_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", TEXT) if not link.startswith("http")]
    named = re.findall(r"`((?:lib_extension|tests)/[\w./]+)`", TEXT)
    assert links
    assert named
    assert [path for path in (*links, *named) if not leads_somewhere(path)] == []


def leads_somewhere(link: str) -> bool:
    """Whether the file is there and has the heading after `#`, spelt as GitHub spells it in addresses."""
    path, _, place = link.partition("#")
    file = ROOT / path if path else ROOT / "README.md"
    if not place or not file.is_file():
        return file.exists() and not place
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return place in [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]

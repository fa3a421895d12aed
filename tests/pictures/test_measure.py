from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from lib_extension.pictures.measure import size_of_file


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP"])
def test_the_size_stands_at_the_beginning(tmp_path: Path, kind: str):
    Image.new("RGB", (37, 21)).save(tmp_path / "it", kind)
    assert size_of_file(tmp_path / "it") == (37, 21)


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0", b"<svg/>", b"\xff\xd8\xff\xe0"])
def test_what_is_no_picture_has_no_size(tmp_path: Path, content: bytes):
    (tmp_path / "it").write_bytes(content)
    assert size_of_file(tmp_path / "it") == (0, 0)
    assert size_of_file(tmp_path / "nothing") == (0, 0)

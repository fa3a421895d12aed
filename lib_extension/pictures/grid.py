"""How several pictures become one: the WebUI's grid, and a contact sheet with labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt

from PIL import Image, ImageDraw, ImageFont

from lib_extension.pictures.masks import Box
from lib_extension.pictures.png import MOST_PIXELS
from lib_extension.spec.errors import TooLarge

WHITE = (255, 255, 255)
INK = (32, 32, 32)


def image_grid(pictures: Sequence[Image.Image], rows: int | None = None) -> Image.Image:
    """The pictures row by row on white, each centred in a cell of the largest one's size. Without `rows`, about as many as columns."""
    rows = min(rows or round(sqrt(len(pictures))), len(pictures))
    columns = ceil(len(pictures) / rows)
    cell_width, cell_height = max(p.width for p in pictures), max(p.height for p in pictures)
    grid = Image.new("RGB", (columns * cell_width, rows * cell_height), WHITE)
    for i, picture in enumerate(pictures):
        left = i % columns * cell_width + (cell_width - picture.width) // 2
        top = i // columns * cell_height + (cell_height - picture.height) // 2
        grid.paste(picture, (left, top))
    return grid


@dataclass(frozen=True)
class Sheet:
    """Pictures on one, and the box of each, in their order."""

    image: Image.Image
    cells: tuple[Box, ...]


def labelled_sheet(
    pictures: Sequence[Image.Image],
    labels: Sequence[str],
    *,
    columns: int = 0,
    heading: str = "",
    gap: int = 8,
    background: tuple[int, int, int] = WHITE,
) -> Sheet:
    """Pictures row by row, each with its label below it; without `columns`, about as many as rows.

    Every picture is shown in full; columns are as wide as their widest picture, rows as high as their highest with its label. TooLarge
    where the sheet could not be opened again.
    """
    columns = min(columns or ceil(sqrt(len(pictures))), len(pictures))
    rows = [range(start, min(start + columns, len(pictures))) for start in range(0, len(pictures), columns)]
    widths = [max(pictures[i].width for i in range(column, len(pictures), columns)) for column in range(columns)]
    font = _font(max(12, min(24, min(widths) // 12)))
    texts = [_wrap(label, font, widths[i % columns]) for i, label in enumerate(labels)]
    text_heights = [max((_text_size(texts[i], font)[1] + 4 for i in row if texts[i]), default=0) for row in rows]
    heights = [max(pictures[i].height for i in row) for row in rows]
    total_width = sum(widths) + gap * (columns + 1)
    head = _wrap(heading, font, total_width - 2 * gap)
    head_height = _text_size(head, font)[1] + 4 if head else 0
    total_height = head_height + sum(heights) + sum(text_heights) + gap * (len(rows) + 1)
    if total_width * total_height > MOST_PIXELS:
        raise TooLarge(f"The sheet would have {total_width}×{total_height} pixels; {MOST_PIXELS // 1_000_000} megapixels is the most.")
    sheet = Image.new("RGB", (total_width, total_height), background)
    ink = INK if sum(background) > 3 * 127 else WHITE
    draw = ImageDraw.Draw(sheet)
    draw.multiline_text((gap, gap), head, ink, font)
    cells: list[Box] = []
    top = head_height + gap
    for row, height, text_height in zip(rows, heights, text_heights, strict=True):
        for i in row:
            column = i % columns
            left = gap + sum(widths[:column]) + gap * column + (widths[column] - pictures[i].width) // 2
            upper = top + height - pictures[i].height  # labels stand right below their pictures
            mask = pictures[i].getchannel("A") if pictures[i].mode == "RGBA" else None
            sheet.paste(pictures[i].convert("RGB"), (left, upper), mask)
            draw.multiline_text((left, top + height + 2), texts[i], ink, font)
            cells.append((left, upper, left + pictures[i].width, upper + pictures[i].height))
        top += height + text_height + gap
    return Sheet(sheet, tuple(cells))


Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def _font(size: int) -> Font:
    try:
        return ImageFont.load_default(size)
    except TypeError:  # Pillow before 10.1, which the WebUI has, knows one small font only
        return ImageFont.load_default()


def _text_size(text: str, font: Font) -> tuple[int, int]:
    left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox((0, 0), text, font)
    return int(right - left), int(bottom - top) + 4  # some room below the baseline


def _wrap(text: str, font: Font, width: int) -> str:
    if not isinstance(font, ImageFont.FreeTypeFont):
        text = text.encode("latin-1", "replace").decode("latin-1")  # the small font has no other letters, and fails at them
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _text_size(longer, font)[0] <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)

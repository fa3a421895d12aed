"""The pictures of a sheet as pictures of their own again, after something was drawn on the sheet as a whole."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lib_extension.pictures.masks import Box
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import field
from lib_extension.stages.frame import with_image
from lib_extension.stages.stage import Given, Outcome, Picture, Stage, StageType, Work


@dataclass(frozen=True, kw_only=True)
class CutStage(Stage):
    """Cuts cells of a sheet out of each picture that it takes: the sheet itself, or what was made of it since."""

    type: Literal["cut"] = field(label="Type")
    of: str = field(
        "", label="Sheet", help="The sheet stage that knows where the cells lie. Empty: the picture taken is that sheet.", source="picture"
    )
    which: tuple[int, ...] = field(label="Which cells", minimum=0, help="Counted from 0, in the order of the results.")

    def check(self) -> None:
        """Refuse to cut nothing."""
        if not self.which:
            raise BadRequest('"which" is empty; name the cells to cut out, counted from 0, such as [0, 1].')


def work(given: Given) -> Work:
    """Asks nobody. A sheet that was enlarged since has its cells enlarged with it."""
    yield from ()
    stage: CutStage = given.stage
    taken = given.taken[0]
    image, boxes = taken.image, _boxes(stage, given.others[stage.of] if stage.of else taken, taken)
    own = dataclasses.replace(taken, facts={})  # those of the whole sheet
    return Outcome(tuple(with_image(own, image.crop(boxes[place])) for place in stage.which))


def _boxes(stage: CutStage, sheet: Picture, taken: Picture) -> Sequence[Box]:
    """Where each cell of the sheet lies in the picture taken."""
    name = f'"{stage.of}"' if stage.of else f'What "{stage.id}" takes'
    cells = sheet.facts.get("cells")
    if not cells:
        raise BadRequest(f'{name} has no cells: it is no sheet. Name a sheet stage in "of".')
    if max(stage.which) >= len(cells):
        raise BadRequest(f'"{stage.id}" asks for cell {max(stage.which)}, but the sheet has {len(cells)}: 0 to {len(cells) - 1}.')
    (width, height), (own_width, own_height) = taken.image.size, sheet.image.size
    across, down = width / own_width, height / own_height
    if abs(across / down - 1) > 0.01:
        told = f"{name} is {own_width}×{own_height}, the picture to cut {width}×{height}"
        raise BadRequest(f"{told}: other proportions, so that the cells cannot be found in it.")
    return [(round(a * across), round(b * down), round(c * across), round(d * down)) for a, b, c, d in cells]


TYPE = StageType(
    "cut",
    CutStage,
    work,
    takes="each",
    count=lambda stage, taken: len(stage.which),
    references=lambda stage: (stage.of,) if stage.of else (),
    local=lambda stage: True,
)

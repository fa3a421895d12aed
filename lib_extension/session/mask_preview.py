"""What would a mask choose of a picture? Made as a run would make it, by the networks of the engine where it needs one."""

from __future__ import annotations

import secrets
from collections.abc import Generator, Mapping
from dataclasses import dataclass

from PIL import Image, ImageStat

from lib_extension.backend.errors import Missing
from lib_extension.backend.pool import Pool
from lib_extension.pictures.png import encode_png
from lib_extension.runs.blobs import Blobs
from lib_extension.runs.ledger import Ledger
from lib_extension.spec.calls import Call
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import read_value
from lib_extension.stages.mask_use import MaskUse, mask_names, mask_of, refuse_nothing
from lib_extension.stages.stage import Answer, Given, Picture


@dataclass(frozen=True)
class MaskShown:
    """A mask by its id, and how much it chooses (0 to 1); without a picture, why there is none."""

    picture: str | None
    area: float
    reason: str = ""


@dataclass(frozen=True)
class MaskShow:
    """Makes them, with what a session has."""

    ledger: Ledger
    blobs: Blobs
    pool: Pool

    def show(self, mask: object, picture: bytes | str, others: Mapping[str, bytes | str]) -> MaskShown:
        """The mask for a picture; `others` are those of stages and inputs that it names. BadRequest names the field.

        A picture is a file's content or the id of one that is stored. May wait for an engine to start.
        """
        use: MaskUse = read_value(MaskUse, mask, "mask")
        refuse_nothing(use, "mask")
        if unknown := [name for name in mask_names(use) if name not in others]:
            raise BadRequest(
                f'The mask looks at "{unknown[0]}", whose picture is not there yet. Run that stage first, or choose a picture.'
            )
        known = {name: self._picture(other) for name, other in others.items()}
        found = self._carry_out(mask_of(use, Given(None, (self._picture(picture),), known)))
        if found is None:
            return MaskShown(None, 0.0, "Nothing was found to choose.")
        return MaskShown(self.blobs.put(encode_png(found)), round(ImageStat.Stat(found).mean[0] / 255, 4))

    def _picture(self, picture: bytes | str) -> Picture:
        """With what is known of it, such as where a sheet's cells are."""
        if isinstance(picture, bytes):
            return Picture(picture)
        for key, index in self.ledger.results.with_blob(picture)[:1]:
            result = self.ledger.results.get(key)
            if result is not None and index < len(result.pictures):
                return Picture(self.blobs.get(picture), facts=result.pictures[index].facts)
        return Picture(self.blobs.get(picture))

    def _carry_out(self, work: Generator[Call, Answer, Image.Image | None]) -> Image.Image | None:
        try:
            call = next(work)
            while True:
                able = self.pool.eligible(call)
                if not able:
                    raise Missing(self.pool.why_none(call) or "No backend answers this.")
                call = work.send(able[0].call(call, f"atelier-{secrets.token_hex(8)}"))
        except StopIteration as ended:
            return ended.value
        finally:
            work.close()

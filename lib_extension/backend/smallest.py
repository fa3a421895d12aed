"""What does the smallest picture tell? It costs next to nothing, and shows what a host does not say: hashes, and whether a file acts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lib_extension.backend.dialects import CONTROLNET, Dialect
from lib_extension.backend.returned import Returned, read_returned
from lib_extension.spec.inventory import Inventory
from lib_extension.spec.sdapi import Txt2Img

SIDE = 64  # px
STEPS = 2


@dataclass(frozen=True)
class Smallest:
    """Makes smallest pictures on one backend: 64×64 in two steps, always by the same seed."""

    post: Callable[[str, Mapping[str, Any]], Any]  # path and body → JSON; raises BackendError
    where: str  # as messages name the backend
    dialect: Dialect
    inventory: Inventory

    def picture(self, *, checkpoint: str = "", prompt: str = "a", unit: dict[str, Any] | None = None) -> Returned:
        """One, with the ControlNet unit as the host understands it. Raises BackendError."""
        body = Txt2Img(
            prompt=prompt,
            seed=1,
            subseed=1,
            sampler_name="Euler",
            steps=STEPS,
            width=SIDE,
            height=SIDE,
            do_not_save_grid=True,
            do_not_save_samples=True,
            override_settings=self.dialect.overrides({"sd_model_checkpoint": checkpoint} if checkpoint else {}, self.inventory),
            alwayson_scripts={CONTROLNET: {"args": [unit]}} if unit else {},
        )
        sent = {name: value for name, value in dataclasses.asdict(body).items() if value is not None}
        return read_returned(self.post("/sdapi/v1/txt2img", sent), self.where)

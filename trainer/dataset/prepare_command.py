"""`python -m trainer prepare CONFIG`: checks a folder of pictures; with `into`, writes them prepared into another folder."""

from __future__ import annotations

from collections.abc import Sequence

from lib_extension.spec.dataset import CheckSettings, PrepareSettings
from lib_extension.spec.settings import from_json
from trainer.config_file import read_config
from trainer.dataset.check import check
from trainer.dataset.prepare_folder import prepare_folder
from trainer.report import Report


def run(arguments: Sequence[str], report: Report) -> int:
    """The exit status."""
    config = read_config(arguments)
    if "into" in config:
        prepare_folder(from_json(PrepareSettings, config), report)
    else:
        check(from_json(CheckSettings, config), report)
    return 0

"""Which LoRA files does a run leave behind? One at every save, and at the end the one that is meant for use."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from pathlib import Path

from lib_extension.formats.flushing import flush_folder
from trainer.card import write_card
from trainer.data.facts import Facts, facts_of
from trainer.lora_file import LoraTold, write_lora, write_peft
from trainer.session import Session
from trainer.written import new_folder

_WORK = "lora"


def save_file(session: Session) -> Path:
    """NAME-000250.safetensors of this step in the run's folder, in place of one that an ended process left of the same step."""
    output, name = session.config.output, f"{session.config.name}-{session.step:06d}"
    with new_folder(session.folder / _WORK) as work, session.trained.in_use():
        written = write_lora(work, session.checkpoint, session.config.network, told_of(session, name), output.dtype)
        file = session.folder / written.name
        written.replace(file)
    (session.folder / _WORK).rmdir()
    flush_folder(session.folder)
    _keep(session)
    return file


def finish(session: Session) -> list[Path]:
    """The finished files: in the run's folder, the WebUI's (free name, with a card beside it), and the copy for diffusers if wanted."""
    config = session.config
    told = told_of(session, config.name)
    with session.trained.in_use():
        files = [write_lora(session.folder, session.checkpoint, config.network, told, config.output.dtype)]
        if config.output.lora_folder:
            folder = Path(config.output.lora_folder).expanduser()
            lora = write_lora(folder, session.checkpoint, config.network, told, config.output.dtype)
            write_card(lora, told, session.checkpoint.family, session.folder / "samples")
            files.append(lora)
        if config.output.peft_copy:
            named = replace(told, output_name=f"{config.name}-peft")
            files.append(write_peft(session.folder, session.checkpoint, config.network, named, config.output.dtype))
    return files


def told_of(session: Session, name: str) -> LoraTold:
    """What the file says of its training."""
    config, output = session.config, session.config.output
    examples = session.batches.examples
    facts = facts_of(examples, session.batches.fits)
    return LoraTold(
        output_name=name,
        title=output.title or config.name,
        author=output.author,
        description=output.description,
        license=output.license,
        trigger=", ".join(dict.fromkeys(one.concept.trigger for one in examples if one.concept.trigger)),
        resolution=(config.data.resolution, config.data.resolution),
        steps=session.step,
        epoch=session.epoch,
        seed=config.run.seed,
        clip_skip=config.model.clip_skip,
        pictures=facts.trained,
        prediction_type=session.noising.prediction_type,
        started=session.started,
        finished=time.time(),
        tag_frequency={one.name: one.tags for one in facts.folders if not one.regularisation},
        more=_kohya_facts(facts),
    )


def _kohya_facts(facts: Facts) -> dict[str, str]:
    """As kohya's trainer writes them; the WebUI shows some."""
    buckets = {str(i): {"resolution": [w, h], "count": count} for i, ((h, w), count) in enumerate(facts.buckets.items())}
    folders = {one.name: {"n_repeats": one.repeats, "img_count": one.pictures} for one in facts.folders if not one.regularisation}
    return {
        "ss_bucket_info": json.dumps({"buckets": buckets}),
        "ss_dataset_dirs": json.dumps(folders, ensure_ascii=False),
        "ss_num_reg_images": str(facts.regularisation),
    }


def _keep(session: Session) -> None:
    """Remove the oldest of the files made while training, if only some are to stay."""
    if session.config.run.keep_files:
        pattern = re.compile(re.escape(session.config.name) + r"-(\d{6,})\.safetensors")
        files = sorted((int(match[1]), path) for path in session.folder.iterdir() if (match := pattern.fullmatch(path.name)))
        for _, path in files[: -session.config.run.keep_files]:
            path.unlink()

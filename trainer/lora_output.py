"""Which LoRA files does a run leave behind? One at every save, and at the end the one that is meant for use."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from lib_extension.formats import flushing
from trainer.card import write_card
from trainer.data.facts import Facts, facts_of
from trainer.lora_file import LoraTold, write_lora, write_peft
from trainer.session import Session
from trainer.written import new_folder, write_bytes

_WORK = "lora"
_FINISHED = "finished.json"


def save_file(session: Session) -> Path:
    """NAME-000250.safetensors of this step in the run's folder, in place of one that an ended process left of the same step."""
    output, name = session.config.output, f"{session.config.name}-{session.step:06d}"
    with new_folder(session.folder / _WORK) as work, session.trained.in_use():
        written = write_lora(work, session.checkpoint, session.config.network, told_of(session, name), output.dtype)
        file = session.folder / written.name
        flushing.replace(written, file)
    (session.folder / _WORK).rmdir()
    flushing.flush_folder(session.folder)
    _keep(session)
    return file


def finish(session: Session, told_by: Callable[[str], None]) -> list[Path]:
    """The finished files: in the run's folder, the WebUI's (free name, with a card beside it), and the copy for diffusers if wanted.

    Each is noted once it is whole: where that fails on the way, as by a full disk, the next call makes those that lack. `told_by` gets a
    line where the WebUI does not look for the new file.
    """
    told = told_of(session, session.config.name)
    done = _noted(session)
    with session.trained.in_use():
        for role in _roles(session):
            if role not in done:
                done[role] = str(_MAKES[role](session, told))
                note = {"step": session.step, "files": done}
                write_bytes(session.folder / _FINISHED, json.dumps(note, ensure_ascii=False, indent=1).encode())
    files = {role: Path(file) for role, file in done.items() if Path(file).is_file()}  # those of long ago may have been moved
    if "webui" in files:
        write_card(files["webui"], told, session.checkpoint.family, session.folder / "samples")
    refresh_list(session, told_by)
    return list(files.values())


def refresh_list(session: Session, told_by: Callable[[str], None]) -> None:
    """The WebUI that draws the samples, if there is one, lists what is new in its Lora folder. `told_by` gets a line where it does not."""
    config = session.config
    if not config.run.sample_by or not config.output.lora_folder or session.is_webui_away:
        return
    from trainer.webui_samples import NoSamples, refresh_loras  # here, as only those who ask for it should wait for httpx

    try:
        refresh_loras(config.run.sample_by)
    except NoSamples as error:
        told_by(str(error))


def is_finished(session: Session) -> bool:
    """Whether the files of the run's last step have all been made."""
    return set(_roles(session)) <= _noted(session).keys()


def _roles(session: Session) -> tuple[str, ...]:
    """What finished files are for."""
    output = session.config.output
    return ("run", *(["webui"] if output.lora_folder else []), *(["peft"] if output.peft_copy else []))


def _noted(session: Session) -> dict[str, str]:
    """The finished files of this step, by what they are for."""
    try:
        note = json.loads((session.folder / _FINISHED).read_text("utf-8"))
        return dict(note["files"]) if note["step"] == session.step else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _own_file(session: Session, told: LoraTold) -> Path:
    return write_lora(session.folder, session.checkpoint, session.config.network, told, session.config.output.dtype)


def _webui_file(session: Session, told: LoraTold) -> Path:
    folder = Path(session.config.output.lora_folder).expanduser()
    return write_lora(folder, session.checkpoint, session.config.network, told, session.config.output.dtype)


def _peft_file(session: Session, told: LoraTold) -> Path:
    named = replace(told, output_name=f"{told.output_name}-peft")
    return write_peft(session.folder, session.checkpoint, session.config.network, named, session.config.output.dtype)


_MAKES = {"run": _own_file, "webui": _webui_file, "peft": _peft_file}


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
        pictures=facts.pictures,
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
        "ss_num_train_images": str(facts.trained),
        "ss_num_reg_images": str(facts.regularisation),
    }


def _keep(session: Session) -> None:
    """Remove the oldest of the files made while training, if only some are to stay."""
    if session.config.run.keep_files:
        pattern = re.compile(re.escape(session.config.name) + r"-(\d{6,})\.safetensors")
        files = sorted((int(match[1]), path) for path in session.folder.iterdir() if (match := pattern.fullmatch(path.name)))
        for _, path in files[: -session.config.run.keep_files]:
            with suppress(PermissionError):  # Windows, while a WebUI reads it: it goes with a later save
                path.unlink()

"""What a training gets is the same whether it is cached or not, in whatever order it is asked for, and by however many processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lib_extension.models.checkpoint import Checkpoint, Placement, load_checkpoint
from lib_extension.models.hashes import Hashes
from lib_extension.models.library import Found as FoundModel
from lib_extension.spec.errors import BadFile, BadRequest
from tests import tiny
from tests.trainer.data.drawn import folder, picture, settings
from trainer.data import store as store_module
from trainer.data.batch import Batch
from trainer.data.batches import Batches
from trainer.data.caches import Encoders, Process
from trainer.data.example import Example
from trainer.data.examples import find_examples
from trainer.data.latents import VaeEncoder
from trainer.data.store import Store
from trainer.data.texts import CaptionEncoder, cache_texts
from trainer.families.family import TextStates
from trainer.written import DiskFull


def load(at: Path) -> Checkpoint:
    return load_checkpoint(FoundModel(at, at.name, Hashes()), Placement())


@pytest.fixture(scope="module")
def sd1(sd1_folder: Path) -> Checkpoint:
    return load(sd1_folder)


@pytest.fixture(scope="module")
def sdxl(sdxl_folder: Path) -> Checkpoint:
    return load(sdxl_folder)


class Counted:
    """Encoders that count what they are asked for."""

    def __init__(self, checkpoint: Checkpoint, key: str = "") -> None:
        self._vae, self._text = VaeEncoder(checkpoint.vae), CaptionEncoder(checkpoint)
        self.pictures, self.captions = 0, 0
        self._key = key

    @property
    def key(self) -> str:
        return self._vae.key + self._key

    @property
    def at_once(self) -> int:
        return 0

    def encode(self, pixels: Tensor) -> Tensor:
        self.pictures += len(pixels)
        return self._vae.encode(pixels)

    @property
    def text(self) -> CountedText:
        return CountedText(self)

    def encode_text(self, caption: str) -> TextStates:
        self.captions += 1
        return self._text.encode(caption)

    def both(self) -> Encoders:
        return Encoders(self, self.text)


class CountedText:
    def __init__(self, of: Counted) -> None:
        self._of = of

    @property
    def key(self) -> str:
        return "text" + self._of.key

    def encode(self, caption: str) -> TextStates:
        return self._of.encode_text(caption)


@pytest.fixture
def mugs(tmp_path: Path) -> Path:
    """Nine pictures of three shapes."""
    for number, (width, height) in enumerate([(64, 64), (96, 48), (48, 96)] * 3):
        picture(tmp_path / "data" / "3_mugs" / f"{number}.png", width, height, seed=number)
        (tmp_path / "data" / "3_mugs" / f"{number}.txt").write_text(f"mug {number}, red, big")
    return tmp_path / "data" / "3_mugs"


@pytest.fixture
def opened() -> Iterator[list[Batches]]:
    """Those that are to be closed."""
    batches: list[Batches] = []
    yield batches
    for one in batches:
        one.close()


def batches(opened: list[Batches], at: Path, encoders: Encoders, *concepts: Any, process: Process | None = None, **fields: Any) -> Batches:
    asked = settings(*(concepts or (at,)), **{"batch_size": 2} | fields)
    asked.check()
    cache = at.parents[1] / "cache"
    made = Batches(find_examples(asked, cache), asked, encoders, seed=fields.pop("seed", 3), cache_folder=cache, process=process)
    opened.append(made)
    return made


def same(one: Batch, other: Batch) -> bool:
    tensors = ("latents", "pixels", "original_sizes", "crops", "target_sizes", "loss_mask", "weights", "prior")
    pairs = [(getattr(one, name), getattr(other, name)) for name in tensors]
    pairs += [(one.text and one.text.hidden, other.text and other.text.hidden)]
    return one.names == other.names and one.captions == other.captions and all(a is b is None or torch.equal(a, b) for a, b in pairs)


def test_cached_and_uncached_are_the_same(mugs: Path, opened: list[Batches], sd1: Checkpoint):
    how = {"augmentation": {"flip": True}, "validation_share": 0.2}
    cached = batches(opened, mugs, Counted(sd1).both(), **how)
    encoders = Encoders(VaeEncoder(sd1.vae), CaptionEncoder(sd1))
    uncached = batches(opened, mugs, Encoders(), **how, cache_latents=False, cache_text=False)
    assert encoders.latents
    assert encoders.text
    pairs = [(cached.at(step), uncached.at(step)) for step in range(2 * cached.steps_per_epoch)]
    pairs += list(zip(cached.validation, uncached.validation, strict=True))
    for one, other in pairs:
        assert one.names == other.names
        assert one.captions == other.captions
        assert one.pixels is None
        assert other.latents is None
        assert other.text is None
        assert one.latents is not None
        assert other.pixels is not None
        assert one.text is not None
        torch.testing.assert_close(one.latents, encoders.latents.encode(other.pixels), rtol=1e-5, atol=1e-5)
        states = torch.cat([encoders.text.encode(caption).hidden for caption in other.captions])
        torch.testing.assert_close(one.text.hidden, states, rtol=1e-5, atol=1e-5)
        assert torch.equal(one.crops, other.crops)
        assert one.size == tuple(other.pixels.shape[2:])
    assert len(cached.validation) > 0


def test_nothing_is_encoded_twice(mugs: Path, opened: list[Batches], sd1: Checkpoint):
    first, second = Counted(sd1), Counted(sd1)
    batches(opened, mugs, first.both(), augmentation={"flip": True})
    assert (first.pictures, first.captions) == (18, 10)
    batches(opened, mugs, second.both(), augmentation={"flip": True})
    assert (second.pictures, second.captions) == (0, 0)


def test_caches_know_what_they_depend_on(mugs: Path, opened: list[Batches], sd1: Checkpoint):
    def encoded(key: str = "", **fields: Any) -> tuple[int, int]:
        counted = Counted(sd1, key)
        batches(opened, mugs, counted.both(), **fields)
        return counted.pictures, counted.captions

    assert encoded() == (9, 10)
    assert encoded("another VAE and text encoder") == (9, 10)
    assert encoded(bucket_step=16) == (6, 0)  # (40, 88) becomes another size, (64, 64) stays
    assert encoded(resolution=80, upscale=True) == (9, 0)
    (mugs / "4.txt").write_text("another caption")
    assert encoded() == (0, 1)
    picture(mugs / "4.png", 96, 48, seed=99)
    assert encoded() == (1, 0)
    (mugs / "4.png").rename(mugs / "renamed.png")
    (mugs / "4.txt").rename(mugs / "renamed.txt")
    assert encoded() == (0, 0)


def test_damaged_caches_are_made_anew(mugs: Path, opened: list[Batches], sd1: Checkpoint):
    whole = batches(opened, mugs, Counted(sd1).both())
    expected = [whole.at(step) for step in range(6)]
    files = sorted((mugs.parents[1] / "cache").rglob("*.safetensors"))
    assert len(files) == 19
    for number, file in enumerate(files):
        file.write_bytes(file.read_bytes()[:-9] if number % 2 else b"")
    counted = Counted(sd1)
    again = batches(opened, mugs, counted.both())
    assert (counted.pictures, counted.captions) == (9, 10)
    assert all(same(again.at(step), one) for step, one in enumerate(expected))


def test_a_cache_that_is_lost_while_training_is_told(mugs: Path, opened: list[Batches], sd1: Checkpoint, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(store_module.Store.__init__, "__defaults__", (0,))  # nothing stays in memory
    made = batches(opened, mugs, Counted(sd1).both())
    for file in (mugs.parents[1] / "cache" / "latents").rglob("*.safetensors"):
        file.unlink()
    with pytest.raises(BadFile, match=r"3_mugs/.*Start again"):
        made.at(0)


def test_random_access_is_the_same_as_in_a_row(mugs: Path, opened: list[Batches], sd1: Checkpoint):
    how = {"augmentation": {"flip": True}, "captions": {"shuffle": True, "variants": 3, "dropout": 0.2}}
    made = batches(opened, mugs, Counted(sd1).both(), **how)
    steps = 3 * made.steps_per_epoch
    in_a_row = [made.at(step) for step in range(steps)]
    other = batches(opened, mugs, Counted(sd1).both(), **how)
    for step in (steps - 1, 3, 0, 17, 4, 3, 8):
        assert same(other.at(step), in_a_row[step])


def test_an_epoch_has_every_picture_as_often_as_its_repeats_say(mugs: Path, opened: list[Batches], sd1: Checkpoint):
    folder(mugs.parent / "others", 3, seed=5)
    made = batches(opened, mugs, Counted(sd1).both(), mugs, {"folder": str(mugs.parent / "others"), "repeats": 2}, batch_size=4)
    seen = Counter(name for step in range(made.steps_per_epoch) for name in made.at(step).names)
    assert seen == {f"3_mugs/{number}.png": 3 for number in range(9)} | {f"others/{number}.png": 2 for number in range(3)}
    assert made.pictures_per_epoch == 33


def test_weights_and_regularisation(mugs: Path, opened: list[Batches], sd1: Checkpoint):
    folder(mugs.parent / "reg", 4, seed=6)
    concepts = {"folder": str(mugs), "weight": 0.5}, {"folder": str(mugs.parent / "reg"), "kind": "regularisation", "weight": 3}
    made = batches(opened, mugs, Counted(sd1).both(), *concepts, prior_weight=0.25)
    seen: Counter[bool] = Counter()
    for step in range(made.steps_per_epoch):
        batch = made.at(step)
        for name, weight, prior in zip(batch.names, batch.weights.tolist(), batch.prior.tolist(), strict=True):
            assert (weight, prior) == ((0.75, True) if name.startswith("reg/") else (0.5, False))
            seen[prior] += 1
    assert seen == {False: 27, True: 27}


def test_processes_share_a_batch(mugs: Path, opened: list[Batches], sd1: Checkpoint):
    alone = batches(opened, mugs, Counted(sd1).both(), batch_size=6)
    pair = [batches(opened, mugs, Counted(sd1).both(), batch_size=3, process=Process(index, 2)) for index in (0, 1)]
    assert pair[0].steps_per_epoch == pair[1].steps_per_epoch == alone.steps_per_epoch == 6
    for step in range(6):
        whole, parts = alone.at(step), [one.at(step) for one in pair]
        real = [part for part in parts if part.weights.any()]
        assert tuple(name for part in real for name in part.names) == whole.names
        assert all(part.whole == len(whole) == whole.whole for part in parts)
        assert [part.first for part in parts] == [0, 3]
        assert len({part.size for part in parts}) == 1
        assert all(len(part) == 1 and not part.weights.any() for part in parts if part not in real)


def test_processes_fill_the_caches_together():
    assert Process(0, 2).own_first(range(7)) == [0, 2, 4, 6, 5, 3, 1]
    assert Process(1, 2).own_first(range(7)) == [1, 3, 5, 6, 4, 2, 0]
    assert Process().own_first("abc") == ["a", "b", "c"]


def test_captions_that_another_process_encoded_meanwhile_are_not_encoded_again(tmp_path: Path, sd1: Checkpoint):
    counted = Counted(sd1)
    captions = [f"mug {number}" for number in range(5)]

    class Shared(CountedText):
        def encode(self, caption: str) -> TextStates:
            cache_texts(Store(tmp_path), captions, counted.text)
            return super().encode(caption)

    cache_texts(Store(tmp_path), captions, Shared(counted))
    assert counted.captions == 6 + 1


def test_masks_reach_the_batch(mugs: Path, opened: list[Batches], sd1: Checkpoint):
    from PIL import Image

    mask = Image.new("L", (64, 64), 0)
    mask.paste(255, (0, 0, 32, 64))
    mask.save(mugs / "0-masklabel.png")
    how = {"augmentation": {"flip": True}, "unmasked_weight": 0.25}
    cached = batches(opened, mugs, Counted(sd1).both(), **how)
    uncached = batches(opened, mugs, Counted(sd1).both(), **how, cache_latents=False)
    left = torch.tensor([1.0] * 4 + [0.25] * 4).expand(1, 8, 8)
    seen = 0
    for step in range(2 * cached.steps_per_epoch):
        one, other = cached.at(step), uncached.at(step)
        if "3_mugs/0.png" not in one.names:
            assert one.loss_mask is None
            continue
        assert one.loss_mask is not None
        assert other.loss_mask is not None
        assert torch.equal(one.loss_mask, other.loss_mask)
        for name, found in zip(one.names, one.loss_mask, strict=True):
            if name == "3_mugs/0.png":
                seen += 1
                assert torch.equal(found, left) or torch.equal(found, left.flip(-1))
            else:
                assert torch.equal(found, torch.ones(1, 8, 8))
    assert seen == 6


def test_sdxl_gets_pooled_states_and_sizes(tmp_path: Path, opened: list[Batches], sdxl: Checkpoint):
    picture(tmp_path / "data" / "mugs" / "0.png", 200, 128)
    long = ", ".join(f"tag{number}" for number in range(60))
    (tmp_path / "data" / "mugs" / "0.txt").write_text(long)
    picture(tmp_path / "data" / "mugs" / "1.png", 200, 128, seed=1)
    (tmp_path / "data" / "mugs" / "1.txt").write_text("short")
    made = batches(opened, tmp_path / "data" / "mugs", Encoders(VaeEncoder(sdxl.vae), CaptionEncoder(sdxl)))
    batch = made.at(0)
    assert batch.text is not None
    assert batch.text.pooled is not None
    assert batch.text.hidden.shape[1] == 3 * 77
    both = CaptionEncoder(sdxl)
    short = batch.captions.index("short")
    nothing, states = both.encode(""), both.encode("short")
    assert nothing.pooled is not None
    assert states.pooled is not None
    torch.testing.assert_close(batch.text.hidden[short], torch.cat([states.hidden, nothing.hidden, nothing.hidden], 1)[0])
    torch.testing.assert_close(batch.text.pooled[short], states.pooled[0])
    fitted = made.fits["mugs/0.png"]
    assert batch.original_sizes.tolist() == [[128, 200]] * 2
    assert batch.target_sizes.tolist() == [list(fitted.bucket)] * 2
    assert batch.crops.tolist() == [list(fitted.crop)] * 2


def test_long_captions_are_cut_off_after_so_many_chunks(sd1: Checkpoint):
    long = "mug " * 300
    assert CaptionEncoder(sd1, chunks=2).encode(long).hidden.shape == (1, 154, tiny.TEXT_WIDTH)
    assert CaptionEncoder(sd1, chunks=2).key != CaptionEncoder(sd1, chunks=3).key
    assert CaptionEncoder(sd1, clip_skip=2).key != CaptionEncoder(sd1).key


def test_keys_follow_the_weights(sd1: Checkpoint, tmp_path: Path):
    other = load(tiny.tiny_sd1(tmp_path / "other", seed=5))
    again = load(sd1.path)
    assert VaeEncoder(sd1.vae).key == VaeEncoder(again.vae).key != VaeEncoder(other.vae).key
    assert CaptionEncoder(sd1).key == CaptionEncoder(again).key != CaptionEncoder(other).key
    with torch.no_grad():
        next(again.text_encoders[0].parameters())[7, 3] += 1e-3
        next(again.vae.decoder.parameters()).add_(1)
    assert CaptionEncoder(sd1).key != CaptionEncoder(again).key
    assert VaeEncoder(sd1.vae).key == VaeEncoder(again.vae).key  # only what encodes matters


class Nan(Counted):
    def encode(self, pixels: Tensor) -> Tensor:
        return super().encode(pixels) * torch.nan


def test_a_vae_that_overflows_is_told_with_the_picture(mugs: Path, opened: list[Batches], sd1: Checkpoint):
    with pytest.raises(BadFile, match=r'"3_mugs/.*Half precision'):
        batches(opened, mugs, Nan(sd1).both())
    assert not list((mugs.parents[1] / "cache" / "latents").rglob("*.safetensors"))


def test_a_full_disk_is_told(mugs: Path, opened: list[Batches], sd1: Checkpoint, monkeypatch: pytest.MonkeyPatch):
    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    asked = settings(mugs)
    found = find_examples(asked)
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DiskFull, match="cache folder is full"):
        Batches(found, asked, Counted(sd1).both(), seed=0, cache_folder=mugs.parents[1] / "cache")


def test_bad_pictures_and_missing_encoders_are_refused(mugs: Path, opened: list[Batches], sd1: Checkpoint):
    with pytest.raises(BadRequest, match="no VAE"):
        batches(opened, mugs, Encoders())
    (mugs / "5.png").write_bytes(b"")
    with pytest.raises(BadRequest, match=r"1 × the file is empty: 3_mugs/5.png"):
        batches(opened, mugs, Counted(sd1).both())


def test_no_encoder_is_held_after_filling(mugs: Path, opened: list[Batches], sd1: Checkpoint):
    import gc
    import weakref

    counted = Counted(sd1)
    gone = weakref.ref(counted)
    made = batches(opened, mugs, counted.both())
    del counted
    gc.collect()
    assert gone() is None
    assert made.at(0).latents is not None


def test_nothing_in_the_folder_is_changed(mugs: Path, opened: list[Batches], sd1: Checkpoint):
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in mugs.parent.rglob("*") if file.is_file()}
    batches(opened, mugs, Counted(sd1).both()).at(0)
    assert {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in mugs.parent.rglob("*") if file.is_file()} == before


def test_to_a_device_moves_everything(mugs: Path, opened: list[Batches], sd1: Checkpoint):
    batch = batches(opened, mugs, Counted(sd1).both()).at(0).to(torch.device("meta"))
    tensors = (batch.latents, batch.text and batch.text.hidden, batch.weights, batch.prior, batch.crops, batch.original_sizes)
    assert all(tensor is not None and tensor.is_meta for tensor in tensors)


def test_examples_have_their_place(mugs: Path, opened: list[Batches], sd1: Checkpoint):
    made = batches(opened, mugs, Counted(sd1).both())
    assert all(isinstance(one, Example) and one.name in made.fits for one in made.examples)


KILLED = """
import sys, time
from pathlib import Path
from lib_extension.models.checkpoint import Placement, load_checkpoint
from lib_extension.models.hashes import Hashes
from lib_extension.models.library import Found
from tests.trainer.data.drawn import settings
from trainer.data.batches import Batches
from trainer.data.caches import Encoders
from trainer.data.examples import find_examples
from trainer.data.latents import VaeEncoder
from trainer.data.texts import CaptionEncoder

model, data, cache = map(Path, sys.argv[1:])
checkpoint = load_checkpoint(Found(model, model.name, Hashes()), Placement())
asked = settings(data)

def told(what, done, total):
    print(what, done, flush=True)
    time.sleep(0.05)

encoders = Encoders(VaeEncoder(checkpoint.vae), CaptionEncoder(checkpoint))
Batches(find_examples(asked, cache), asked, encoders, seed=3, cache_folder=cache, told=told)
"""


def test_caching_goes_on_after_a_kill(mugs: Path, opened: list[Batches], sd1: Checkpoint, sd1_folder: Path):
    cache = mugs.parents[1] / "cache"
    command = [sys.executable, "-c", KILLED, str(sd1_folder), str(mugs), str(cache)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("latents 4"):
                os.kill(process.pid, signal.SIGKILL)
                break
    made = len(list((cache / "latents").rglob("*.safetensors")))
    assert 4 <= made < 9
    counted = Counted(sd1)
    encoders = Encoders(VaeEncoder(sd1.vae), counted.text)
    asked = settings(mugs, batch_size=2)
    told: list[tuple[str, int, int]] = []
    opened.append(Batches(find_examples(asked, cache), asked, encoders, seed=3, cache_folder=cache, told=lambda *what: told.append(what)))
    assert [one for one in told if one[0] == "latents"] == [("latents", done + 1, 9 - made) for done in range(9 - made)]
    fresh = Batches(find_examples(asked), asked, Counted(sd1).both(), seed=3, cache_folder=mugs.parents[1] / "fresh")
    opened.append(fresh)
    for step in range(fresh.steps_per_epoch):
        assert same(opened[-2].at(step), fresh.at(step))

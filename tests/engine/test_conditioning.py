"""Is the U-Net told the numbers that the WebUI tells it?"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from lib_extension.engine.conditioning import MAX_CHARACTERS, TextEncoders
from lib_extension.models.checkpoint import Placement, load_checkpoint
from lib_extension.models.hashes import Hashes
from lib_extension.models.library import Found
from lib_extension.spec.errors import BadRequest, TooLarge
from tests.engine.webui_recordings import recorded

STEPS = 6
VECTORS = {"learned": 3, "two words": 8, "two": 2, "bighat": 75}


def wave(shape: tuple[int, ...], phase: int) -> torch.Tensor:
    """Numbers of -1 to 1 that look random and are the same on every machine."""
    n = torch.arange(math.prod(shape), dtype=torch.float64)
    return torch.sin(n * n * 0.013 + phase).reshape(shape).float()


def fill(encoder: torch.nn.Module, phase: int) -> None:
    by_name = sorted(encoder.named_parameters(), key=lambda named: named[0].removeprefix("text_model."))
    with torch.no_grad():
        for number, (name, parameter) in enumerate(by_name):
            values = wave(tuple(parameter.shape), phase + number)
            if "norm" in name and name.endswith("weight"):
                values = 1 + 0.3 * values
            elif parameter.ndim == 1:
                values = 0.3 * values
            else:
                values = 0.5 * values if "embedding" in name else values / math.sqrt(parameter.shape[1])
            parameter.copy_(values)


def encoders(folder: Path, embeddings: Path) -> TextEncoders:
    checkpoint = load_checkpoint(Found(folder, folder.name, Hashes()), Placement())
    for phase, encoder in enumerate(checkpoint.text_encoders):
        fill(encoder, phase)
    widths = [encoder.config.hidden_size for encoder in checkpoint.text_encoders]
    embeddings.mkdir()
    files = []
    for name, length in VECTORS.items():
        file = embeddings / f"{name}.safetensors"
        keys = ("emb_params",) if len(widths) == 1 else ("clip_l", "clip_g")
        save_file({key: wave((length, width), length) * 0.3 for key, width in zip(keys, widths, strict=True)}, file)
        files.append(Found(file, file.name, Hashes()))
    return TextEncoders(checkpoint, files)


@pytest.fixture(scope="module")
def by_family(sd1_folder: Path, sd2_folder: Path, sdxl_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, TextEncoders]:
    folder = tmp_path_factory.mktemp("embeddings")
    families = {"sd1": sd1_folder, "sd2": sd2_folder, "sdxl": sdxl_folder}
    return {family: encoders(checkpoint, folder / family) for family, checkpoint in families.items()}


@pytest.fixture(scope="module")
def sd1(by_family: dict[str, TextEncoders]) -> TextEncoders:
    return by_family["sd1"]


@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl"])
def test_states_are_the_webuis(by_family: dict[str, TextEncoders], family: str):
    for case in recorded("states"):
        if case["family"] != family:
            continue
        asked = {"clip_skip": case["clip_skip"], "emphasis": case["emphasis"], "negative": case["negative"]}
        told = by_family[family].encode([case["prompt"]], STEPS, **asked).at(case["evaluation"])
        assert list(told.states.shape) == case["shape"], case
        assert [list(part) for part in told.parts[0]] == case["parts"], case
        torch.testing.assert_close(torch.tensor(sample(told.states)), torch.tensor(case["states"]), rtol=1e-4, atol=1e-4, msg=str(case))
        if case["pooled"] is None:
            assert told.pooled is None
        else:
            assert told.pooled is not None
            torch.testing.assert_close(told.pooled[:, :4].flatten(), torch.tensor(case["pooled"]), rtol=1e-4, atol=1e-4, msg=str(case))


def sample(states: torch.Tensor) -> list[float]:
    some = states[:, [0, 1, 4, 76, -1]][:, :, [0, 7, states.shape[2] - 1]].flatten()
    return [*some.tolist(), states.mean().item(), states.abs().mean().item()]


def told(text: TextEncoders, prompts: list[str], evaluation: int = 0, **asked: Any) -> torch.Tensor:
    return text.encode(prompts, STEPS, **asked).at(evaluation).states


def test_a_batch_is_its_prompts(sd1: TextEncoders):
    together = sd1.encode(["a cat", "a dog AND a (hat:1.2) :0.5", "a cat"], STEPS).at(0)
    assert together.parts == (((0, 1.0),), ((1, 1.0), (2, 0.5)), ((3, 1.0),))
    for row, prompt in enumerate(["a cat", "a dog", "a (hat:1.2)", "a cat"]):
        assert torch.equal(together.states[row : row + 1], told(sd1, [prompt]))


def test_a_shorter_prompt_goes_on_with_its_last_vector(sd1: TextEncoders):
    states = told(sd1, ["a cat", "a BREAK b"])
    assert torch.equal(states[0, 77:], states[0, 76:77].expand(77, -1))


def test_an_edit_at_3_changes_the_fifth_evaluation(sd1: TextEncoders):
    edited = sd1.encode(["a [cat:dog:3]"], STEPS)
    # Encoded alone or with another text, the numbers differ in the last digits.
    for evaluation in range(STEPS):
        expected = told(sd1, ["a cat" if evaluation <= 3 else "a dog"])
        torch.testing.assert_close(edited.at(evaluation).states, expected, rtol=1e-5, atol=1e-5)


def test_a_second_pass_goes_on_where_the_first_ended(sd1: TextEncoders):
    states = sd1.encode(["a [cat:dog:1.5]"], 4, base_steps=STEPS)
    torch.testing.assert_close(states.at(2).states, told(sd1, ["a cat"]), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(states.at(3).states, told(sd1, ["a dog"]), rtol=1e-5, atol=1e-5)


def test_and_is_a_word_in_a_negative_prompt(sd1: TextEncoders):
    encoded = sd1.encode(["a AND b :0.5"], STEPS, negative=True).at(0)
    assert encoded.parts == (((0, 1.0),),)
    assert torch.equal(encoded.states, told(sd1, ["a and b :0.5"], negative=True))


def test_named_embeddings_are_told(sd1: TextEncoders):
    named = sd1.encode(["learned, learned and two words AND two"], STEPS).embeddings
    assert [embedding.name for embedding in named] == ["learned", "two words", "two"]


def test_an_exclamation_mark_is_read_by_sd2(by_family: dict[str, TextEncoders]):
    sd2 = by_family["sd2"]
    assert sd2.token_count("wow!!!") == (2, 75)


def test_what_was_encoded_is_kept_until_the_weights_change(sd1: TextEncoders):
    first = sd1.encode(["a kept cat"], STEPS).texts[0].states
    assert sd1.encode(["a kept cat"], STEPS).texts[0].states is first
    assert sd1.encode(["a kept cat"], STEPS, loras=("x", 0.5)).texts[0].states is not first


@pytest.mark.parametrize(("prompt", "count"), [(case["prompt"], (case["token_count"], case["limit"])) for case in recorded("chunks")][:12])
def test_token_counts_are_the_webuis(sd1: TextEncoders, prompt: str, count: tuple[int, int]):
    assert sd1.token_count(prompt) == count


def test_the_longest_text_of_a_prompt_is_counted(sd1: TextEncoders):
    assert sd1.token_count("<lora:x:1>a [cat:cat and a dog:0.5] AND b") == (5, 75)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"clip_skip": 5}, "CLIP skip is 5, but this checkpoint's text encoder can skip 1 to 4."),
        ({"clip_skip": 0}, "CLIP skip is 0, but this checkpoint's text encoder can skip 1 to 4."),
        (
            {"emphasis": "original"},
            'There is no emphasis mode "original". Did you mean "Original"? There are: None, Ignore, Original, No norm.',
        ),
    ],
)
def test_what_cannot_be_is_refused(sd1: TextEncoders, asked: dict[str, Any], message: str):
    with pytest.raises(BadRequest) as raised:
        sd1.encode(["a"], STEPS, **asked)
    assert str(raised.value) == message


def test_an_endless_prompt_is_refused(sd1: TextEncoders):
    with pytest.raises(TooLarge, match="20001 characters"):
        sd1.encode(["a" * (MAX_CHARACTERS + 1)], STEPS)


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("BREAK " * 3000, "3000 chunks of 75 tokens; up to 128 can be read"),
        ("a AND " * 3000, "3001 parts with AND between them; up to 64"),
        ("[" + "|".join("abcdefghijklmnopqrst") + "] " + "word " * 3900, "20 texts at different steps, 1060 chunks"),
    ],
)
def test_a_prompt_that_would_take_minutes_is_refused(sd1: TextEncoders, prompt: str, words: str):
    with pytest.raises(TooLarge, match=words):
        sd1.encode([prompt], 20)

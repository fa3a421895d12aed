"""Which files are embeddings for a checkpoint, and which words of a prompt name them?"""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from lib_extension.engine.embeddings import Embedding, index_embeddings, load_embedding, load_embeddings
from lib_extension.models.hashes import Hashes
from lib_extension.models.library import Found
from lib_extension.spec.errors import BadFile


def found(file: Path) -> Found:
    return Found(file, file.name, Hashes())


def saved(file: Path, **tensors: torch.Tensor) -> Found:
    save_file(tensors, file)
    return found(file)


def test_one_tensor_of_any_name_is_for_one_encoder(tmp_path: Path):
    embedding = load_embedding(saved(tmp_path / "hat.safetensors", anything=torch.ones(3, 8)), [8])
    assert embedding is not None
    assert (embedding.name, embedding.length, len(embedding.sha256)) == ("hat", 3, 64)
    assert torch.equal(embedding.vectors[0], torch.ones(3, 8))


def test_one_vector_may_have_one_dimension(tmp_path: Path):
    embedding = load_embedding(saved(tmp_path / "hat.safetensors", emb_params=torch.ones(8)), [8])
    assert embedding is not None
    assert embedding.vectors[0].shape == (1, 8)


def test_clip_l_and_clip_g_are_for_two_encoders(tmp_path: Path):
    embedding = load_embedding(saved(tmp_path / "hat.safetensors", clip_g=torch.ones(2, 12), clip_l=torch.zeros(2, 8)), [8, 12])
    assert embedding is not None
    assert [tuple(tensor.shape) for tensor in embedding.vectors] == [(2, 8), (2, 12)]


@pytest.mark.parametrize("widths", [[16], [8, 12]])
def test_one_for_another_architecture_is_left_out(tmp_path: Path, widths: list[int]):
    assert load_embedding(saved(tmp_path / "hat.safetensors", emb_params=torch.ones(2, 8)), widths) is None


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"a": torch.ones(2, 8), "b": torch.ones(2, 8)}, 'The embedding "hat" holds the tensors a, b'),
        ({"a": torch.ones(76, 8)}, 'The embedding "hat" has tensors of shapes [(76, 8)]; 1 to 75'),
        ({"a": torch.ones(2, 2, 8)}, 'The embedding "hat" has tensors of shapes [(2, 2, 8)]; 1 to 75'),
    ],
)
def test_other_tensors_are_refused(tmp_path: Path, tensors: dict[str, torch.Tensor], message: str):
    with pytest.raises(BadFile, match="hat") as raised:
        load_embedding(saved(tmp_path / "hat.safetensors", **tensors), [8])
    assert str(raised.value).startswith(message)


def test_a_broken_file_is_reported_and_the_others_are_used(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    (tmp_path / "broken.safetensors").write_bytes(b"\x10" * 40)
    (tmp_path / "old.pt").write_bytes(b"pickle")
    files = [found(tmp_path / "broken.safetensors"), found(tmp_path / "old.pt"), saved(tmp_path / "hat.safetensors", a=torch.ones(1, 8))]
    with caplog.at_level(logging.WARNING):
        loaded = load_embeddings(files, [8])
    assert [embedding.name for embedding in loaded] == ["hat"]
    assert ["broken" in caplog.messages[0], "old" in caplog.messages[1]] == [True, True]
    assert str(tmp_path) not in caplog.text.replace(str(Path(__file__).parent), "")


def test_the_longest_name_is_found():
    def letters(name: str) -> list[int]:
        return [ord(letter) for letter in name]

    short, long = (Embedding(name, "", (torch.zeros(1, 8),)) for name in ("ab", "abc"))
    known = index_embeddings([short, long], letters)
    assert known.at(letters("xabcd"), 1) == (long, 3)
    assert known.at(letters("xabd"), 1) == (short, 2)
    assert known.at(letters("xad"), 1) is None
    assert known.at(letters("xab"), 0) is None

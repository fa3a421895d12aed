"""What published files are, by all the names and shapes that they have, from a header in front of gigabytes, and what is not believed."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extension.formats.base_model import Kind, family_of_checkpoint, what_is
from lib_extension.formats.safetensors_header import Header, read_header
from lib_extension.spec.errors import BadFile
from tests.formats import published
from tests.formats.published import FLUX_LDM, SD3_LDM, Shapes, header

FAMILIES = ("sd1", "sd2", "sdxl", "sd3", "flux")
UNETS = ("sd1", "sd2", "sdxl")
SIDES = {"sd1": 512, "sd2": 768, "sdxl": 1024, "sd3": 1024, "flux": 1024}


@pytest.mark.parametrize("family", FAMILIES)
def test_checkpoints_and_their_networks(family: str):
    assert what_is(header(published.ldm_checkpoint(family))) == Kind("checkpoint", family, "ldm", side=SIDES[family])  # type: ignore[arg-type]
    assert what_is(header(published.diffusers_network(family))) == Kind("unet", family, "diffusers", side=SIDES[family])  # type: ignore[arg-type]


@pytest.mark.parametrize(("said", "side"), [("512x512", 512), ("768x1152", 941), ("0x0", 1024), ("99999x9", 1024), ("large", 1024)])
def test_metadata_says_what_a_model_was_trained_at(said: str, side: int):
    assert what_is(header(published.diffusers_network("sdxl"), {"modelspec.resolution": said})).side == side


@pytest.mark.parametrize(("shapes", "family"), [(FLUX_LDM, "flux"), (SD3_LDM, "sd3")])
def test_transformers_by_themselves(shapes: Shapes, family: str):
    assert what_is(header(shapes)) == Kind("unet", family, "ldm", side=SIDES[family])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "shapes",
    [
        FLUX_LDM | {"distilled_guidance_layer.in_proj.weight": (5120, 64)},  # Chroma
        FLUX_LDM | {"txt_in.individual_token_refiner.blocks.0.norm1.weight": (3072,)},  # HunyuanVideo
        {"double_blocks.0.img_attn.qkv.weight": (1, 1), "double_stream_modulation_img.lin.weight": (1, 1)},  # Flux 2
        {"transformer_blocks.0.attn.add_q_proj.weight": (3072, 3072), "transformer_blocks.0.img_mod.1.weight": (18432, 3072)},  # Qwen-Image
        published.diffusers_network("sdxl") | {"encoder_hid_proj.weight": (2048, 4096)},  # Kolors
    ],
)
def test_models_alike_are_not_taken_for_what_they_resemble(shapes: Shapes):
    assert what_is(header(shapes)).family == "unknown"


@pytest.mark.parametrize("family", FAMILIES)
def test_controlnets(family: str):
    saved = published.diffusers_controlnet(family)
    assert what_is(header(saved)) == Kind("controlnet", family, "diffusers")  # type: ignore[arg-type]
    if family in UNETS:
        original = published.as_ldm(saved) | {"input_hint_block.0.weight": (16, 3, 3, 3), "zero_convs.0.0.weight": (320, 320, 1, 1)}
        assert what_is(header(original)) == Kind("controlnet", family, "ldm")  # type: ignore[arg-type]
        cldm = {f"control_model.{name}": shape for name, shape in original.items()}
        assert what_is(header(cldm)) == Kind("controlnet", family, "ldm")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shapes", "kind"),
    [
        (published.small_sdxl_controlnet(), Kind("controlnet", "sdxl", "diffusers")),
        (  # control-LoRAs-rank128
            {
                "lora_controlnet": (),
                "input_hint_block.0.weight": (16, 3, 3, 3),
                "label_emb.0.0.up": (1280, 128),
                "label_emb.0.0.down": (128, 2816),
                "input_blocks.4.1.transformer_blocks.0.attn2.to_k.down": (128, 2048),
                "zero_convs.0.0.weight": (320, 320, 1, 1),
            },
            Kind("controlnet", "sdxl", "control-lora"),
        ),
        (
            {"lora_controlnet": (), "input_blocks.1.1.transformer_blocks.0.attn2.to_k.down": (128, 768)},
            Kind("controlnet", "sd1", "control-lora"),
        ),
        (
            {"lllite_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q.conditioning1.0.weight": (16, 3, 4, 4)},
            Kind("controlnet", "sdxl", "lllite"),
        ),
        (  # XLabs' flux-canny-controlnet-v3
            {"controlnet_blocks.0.weight": (3072, 3072), "double_blocks.0.img_attn.qkv.weight": (9216, 3072)},
            Kind("controlnet", "flux", "ldm"),
        ),
        (
            {"down_blocks.0.motion_modules.0.temporal_transformer.norm.weight": (320,), "input_hint_block.0.weight": (320, 5, 3, 3)},
            Kind("controlnet", "sd1", "sparsectrl"),
        ),
        (published.t2i_adapter("full_adapter", 1), Kind("t2i-adapter", "sd1", "diffusers")),
        (published.t2i_adapter("full_adapter", 3), Kind("t2i-adapter", "sd1", "diffusers")),
        (published.t2i_adapter("full_adapter_xl", 3), Kind("t2i-adapter", "sdxl", "diffusers")),
        (published.t2i_adapter("light_adapter", 3), Kind("t2i-adapter", "sd1", "diffusers")),
        (
            {"conv_in.weight": (320, 64, 3, 3), "body.0.block1.weight": (320, 320, 3, 3)},
            Kind("t2i-adapter", "sd1"),
        ),  # t2iadapter_canny_sd15v2
        ({"conv_in.weight": (320, 256, 3, 3), "body.0.block1.weight": (320, 320, 3, 3)}, Kind("t2i-adapter", "sdxl")),
        ({"style_embedding": (1, 8, 1024), "ln_post.weight": (1024,), "proj": (1024, 768)}, Kind("t2i-adapter", "sd1")),
        ({"image_proj.proj.weight": (8192, 1280), "ip_adapter.1.to_k_ip.weight": (640, 2048)}, Kind("ip-adapter", "sdxl")),
        (published.diffusers_vae(4), Kind("vae", naming="diffusers", among=("sd1", "sd2", "sdxl"))),
        (published.diffusers_vae(16), Kind("vae", naming="diffusers", among=("sd3", "flux"))),
        (  # ae.safetensors
            {"encoder.down.0.block.0.conv1.weight": (128, 128, 3, 3), "decoder.conv_in.weight": (512, 16, 3, 3)},
            Kind("vae", naming="ldm", among=("sd3", "flux")),
        ),
        ({"emb_params": (8, 1024)}, Kind("embedding", "sd2")),
        ({"clip_l": (8, 768), "clip_g": (8, 1280)}, Kind("embedding", "sdxl")),
        ({"clip_l": (8, 768), "clip_g": (8, 1280), "t5xxl": (8, 4096)}, Kind("embedding", "sd3")),
        ({"text_model.encoder.layers.0.self_attn.q_proj.weight": (1024, 1024)}, Kind("text-encoder", among=("sd2",))),
        ({"text_model.encoder.layers.0.self_attn.q_proj.weight": (1280, 1280)}, Kind("text-encoder", among=("sdxl", "sd3"))),
        ({"encoder.block.0.layer.0.SelfAttention.q.weight": (4096, 4096)}, Kind("text-encoder", among=("sd3", "flux"))),
    ],
)
def test_what_steers_and_what_is_small(shapes: Shapes, kind: Kind):
    assert what_is(header(shapes)) == kind


def test_the_demo_model_is_an_sd1():
    demo = Path(published.__file__).parents[2] / "lib_extension" / "models" / "demo"
    found = {
        folder: what_is(read_header(next((demo / folder).glob("*.safetensors"))))
        for folder in ("unet", "vae", "controlnet", "text_encoder")
    }
    assert found["unet"] == Kind("unet", "sd1", "diffusers")
    assert found["controlnet"] == Kind("controlnet", "sd1", "diffusers")
    assert "sd1" in found["vae"].families
    assert found["text_encoder"].kind == "text-encoder"


def test_of_a_file_of_seven_gigabytes_only_the_header_is_read(tmp_path: Path):
    path = tmp_path / "sdxl.safetensors"
    size = published.write_sparse(path, published.ldm_checkpoint("sdxl") | {"model_ema.rest": (1_000_000_000,)})
    assert size > 7_000_000_000
    tracemalloc.start()
    assert what_is(read_header(path)) == Kind("checkpoint", "sdxl", "ldm", side=1024)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000


@pytest.mark.parametrize("length", [0, 7, 2**40, 2**64 - 1])
def test_a_header_that_claims_more_than_there_is_stops_everything(tmp_path: Path, length: int):
    path = tmp_path / "liar.safetensors"
    path.write_bytes(length.to_bytes(8, "little") + b'{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}')
    with pytest.raises(BadFile, match="liar"):
        read_header(path)


# Any header may claim anything: names from real files in any mixture, with any shapes.
_NAMES = sorted(
    {name for family in FAMILIES for name in list(published.ldm_checkpoint(family))[::97]}
    | {name for family in FAMILIES for name in list(published.diffusers_controlnet(family))[::53]}
    | set(list(published.lora(published.attention_modules("sdxl"), published.kohya, "lokr"))[::211])
    | set(list(published.lora(published.attention_modules("sd1"), published.kohya, "loha"))[::101])
    | {"lora_controlnet", "emb_params", "clip_g", "style_embedding", "conv_in.weight", "proj_in", "label_emb.0.0.weight", "\n", ""}
)
_ANY_NAME = st.sampled_from(_NAMES) | st.text(max_size=12)
_ANY_SHAPE = st.lists(st.sampled_from([0, 1, 3, 4, 8, 16, 64, 768, 1024, 2048, 2816]), max_size=5).map(tuple)
_FITS_ANY = {"sd1", "sd2", "sdxl", "sd3", "flux", "unknown"}


@given(st.dictionaries(_ANY_NAME, _ANY_SHAPE, max_size=12), st.dictionaries(st.sampled_from(["ss_base_model_version", "a"]), st.text()))
def test_any_mixture_of_names_and_shapes_is_something(shapes: Shapes, metadata: dict[str, str]):
    kind = what_is(header(shapes, metadata))
    assert kind.family in _FITS_ANY
    assert set(kind.families) <= _FITS_ANY - {"unknown"}
    assert family_of_checkpoint(header(shapes)) in _FITS_ANY
    assert bool(kind.method) == (kind.kind == "lora")


def read_or_refused(path: Path) -> Header | None:
    """The header, or None where it is refused by the file's name, without its folder."""
    try:
        return read_header(path)
    except BadFile as refused:
        said = str(refused)
    assert path.name in said
    assert str(path.parent) not in said
    return None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["dtype", "shape", "data_offsets", "a"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(_ANY_NAME | st.just("__metadata__"), _JSON, max_size=4) | _JSON, st.binary(max_size=40), st.integers(-3, 3))
def test_a_header_of_any_json_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, said: Any, data: bytes, wrong: int):
    path = tmp_path_factory.getbasetemp() / "fuzzed.safetensors"
    text = json.dumps(said).encode()
    path.write_bytes(max(len(text) + wrong, 0).to_bytes(8, "little") + text + data)
    read = read_or_refused(path)
    assert read is None or (all(tensor.offsets[1] <= len(data) for tensor in read.tensors.values()) and what_is(read).kind)


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes):
    path = tmp_path_factory.getbasetemp() / "bytes.safetensors"
    path.write_bytes(content)
    read = read_or_refused(path)
    assert read is None or what_is(read).kind

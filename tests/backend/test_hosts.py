"""Is each host known when it answers, and spoken to in the form that works there? What they answer was recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from lib_extension.backend.backend import Backend
from lib_extension.backend.errors import Missing, Refused, WrongAnswer
from lib_extension.backend.hashes import Files
from lib_extension.pictures.png import encode_base64
from lib_extension.spec.calls import ModelEmbedding, ModelMask, ModelTags
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.inventory import Host, Inventory
from lib_extension.spec.sdapi import Detect, ExtraSingle, Txt2Img
from lib_extension.stages import STAGES
from lib_extension.stages.stage import Answer, Given
from tests.backend.asked import asking, backend_over, drawing, guided_by, redrawing, unit
from tests.backend.misbehaving import LoraFile, Misbehaving
from tests.stages.painting import stage

HOSTS: tuple[Host, ...] = ("a1111", "forge", "reforge")
MODEL: dict[Host, str] = {"a1111": "tiny_cn_canny", "forge": "mid_cn_canny", "reforge": "mid_cn_canny"}


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest) -> Host:
    return request.param


def test_a_host_is_known_by_its_answers(host: Host) -> None:
    identity = backend_over(Misbehaving(host)).identity()
    assert (identity.host, identity.device, identity.precision) == (host, "cpu", "fp32")
    assert identity.class_ == f"{host} {identity.version} cpu fp32"


def test_each_host_has_a_class_of_its_own() -> None:
    versions = {backend_over(Misbehaving(host)).identity().version for host in HOSTS}
    assert len(versions) == 3


@pytest.mark.parametrize(
    ("flags", "cuda", "device", "precision"),
    [
        ({}, {"system": {"total": 1}}, "cuda", "fp16"),
        ({"no_half": True}, {"system": {"total": 1}}, "cuda", "fp32"),
        ({"precision": "full"}, {"system": {"total": 1}}, "cuda", "fp32"),
        ({"use_cpu": ["all"]}, {"system": {"total": 1}}, "cpu", "fp32"),
        ({}, {"error": "unavailable"}, "other", "fp16"),
        ({"always_cpu": False}, {"system": {"total": 1}}, "cuda", "auto"),
        ({"always_cpu": False, "unet_in_bf16": True}, {"system": {"total": 1}}, "cuda", "bf16"),
    ],
)
def test_device_and_precision_come_from_flags(flags: dict[str, Any], cuda: dict[str, Any], device: str, precision: str) -> None:
    webui = Misbehaving()
    webui.lists["/sdapi/v1/cmd-flags"]["response"] = flags
    webui.lists["/sdapi/v1/memory"]["response"]["cuda"] = cuda
    identity = backend_over(webui).identity()
    assert (identity.device, identity.precision) == (device, precision)


def inventory(host: Host) -> Inventory:
    return backend_over(Misbehaving(host, loras={"style": LoraFile("aa11")})).inventory()


def test_names_mean_the_same_on_every_host(host: Host) -> None:
    found = inventory(host)
    assert found.sampler("k_euler") == found.sampler("euler") != None  # noqa: E711 (all three at once)
    assert found.scheduler("Karras") == found.scheduler("karras") != None  # noqa: E711
    both = found.sampler_and_scheduler("DPM++ 2M Karras")
    assert both is not None
    assert (both[0].name, both[1].label) == ("DPM++ 2M", "Karras")
    assert found.controlnet(MODEL[host]) == found.controlnets[0] == found.controlnet(found.controlnets[0])
    assert found.identity("lora", "style") == "style"
    assert found.identity("lora", "nosuch") is None
    assert found.identity("vae", "Automatic") == "Automatic"
    assert found.identity("checkpoint", "") == found.identity("checkpoint", found.current)
    assert "openpose_full" in found.modules


@pytest.mark.parametrize(
    ("host", "name", "listed"),
    [
        ("a1111", "none", "none"),
        ("a1111", "None", "none"),
        ("a1111", "depth_midas", "depth"),
        ("forge", "none", "None"),
        ("forge", "depth", "depth_midas"),
        ("forge", "normal_bae", "normalbae"),
        ("reforge", "pidinet", "softedge_pidinet"),
        ("reforge", "nosuch", None),
    ],
)
def test_preprocessors_are_called_as_the_host_lists_them(host: Host, name: str, listed: str | None) -> None:
    assert inventory(host).module(name) == listed


def test_what_hosts_cannot_do_is_known() -> None:
    assert [inventory(host).sends_maps for host in HOSTS] == [True, True, False]
    assert [inventory(host).control_modes for host in HOSTS] == [True, True, False]


@pytest.mark.parametrize("module", ["canny", "none", "None"])
def test_a_unit_guides_on_every_host(host: Host, module: str) -> None:
    """By a model without its [hash] and a module in any spelling, which Forge and reForge leave out without a word."""
    webui = Misbehaving(host)
    backend = backend_over(webui)
    guided = backend.call(asking(alwayson_scripts=guided_by(unit(module=module, model=MODEL[host]))))
    assert guided.pictures[0].png != backend.call(asking()).pictures[0].png
    assert len(guided.maps) == (0 if host == "reforge" else 1)


def test_a_failing_unit_is_caught_on_every_host(host: Host) -> None:
    """Forge sends the map of a model that it did not find, reForge sends none: two smallest pictures tell."""
    webui = Misbehaving(host, forgets={MODEL[host]})
    backend, call = backend_over(webui), asking(alwayson_scripts=guided_by(unit(model=MODEL[host])))
    with pytest.raises(Missing, match=r"canny with .* does not guide pictures"):
        backend.call(call)
    calls = len(webui.calls)
    with pytest.raises(Missing, match=r"canny with .* does not guide pictures"):  # another picture with it is not even begun
        backend.call(replace(call, prompt="another"))
    assert len(webui.calls) == calls
    webui.forgets.clear()
    backend.learn(Files())  # as every run begins
    assert backend.call(call).pictures


def test_control_modes_without_effect_are_refused() -> None:
    prompt_first = guided_by(unit(model="mid_cn_canny", control_mode="My prompt is more important"))
    assert "takes no heed of control_mode" in backend_over(Misbehaving("reforge")).can(asking(alwayson_scripts=prompt_first))
    forge = backend_over(Misbehaving("forge"))
    balanced = guided_by(unit(model="mid_cn_canny"))
    pictures = [forge.call(asking(alwayson_scripts=scripts)).pictures[0].png for scripts in (prompt_first, balanced)]
    assert pictures[0] != pictures[1]


def test_a_mask_and_a_vae_go_by_each_hosts_name() -> None:
    webui = Misbehaving("forge")
    webui.lists["/sdapi/v1/sd-modules"]["response"] = [{"model_name": "soft.vae.safetensors", "filename": "x"}]
    masked = guided_by(unit(model="mid_cn_canny", mask=drawing(mode="L")))
    backend_over(webui).call(asking(alwayson_scripts=masked, override_settings={"sd_vae": "soft.vae.safetensors"}))
    body = webui.calls[-1][1]
    assert body["override_settings"]["forge_additional_modules"] == ["soft.vae.safetensors"]
    assert "sd_vae" not in body["override_settings"]
    sent = body["alwayson_scripts"]["controlnet"]["args"][0]
    assert sent["mask_image"]
    assert "mask" not in sent


def test_what_a_stage_says_arrives_on_every_host(host: Host) -> None:
    webui = Misbehaving(host)
    webui.lists["/sdapi/v1/prompt-styles"]["response"] = [{"name": "noir", "prompt": "black and white", "negative_prompt": ""}]
    vaes = "/sdapi/v1/sd-modules" if host == "forge" else "/sdapi/v1/sd-vae"
    webui.lists[vaes] = {"status": 200, "response": [{"model_name": "soft.safetensors", "filename": "x"}]}
    for names in webui.lists["/sdapi/v1/scripts"]["response"].values():
        names.append("adetailer")
    first, second = (item["model_name"] for item in webui.lists["/sdapi/v1/sd-models"]["response"][:2])
    settings = stage(
        "txt2img",
        prompt="a mug",
        width=64,
        height=64,
        sampler_name="Euler",
        scheduler="Karras",
        checkpoint=second,
        vae="soft.safetensors",
        refiner_checkpoint=first,
        refiner_switch_at=0.6,
        styles=["noir"],
        alwayson={"ADetailer": [True, {"ad_model": "face_yolov8n.pt"}]},
        override_settings={"eta_noise_seed_delta": 7},
        hires={"hr_upscaler": "Lanczos", "hr_checkpoint_name": first},
    )
    body = next(STAGES["txt2img"].work(Given(settings, seed=5)))
    assert isinstance(body, Txt2Img)
    backend_over(webui).call(body)
    sent = webui.calls[-1][1]
    assert sent["alwayson_scripts"] == {"adetailer": {"args": [True, {"ad_model": "face_yolov8n.pt"}]}}
    assert (sent["styles"], sent["refiner_checkpoint"], sent["refiner_switch_at"]) == (["noir"], first, 0.6)
    assert (sent["hr_checkpoint_name"], sent["hr_upscaler"], sent["hr_resize_x"]) == (first, "Lanczos", 128)
    options = sent["override_settings"]
    assert options["sd_model_checkpoint"].startswith(f"{second}.safetensors")
    assert options.get("sd_vae") == (None if host == "forge" else "soft.safetensors")
    assert options.get("forge_additional_modules") == (["soft.safetensors"] if host == "forge" else None)
    assert (options["eta_noise_seed_delta"], options["CLIP_stop_at_last_layers"]) == (7, 1)


def test_a_second_pass_is_drawn_as_the_first_on_every_host(host: Host) -> None:
    """By default Forge and reForge draw it at a CFG scale of 1, and Forge breaks for want of a list."""
    webui = Misbehaving(host)
    backend_over(webui).call(asking(enable_hr=True, denoising_strength=0.6, hr_upscaler="Latent", cfg_scale=5.5))
    body = webui.calls[-1][1]
    assert body.get("hr_cfg") == (5.5 if host in ("forge", "reforge") else None)
    assert body.get("hr_additional_modules") == (["Use same choices"] if host == "forge" else None)


def test_a_units_mask_of_another_size_is_refused() -> None:
    """A WebUI leaves such a unit out."""
    webui = Misbehaving()
    with pytest.raises(BadRequest, match="ControlNet unit 0 has a mask of 32×64 for a picture of 64×64"):
        backend_over(webui).call(asking(alwayson_scripts=guided_by(unit(mask=drawing((32, 64), "L")))))
    assert webui.calls == []


def test_a_webui_without_controlnet_is_said() -> None:
    webui = Misbehaving()
    for names in webui.lists["/sdapi/v1/scripts"]["response"].values():
        names.remove("controlnet")
    backend = backend_over(webui)
    assert "Install the extension sd-webui-controlnet" in backend.can(asking(alwayson_scripts=guided_by(unit())))
    assert "Install the extension sd-webui-controlnet" in backend.can(Detect(controlnet_module="canny"))
    assert backend.can(asking()) == ""


def test_hashes_are_learnt_from_smallest_pictures() -> None:
    webui = Misbehaving("reforge", loras={"style": LoraFile("aa11"), "broken": LoraFile("", readable=False)})
    backend = backend_over(webui)
    assert backend.inventory().identity("checkpoint", "mid") == "mid"
    learnt = backend.learn(Files(checkpoints=["mid", "mid2", "nosuch"], loras=["style", "broken"]))
    assert len(learnt.identity("checkpoint", "mid") or "") == 10
    assert learnt.identity("lora", "style") == "aa11"
    assert learnt.identity("lora", "broken") == "broken"
    assert len(webui.calls) == 3  # mid2's hash was known
    assert all((body["width"], body["height"], body["steps"]) == (64, 64, 2) for _, body in webui.calls)


def test_the_checkpoint_in_use_is_sent_and_checked_too() -> None:
    webui = Misbehaving()
    backend_over(webui).call(asking(override_settings={}))
    assert webui.calls[0][1]["override_settings"]["sd_model_checkpoint"] == "tiny.safetensors [d3a68a9e49]"


@pytest.mark.parametrize(("sampler", "scheduler"), [("k_euler_a", "karras"), ("euler a", "KARRAS"), ("Euler a", "Karras")])
def test_samplers_are_called_by_their_first_names(host: Host, sampler: str, scheduler: str) -> None:
    """A WebUI draws "k_euler_a", which it lists as an alias, by another sampler."""
    webui = Misbehaving(host)
    backend_over(webui).call(asking(sampler_name=sampler, scheduler=scheduler))
    assert (webui.calls[0][1]["sampler_name"], webui.calls[0][1]["scheduler"]) == ("Euler a", "Karras")


def test_bodies_are_sent_complete() -> None:
    webui = Misbehaving()
    backend_over(webui).call(redrawing(), "task(7)")
    route, body = webui.calls[0]
    assert route == "img2img"
    assert (body["inpainting_fill"], body["inpaint_full_res"], body["mask_blur_x"], body["force_task_id"]) == (0, True, 4, "task(7)")


def test_only_masked_pictures_keep_the_size_of_what_was_sent() -> None:
    body = redrawing(init_images=[drawing((100, 76))], mask=drawing((100, 76), "L"), width=64, height=64)
    assert backend_over(Misbehaving()).call(body).pictures[0].image.size == (100, 76)


def test_maps_and_upscaled_pictures() -> None:
    backend = backend_over(Misbehaving(failing_module="depth", forgets={"Nearest", "hed"}))
    found = backend.call(Detect(controlnet_module="canny", controlnet_input_images=[drawing()]))
    assert [picture.image.size for picture in found.pictures] == [(64, 64)]
    with pytest.raises(Missing, match=r'urlopen error.* "depth_midas" needs files that are not there'):
        backend.call(Detect(controlnet_module="depth_midas", controlnet_input_images=[drawing()]))
    with pytest.raises(WrongAnswer, match=r'no map with "hed".*weights may be missing'):
        backend.call(Detect(controlnet_module="hed", controlnet_input_images=[drawing()]))
    larger = backend.call(ExtraSingle(image=drawing(), upscaler_1="Lanczos", upscaling_resize=2))
    assert larger.pictures[0].image.size == (128, 128)
    with pytest.raises(WrongAnswer, match=r'asked for \(128, 128\) pixels by "Nearest" and gave \(64, 64\)'):
        backend.call(ExtraSingle(image=drawing(), upscaler_1="Nearest", upscaling_resize=2))
    with pytest.raises(Missing, match='no upscaler "Lanczo"'):
        backend.call(ExtraSingle(image=drawing(), upscaler_1="Lanczo"))


def test_networks_are_the_engines_affair() -> None:
    backend = backend_over(Misbehaving())
    with pytest.raises(Missing, match="only the embedded engine"):
        backend.call(ModelTags(image=drawing()))


@dataclass
class Engine(Misbehaving):
    """An engine's own routes, before a WebUI's lists."""

    mask: dict[str, Any] = field(default_factory=lambda: {"mask": None, "found": 0, "boxes": []})
    absent: dict[str, tuple[int, Any]] = field(default_factory=dict)  # refusals by path

    def answer(self, method: str, path: str, body: dict[str, Any], headers: Mapping[str, str]) -> tuple[int, Any]:
        own: dict[str, Any] = {
            "/atelier-engine/v1/identity": {"software": "atelier-engine", "version": "1-x", "device": "cuda", "precision": "fp16"},
            "/atelier-engine/v1/hashes": {
                "checkpoints": dict.fromkeys(body.get("checkpoints", ()), "d3a68a9e49"),
                "loras": {},
                "embeddings": {},
            },
            "/atelier-engine/v1/mask-networks": {"detector/face": "aa11"},
            "/atelier-engine/v1/tags": {"tags": {"watch": 0.9}},
            "/atelier-engine/v1/embedding": {"embeddings": [[0.6, 0.8]], "network": "clip_vision"},
            "/atelier-engine/v1/mask": self.mask,
        }
        if path in self.absent:
            return self.absent[path]
        return (200, own[path]) if path in own else super().answer(method, path, body, headers)


def ask(backend: Backend, kind: str) -> Answer:
    calls = {"tags": ModelTags(image="x"), "embedding": ModelEmbedding(images=("x",)), "mask": ModelMask(kind="text", image="x")}
    return backend.call(calls[kind])


def test_an_engine_says_who_it_is_and_answers_for_its_networks() -> None:
    backend = backend_over(Engine())
    assert backend.identity().class_ == "engine 1-x cuda fp16"
    assert ask(backend, "tags").facts == {"watch": 0.9}
    assert ask(backend, "embedding").facts == {"embeddings": [[0.6, 0.8]], "network": "clip_vision"}
    nothing = ask(backend, "mask")
    assert (nothing.pictures, nothing.facts) == ((), {"found": 0, "boxes": []})
    assert backend.inventory().identity("network", "detector/face") == "aa11"
    assert backend.inventory().identity("network", "detector/hand") is None
    assert backend.learn(Files(checkpoints=["tiny"])).identity("checkpoint", "tiny") == "d3a68a9e49"


def test_what_an_engine_has_not_installed_is_tried_elsewhere() -> None:
    said = "The module openpose_full needs controlnet-aux, which is not installed."
    engine = Engine(absent={"/controlnet/detect": (404, {"error": "NotFound", "detail": said, "body": "", "errors": said})})
    with pytest.raises(Missing, match="http://webui: The module openpose_full needs controlnet-aux"):
        backend_over(engine).call(Detect(controlnet_module="openpose_full", controlnet_input_images=[drawing()]))


def test_a_found_mask_comes_with_its_boxes() -> None:
    engine = Engine(mask={"mask": drawing(mode="L"), "found": 1, "boxes": [[16, 16, 40, 40, 1.0, "x"]]})
    found = ask(backend_over(engine), "mask")
    assert encode_base64(found.pictures[0].image) == drawing(mode="L")
    assert found.pictures[0].facts["boxes"] == [[16, 16, 40, 40, 1.0, "x"]]


def test_a_password_is_asked_for_in_plain_words() -> None:
    webui = Misbehaving(password="me:secret")
    with pytest.raises(Refused, match=r"asks for a name and a password \(Not authenticated\): give the pair of its --api-auth"):
        backend_over(webui).identity()
    assert backend_over(webui, ("me", "secret")).identity().host == "a1111"


@pytest.mark.parametrize("answer", [{}, [], "text", {"paths": []}])
def test_something_else_than_a_webui_is_told(answer: object) -> None:
    webui = Misbehaving()
    webui.lists["/openapi.json"]["response"] = answer
    with pytest.raises(WrongAnswer, match="not as a WebUI does"):
        backend_over(webui).identity()
    other = Misbehaving()
    other.lists["/sdapi/v1/samplers"]["response"] = [answer]
    with pytest.raises(WrongAnswer, match="is it a WebUI"):
        backend_over(other).inventory()

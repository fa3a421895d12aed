"""Is every recorded way of being silently wrong caught? A WebUI goes wrong in exactly one way; one rule must say so, and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from lib_extension.backend import receipts, unusable
from lib_extension.backend.backend import Backend
from lib_extension.backend.errors import BackendError, Failed, Missing, NotGuided, WasInterrupted, WrongAnswer
from lib_extension.backend.hashes import Files
from lib_extension.backend.proofs import Proofs
from lib_extension.spec.errors import AtelierError, BadRequest
from lib_extension.spec.sdapi import Img2Img, Txt2Img
from tests.backend.asked import PLAIN, asking, backend_over, blank_mask, drawing, guided_by, redrawing, unit
from tests.backend.misbehaving import LoraFile, Misbehaving

TINY2 = "tiny2.safetensors [3514fb4050]"
CANNY = guided_by(unit())
WITH_LORA = asking(prompt="a mug <lora:style:0.8>")


@dataclass(frozen=True)
class Fault:
    """A WebUI that goes wrong, a call that meets it, the rule that must catch it, and what its message must say."""

    name: str
    webui: Callable[[], Misbehaving]
    call: Txt2Img | Img2Img
    caught_by: Callable[..., object]
    says: str
    error: type[AtelierError] = WrongAnswer


FAULTS = [
    Fault("unknown sampler", lambda: Misbehaving(forgets={"Euler a"}), asking(sampler_name="Euler a"), receipts.sampler_as_asked,
          r'the sampler "Euler a" and used "DPM\+\+ 2M"'),
    Fault("unknown scheduler", lambda: Misbehaving(forgets={"Karras"}), asking(scheduler="Karras"), receipts.scheduler_as_asked,
          'the scheduler "Karras" and used "Automatic"'),
    Fault("unknown checkpoint override", lambda: Misbehaving(forgets={TINY2}), asking(override_settings={"sd_model_checkpoint": "tiny2"}),
          receipts.checkpoint_as_asked, r'the checkpoint "tiny2" \(3514fb4050\) and used "tiny" \(d3a68a9e49\)'),
    Fault("ControlNet with unknown model", lambda: Misbehaving(forgets={"tiny_cn_canny"}), asking(alwayson_scripts=CANNY),
          Proofs.blame, r"canny with tiny_cn_canny \[40c91a04\] does not guide pictures", Missing),
    Fault("ControlNet without image", Misbehaving, asking(alwayson_scripts=guided_by(unit(image=None))), unusable.refuse_idle_unit,
          "ControlNet unit 0 has no picture", BadRequest),
    Fault("ControlNet with a broken image", Misbehaving, asking(alwayson_scripts=guided_by(unit(image="notbase64"))),
          unusable.refuse_idle_unit, "The picture of ControlNet unit 0 is not", BadRequest),
    Fault("failed annotator, though the infotext names it", lambda: Misbehaving(failing_module="canny"), asking(alwayson_scripts=CANNY),
          Proofs.blame, "canny with .* does not guide pictures", Missing),
    Fault("failed annotator of a unit that no smallest picture can show to act", lambda: Misbehaving(failing_module="canny"),
          asking(alwayson_scripts=guided_by(unit(weight=0.0))), receipts.units_guided, "a unit failed", NotGuided),
    Fault("one of two units failed", lambda: Misbehaving(failing_module="depth"),
          asking(alwayson_scripts=guided_by(unit(), unit(module="depth"))), Proofs.blame, "depth with .* does not guide", Missing),
    Fault("one of two units failed in two passes", lambda: Misbehaving(failing_module="depth"),
          asking(enable_hr=True, hr_upscaler="Latent", alwayson_scripts=guided_by(unit(), unit(module="depth"))), Proofs.blame,
          "depth with .* does not guide", Missing),
    Fault("a unit without a map that failed", lambda: Misbehaving(failing_module="ip-adapter_clip_sd15"),
          asking(alwayson_scripts=guided_by(unit(module="ip-adapter_clip_sd15"))), Proofs.demand, "does not guide pictures", Missing),
    Fault("LoRA missing", lambda: Misbehaving(loras={"style": LoraFile("aa11")}, forgets={"style"}), WITH_LORA, Proofs.demand,
          'did not load the LoRA "style": its file is missing there'),
    Fault("LoRA corrupt", lambda: Misbehaving(loras={"style": LoraFile("aa11", readable=False)}), WITH_LORA, Proofs.demand,
          'did not load the LoRA "style": .* or cannot be read'),
    Fault("LoRA of a wrong shape", lambda: Misbehaving(loras={"style": LoraFile("aa11", fits=False)}), WITH_LORA, Proofs.demand,
          'The LoRA "style" changes nothing .* made for another base'),
    Fault("LoRA of a wrong shape on Forge", lambda: Misbehaving("forge", loras={"style": LoraFile("aa11", fits=False)}), WITH_LORA,
          Proofs.demand, 'The LoRA "style" does not fit the checkpoint mid.safetensors .*choose one of the same base.*size of tensor a'),
    Fault("LoRA with peft's names", lambda: Misbehaving(loras={"style": LoraFile("aa11", weights="")}), WITH_LORA, Proofs.demand,
          "those of diffusers or peft.* Convert it"),
    Fault("empty only-masked mask", Misbehaving, redrawing(mask=blank_mask()), unusable.refuse_empty_mask, "The mask is empty", BadRequest),
    Fault("empty inverted mask", Misbehaving, redrawing(mask=blank_mask(255), inpainting_mask_invert=1), unusable.refuse_empty_mask,
          "The mask is empty", BadRequest),
    Fault("interrupted 200", lambda: Misbehaving(interrupted_at=0), PLAIN, receipts.not_interrupted, "half finished", WasInterrupted),
    Fault("interrupted in the first of three", lambda: Misbehaving(interrupted_at=0), asking(n_iter=3), receipts.not_interrupted,
          "half finished", WasInterrupted),
    Fault("interrupted, as our script there tells", lambda: Misbehaving(interrupted_at=0, our_script="signs"), PLAIN,
          receipts.not_interrupted, "half finished", WasInterrupted),
    Fault("our script did not get its receipt", lambda: Misbehaving(our_script="fails"), PLAIN, receipts.signed_as_asked,
          "did not sign the pictures of this call"),
    Fault("width floored to 8", Misbehaving, asking(width=100), receipts.sizes_as_asked,
          "asked for 100×64 pixels and gave 96×64. Ask for sizes that are multiples of 8"),
    Fault("black picture", lambda: Misbehaving(black=True), PLAIN, receipts.not_blank, "all black.*--no-half-vae"),
    Fault("fewer pictures", lambda: Misbehaving(lost=1), asking(batch_size=2), receipts.all_pictures_came,
          "asked for 2 pictures and gave 1", WasInterrupted),
    Fault("fewer pictures, with a map behind them", lambda: Misbehaving(lost=1), asking(batch_size=2, alwayson_scripts=CANNY),
          receipts.all_pictures_came, "asked for 2 pictures and gave 1", WasInterrupted),
    Fault("more pictures", lambda: Misbehaving(more=1), PLAIN, receipts.all_pictures_came, "asked for 1 pictures and gave 2"),
    Fault("unknown VAE", lambda: Misbehaving(vaes=("old.pt", "soft.pt"), unheeded={"sd_vae"}),
          asking(override_settings={"sd_vae": "soft.pt"}), receipts.vae_as_asked, r'the VAE "soft.pt" and used "old.pt"'),
    Fault("VAE whose file has gone", lambda: Misbehaving(vaes=("soft.pt",), vae_files_gone=True),
          asking(override_settings={"sd_vae": "soft.pt"}), receipts.vae_as_asked, r'the VAE "soft.pt" and used the checkpoint'),
    Fault("clip skip that is not heeded", lambda: Misbehaving(unheeded={"CLIP_stop_at_last_layers"}),
          asking(override_settings={"CLIP_stop_at_last_layers": 2}), receipts.clip_skip_as_asked, "clip skip 2 and used 1"),
    Fault("other seeds", lambda: Misbehaving(seed_shift=7), PLAIN, receipts.seeds_as_asked, r"the seeds \[5\] and used \[12\]"),
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_recorded_fault_is_caught_by_its_rule(fault: Fault) -> None:
    with pytest.raises(fault.error) as caught:
        backend_over(fault.webui()).call(fault.call)
    assert type(caught.value) is fault.error
    assert re.search(fault.says, str(caught.value)), str(caught.value)
    rules = {entry.name for entry in caught.traceback}
    assert fault.caught_by.__name__ in rules


def test_every_receipt_has_its_fault() -> None:
    with_a_test_of_their_own = {receipts.loras_loaded, receipts.embeddings_as_planned, receipts.sent_without_loss}
    assert {*receipts.RECEIPTS} == {fault.caught_by for fault in FAULTS} & {*receipts.RECEIPTS} | with_a_test_of_their_own


@pytest.mark.parametrize(
    ("call", "lacking"),
    [
        (asking(sampler_name="Euler b"), 'no sampler "Euler b". Did you mean "Euler a"?'),
        (asking(scheduler="Karas"), 'no scheduler "Karas". Did you mean "Karras"?'),
        (asking(override_settings={"sd_model_checkpoint": "tinny"}), 'no checkpoint "tinny". Did you mean "tiny"?'),
        (asking(override_settings={"sd_vae": "vae-ft"}), 'no VAE "vae-ft".'),
        (asking(refiner_checkpoint="xl"), 'no checkpoint "xl".'),
        (asking(prompt="a <lora:stile:1>"), 'no LoRA "stile". Did you mean "style"?'),
        (asking(styles=["noir"]), 'no style "noir".'),
        (asking(enable_hr=True, hr_upscaler="Lanczo"), 'no upscaler "Lanczo". Did you mean "Lanczos"?'),
        (
            asking(alwayson_scripts=guided_by(unit(model="tiny_cn_cany"))),
            'no ControlNet model "tiny_cn_cany". Did you mean "tiny_cn_canny"?',
        ),
        (asking(alwayson_scripts=guided_by(unit(module="cany"))), 'no preprocessor "cany". Did you mean "canny"?'),
        (asking(alwayson_scripts=guided_by(unit(), unit(), unit(), unit())), "takes 3 ControlNet units, and 4 are asked for"),
        (asking(alwayson_scripts={"adetailer": {"args": []}}), 'no script "adetailer".'),
    ],
)
def test_what_is_not_listed_is_not_even_sent(call: Txt2Img, lacking: str) -> None:
    webui = Misbehaving(loras={"style": LoraFile("aa11")})
    backend = backend_over(webui)
    with pytest.raises(Missing) as caught:
        backend.call(call)
    assert lacking in str(caught.value) == backend.can(call)
    assert webui.calls == []


def test_a_right_answer_passes_every_rule_and_costs_one_generation() -> None:
    webui = Misbehaving()
    answer = backend_over(webui).call(asking(batch_size=2, n_iter=2, alwayson_scripts=guided_by(unit(), unit(module="none"))))
    assert [picture.seed for picture in answer.pictures] == [5, 6, 7, 8]
    assert all(f"Seed: {picture.seed}" in picture.infotext for picture in answer.pictures)
    assert len({picture.png for picture in answer.pictures}) == 4
    assert len(answer.maps) == 2
    assert len(webui.calls) == 1


def test_a_lora_is_tried_once_and_then_costs_nothing() -> None:
    webui = Misbehaving(loras={"style": LoraFile("aa11")})
    backend = backend_over(webui)
    for _ in range(3):
        backend.call(WITH_LORA)
    sizes = [body["width"] * body["height"] * body["steps"] for _, body in webui.calls]
    assert len(webui.calls) == 5
    assert sizes[:2] == [64 * 64 * 2] * 2


def test_masks_and_grids_between_the_pictures_are_told_from_them() -> None:
    webui = Misbehaving()
    webui.options["return_mask"] = True
    webui.saved_options.add("return_mask")
    body = redrawing(mask=drawing(mode="L"), n_iter=2, do_not_save_grid=False)
    backend = backend_over(webui)
    first = backend.call(body)
    assert webui.calls[0][1]["override_settings"]["return_mask"] is False
    webui.options["return_mask"] = False  # the backend's lists say otherwise, so nothing is sent against it
    assert [picture.png for picture in first.pictures] == [picture.png for picture in backend.call(body).pictures]


SECOND = asking(enable_hr=True, hr_scale=2.0, denoising_strength=0.5, hr_upscaler="Latent", hr_prompt="a mug <lora:late:0.5>")


@pytest.mark.parametrize(
    ("late", "message"),
    [
        (None, 'no LoRA "late"'),
        (LoraFile("cc33", readable=False), 'did not load the LoRA "late"'),
        (LoraFile("cc33", fits=False), "changes nothing"),
    ],
)
def test_a_lora_of_the_second_pass_alone_is_demanded_too(late: LoraFile | None, message: str) -> None:
    webui = Misbehaving(loras={"late": LoraFile("cc33", "late")})
    assert backend_over(webui).call(SECOND).pictures
    webui = Misbehaving(loras={"late": late} if late else {})
    with pytest.raises((WrongAnswer, Missing), match=message):
        backend_over(webui).call(SECOND)
    assert backend_over(webui).call(replace(SECOND, enable_hr=False)).pictures, "there is no second pass"


def test_an_overwritten_lora_of_the_second_pass_is_noticed() -> None:
    webui = Misbehaving(loras={"late": LoraFile("cc33", "old")})
    backend = backend_over(webui)
    backend.learn(Files(loras=["late"]))
    backend.call(SECOND)
    webui.loras["late"] = LoraFile("dd44", "new")
    with pytest.raises(WrongAnswer, match=r'"late" .* was overwritten since the run was planned'):
        backend.call(SECOND)


def test_an_overwritten_lora_is_loaded_anew() -> None:
    webui = Misbehaving(loras={"style": LoraFile("aa11", "old")})
    backend = backend_over(webui)
    old_hash = backend.learn(Files(loras=["style"])).identity("lora", "style")
    old = backend.call(WITH_LORA).pictures[0].png
    webui.loras["style"] = LoraFile("bb22", "new")
    with pytest.raises(WrongAnswer, match=r'"style" .* was overwritten since the run was planned. Start the run again'):
        backend.call(WITH_LORA)
    assert webui.held == (("style", "0.8"), "old")
    new_hash = backend.learn(Files(loras=["style"])).identity("lora", "style")
    assert (old_hash, new_hash) == ("aa11", "bb22")
    assert backend.call(WITH_LORA).pictures[0].png != old


def test_an_overwritten_embedding_is_noticed() -> None:
    """Its hash comes with a picture only, if the options allow it; without a picture its shape and training are told."""
    webui = Misbehaving(embeddings={"brass": "aa11"})
    webui.options["textual_inversion_add_hashes_to_infotext"] = False
    backend = backend_over(webui)
    with_it = asking(prompt="a mug of brass")
    assert backend.inventory().identity("embedding", "brass") == "brass 1x768 step None"
    assert backend.learn(Files(embeddings=["brass", "nosuch"])).identity("embedding", "brass") == "aa11"
    old = backend.call(with_it).pictures[0].png
    webui.embeddings["brass"] = "bb22"
    with pytest.raises(WrongAnswer, match=r'embedding "brass" .* was overwritten since the run was planned. Start the run again'):
        backend.call(with_it)
    assert backend.learn(Files(embeddings=["brass"])).identity("embedding", "brass") == "bb22"
    assert backend.call(with_it).pictures[0].png != old


def test_options_that_a_call_leaves_behind_are_set_back() -> None:
    webui = Misbehaving()
    backend = backend_over(webui)
    backend.call(asking(override_settings={"CLIP_stop_at_last_layers": 2}))
    assert webui.options["CLIP_stop_at_last_layers"] == 1
    backend.call(asking(override_settings={"CLIP_stop_at_last_layers": 2}))
    assert webui.options["CLIP_stop_at_last_layers"] == 1  # by the WebUI itself, since its config file has the option now


def test_options_that_stay_behind_are_told() -> None:
    webui = Misbehaving()
    webui.set_options = lambda body: (200, None)
    with pytest.raises(WrongAnswer, match=r"keeps options of a call that has ended: CLIP_stop_at_last_layers \(it was 1.0\)"):
        backend_over(webui).call(asking(override_settings={"CLIP_stop_at_last_layers": 2}))


def test_what_others_left_behind_changes_nothing() -> None:
    clean = backend_over(Misbehaving()).call(PLAIN)
    webui = Misbehaving()
    webui.options |= {"CLIP_stop_at_last_layers": 2, "samples_format": "jpg", "enable_pnginfo": False}
    left = backend_over(webui).call(PLAIN)
    assert left.pictures == clean.pictures


def test_a_setting_that_is_not_heeded_shows() -> None:
    webui = Misbehaving()
    backend = backend_over(webui)
    backend.inventory()
    webui.options |= {"samples_format": "jpg"}  # after it was asked
    with pytest.raises(WrongAnswer, match='Set its option "samples_format" to png'):
        backend.call(PLAIN)


def failing(webui: Misbehaving) -> Backend:
    backend = backend_over(webui)
    with pytest.raises(Failed, match="CUDA out of memory"):
        backend.call(PLAIN, "task(ours)")
    return backend


def test_a_failed_task_is_over_though_the_webui_calls_it_active() -> None:
    webui = Misbehaving(fails_once=True)
    backend = failing(webui)
    assert webui.task_progress({"id_task": "task(ours)"})[1]["active"]
    assert backend.progress("task(ours)") is None
    assert not backend.interrupt("task(ours)")
    assert not webui.state["interrupted"]


def test_routes_that_are_not_live_yet_are_waited_for() -> None:
    webui = Misbehaving(live_in=3)
    assert backend_over(webui).identity().host == "a1111"


def test_routes_that_never_come_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib_extension.backend.probing.ROUTE_SECONDS", 0.4)
    with pytest.raises(BackendError, match="http://webui has no /sdapi/v1/cmd-flags: is it a WebUI started with --api"):
        backend_over(Misbehaving(live_in=1000)).identity()

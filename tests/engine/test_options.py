"""Options: which are known, what may be set, and what a call's overrides leave behind."""

from __future__ import annotations

import pytest

from lib_extension.engine.options import HEEDED, NOT_MADE, Options, UnknownOption, defaults
from lib_extension.spec.errors import BadRequest


def test_every_option_that_is_heeded_or_refused_exists() -> None:
    assert set(defaults()) >= HEEDED | NOT_MADE
    assert not HEEDED & NOT_MADE


def test_a_value_is_the_default_until_it_is_set() -> None:
    options = Options()
    assert options["CLIP_stop_at_last_layers"] == 1
    assert not options.is_set("CLIP_stop_at_last_layers")
    options.change({"CLIP_stop_at_last_layers": 2})
    assert options["CLIP_stop_at_last_layers"] == 2
    assert options.to_json()["CLIP_stop_at_last_layers"] == 2
    assert options.to_json()["send_seed"] is True


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"no_such_option": 1}, 'There is no option "no_such_option"'),
        ({"sd_model_checkpoints": "x"}, 'Did you mean "sd_model_checkpoint"'),
        ({"CLIP_stop_at_last_layers": "two"}, "takes a number"),
        ({"CLIP_stop_at_last_layers": True}, "takes a number"),
        ({"send_seed": 1}, "takes true or false"),
        ({"sd_vae": 7}, "takes a text"),
        ({"jpeg_quality": 1e300}, "takes a number"),
        ({"token_merging_ratio": 0.5}, "does not carry out"),
    ],
)
def test_strict_refuses_what_is_wrong_and_changes_nothing(values: dict[str, object], message: str) -> None:
    options = Options()
    with pytest.raises(BadRequest, match=message):
        options.change({"send_size": False, **values})
    assert options["send_size"] is True


def test_lenient_drops_what_is_wrong() -> None:
    options = Options(lenient=True)
    options.change({"no_such_option": 1, "CLIP_stop_at_last_layers": "two", "token_merging_ratio": 0.5, "send_size": False})
    assert options["CLIP_stop_at_last_layers"] == 1
    assert options["send_size"] is False
    assert options["token_merging_ratio"] == 0.5
    with pytest.raises(UnknownOption):
        options["no_such_option"]


def test_overrides_hold_for_one_call() -> None:
    options = Options()
    assert options.with_overrides({"CLIP_stop_at_last_layers": 2})["CLIP_stop_at_last_layers"] == 2
    assert options["CLIP_stop_at_last_layers"] == 1
    assert options.with_overrides({"sd_vae": None})["sd_vae"] == "Automatic"


@pytest.mark.parametrize(
    ("lenient", "set_before", "restore", "after"),
    [
        (False, False, True, "png"),
        (False, False, False, "jpg"),
        (True, False, True, "jpg"),  # The WebUI restores only what somebody had set.
        (True, True, True, "png"),
        (True, True, False, "jpg"),
    ],
)
def test_what_overrides_leave_behind(lenient: bool, set_before: bool, restore: bool, after: str) -> None:
    options = Options({"samples_format": "png"} if set_before else {}, lenient=lenient)
    options.keep({"samples_format": "jpg"}, restore)
    assert options["samples_format"] == after

"""The bodies have exactly the API's fields, types and defaults, as the WebUI's own openapi.json lists them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from lib_extension.spec import sdapi

ROOT = Path(__file__).parents[2]
RECORDED = json.loads((ROOT / "tests" / "data" / "sdapi_fields.json").read_text("utf-8"))


@pytest.mark.parametrize("name", RECORDED)
def test_fields_and_defaults(name: str):
    recorded = RECORDED[name]
    body = {f.name: f for f in fields(getattr(sdapi, name))}
    assert body.keys() == recorded.keys()
    for field_name, told in recorded.items():
        declared = body[field_name]
        default = declared.default_factory() if declared.default_factory is not MISSING else declared.default
        if told.get("required"):
            assert default is MISSING
        else:
            assert default == told.get("default"), field_name
            assert type(default) is type(told.get("default")) or told["type"] == "number", field_name


@pytest.mark.parametrize("name", RECORDED)
def test_types(name: str):
    schema = TypeAdapter(getattr(sdapi, name)).json_schema()["properties"]
    for field_name, told in RECORDED[name].items():
        shown = schema[field_name]
        types = {member.get("type") for member in shown.get("anyOf", [shown])}
        assert told["type"] in types, field_name


def test_a_body_is_read_as_a_request_body():
    read = TypeAdapter(sdapi.Img2Img).validate_python({"inpaint_full_res": 1, "mask_blur": 4, "init_images": ["x"], "no_such_field": 1})
    assert (read.inpaint_full_res, read.mask_blur, read.denoising_strength) == (True, 4, 0.75)
    with pytest.raises(ValidationError):
        TypeAdapter(sdapi.Txt2Img).validate_python({"steps": "many"})


def test_import_brings_nothing_heavy():
    """What makes it quick; how quick it is stands in the benchmark."""
    code = "import sys; import lib_extension.spec.sdapi; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True).stdout.split()
    assert "lib_extension" in loaded
    assert not {"numpy", "PIL", "torch", "pydantic", "fastapi", "httpx", "yaml"} & set(loaded)

"""Is a call of ours told a receipt where the extension is, and only there? The same call gets the same one."""

from __future__ import annotations

import re

import pytest

from lib_extension.pictures.png import open_picture, read_text_chunks
from lib_extension.spec.inventory import Host
from tests.backend.asked import PLAIN, asking, backend_over, guided_by, unit
from tests.backend.misbehaving import Misbehaving

HOSTS: tuple[Host, ...] = ("a1111", "forge", "reforge")


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_that_has_the_extension_signs_what_it_draws(host: Host) -> None:
    webui = Misbehaving(host, our_script="signs")
    backend = backend_over(webui)
    first, again, other = (backend.call(call).pictures[0].png for call in (PLAIN, PLAIN, asking(seed=6)))
    assert first == again
    receipts = [
        re.search(r"Atelier call: ([0-9a-f]{16}),", read_text_chunks(open_picture(data, what="It"))["parameters"])
        for data in (first, other)
    ]
    assert receipts[0] is not None
    assert receipts[1] is not None
    assert receipts[0][1] != receipts[1][1]
    assert [list(body["alwayson_scripts"]) for _, body in webui.calls] == [["atelier"]] * 3


def test_other_scripts_keep_their_arguments() -> None:
    webui = Misbehaving(our_script="signs")
    backend_over(webui).call(asking(alwayson_scripts=guided_by(unit())))
    assert {*webui.calls[-1][1]["alwayson_scripts"]} == {"controlnet", "atelier"}
    backend_over(webui).call(asking(alwayson_scripts={"Atelier": {"args": ["mine"]}}))
    assert webui.calls[-1][1]["alwayson_scripts"] == {"Atelier": {"args": ["mine"]}}


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_without_it_is_told_nothing(host: Host) -> None:
    webui = Misbehaving(host)
    backend_over(webui).call(PLAIN)
    assert webui.calls[-1][1]["alwayson_scripts"] == {}

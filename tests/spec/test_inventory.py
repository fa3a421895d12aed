"""Which embeddings may a prompt mean, and what tells one file from another of its name?"""

from __future__ import annotations

import pytest

from lib_extension.spec.inventory import Embedding, Inventory, Style

KNOWN = Inventory(
    host="a1111",
    embeddings=(Embedding("brass"), Embedding("bad-hands-5"), Embedding("EasyNegative"), Embedding("v2 (old)")),
    styles=(Style("noir", "black and white", "colour"),),
)


@pytest.mark.parametrize(
    ("prompt", "named"),
    [
        ("", ()),
        ("a brass watch", ("brass",)),
        ("(Brass:1.2), easynegative", ("brass", "EasyNegative")),
        ("brassy, abrass", ()),
        ("brass_2 brass2, 3brass", ("brass",)),  # digits and underscores are tokens of their own
        ("[cat:brass:0.5] bad-hands-5", ("brass", "bad-hands-5")),
        ("bad-hands-50, v2 (old)", ("bad-hands-5", "v2 (old)")),
    ],
)
def test_embeddings_that_a_prompt_may_name(prompt: str, named: tuple[str, ...]):
    assert KNOWN.embeddings_in(prompt) == named


def test_what_is_known_of_an_embedding_tells_it_from_others():
    whole = Embedding("brass", vectors=2, width=768, step=500)
    others = [Embedding("brass", vectors=3, width=768, step=500), Embedding("brass", vectors=2, width=768, step=600)]
    told = {Inventory(host="a1111", embeddings=(one,)).identity("embedding", "brass") for one in (whole, *others)}
    assert len(told) == 3
    hashed = Inventory(host="a1111", embeddings=(Embedding("brass", step=500, hash="aa11"),))
    assert hashed.identity("embedding", "brass") == "aa11"
    assert hashed.identity("embedding", "nosuch") is None


def test_a_style_is_its_text():
    assert KNOWN.identity("style", "noir") == "black and white / colour"
    assert KNOWN.identity("style", "nosuch") is None
    assert KNOWN.named("style") == ("noir",)

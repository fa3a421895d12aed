from __future__ import annotations

from pathlib import Path

from tests.trainer.data.drawn import folder, settings
from trainer.data.buckets import fit_of
from trainer.data.examples import find_examples
from trainer.data.facts import Facts, Folder, facts_of


def test_tags_buckets_and_counts(tmp_path: Path):
    folder(tmp_path / "4_mugs", 2, caption="a mug, red, red")
    (tmp_path / "4_mugs" / "1.txt").write_text("a mug, blue")
    folder(tmp_path / "reg", 3, seed=1, width=128)
    asked = settings({"folder": str(tmp_path / "4_mugs"), "trigger": "sks"}, {"folder": str(tmp_path / "reg"), "kind": "regularisation"})
    examples = find_examples(asked).examples
    facts = facts_of(examples, {one.name: fit_of(asked, one) for one in examples})
    assert facts == Facts(
        (
            Folder("4_mugs", 2, 4, False, {"sks": 2, "a mug": 2, "red": 1, "blue": 1}),
            Folder("reg", 3, 1, True, {"a mug": 3, "0": 1, "1": 1, "2": 1}),
        ),
        {(40, 88): 3, (64, 64): 8},
    )
    assert (facts.pictures, facts.trained, facts.regularisation) == (2, 8, 3)

from __future__ import annotations

from trainer.data import mistakes


def test_mistakes_are_counted_by_kind_the_fatal_ones_first():
    problems = [mistakes.CMYK.at("a/2.jpg"), *(mistakes.EMPTY_FILE.at(f"a/{number:02}.png") for number in range(12, 0, -1))]
    problems += [mistakes.CMYK.at("a/1.jpg"), mistakes.TOO_SMALL.at("a/x.png", "5×9")]
    names = ", ".join(f"a/{number:02}.png" for number in range(1, 11))
    assert mistakes.lines(problems) == [
        f"12 × {mistakes.EMPTY_FILE.what}: {names} and 2 more",
        f"1 × {mistakes.TOO_SMALL.what}: a/x.png (5×9)",
        f"2 × {mistakes.CMYK.what}: a/1.jpg, a/2.jpg",
    ]


def test_each_kind_has_a_text_of_its_own():
    assert len(mistakes.BY_TEXT) == len(mistakes.ALL)


def test_only_bad_pictures_can_be_left_out():
    assert mistakes.can_be_left_out(mistakes.BROKEN.at("a"))
    assert not mistakes.can_be_left_out(mistakes.NO_FOLDER.at("a"))
    assert not mistakes.can_be_left_out(mistakes.CMYK.at("a"))

"""Do JSON, YAML and TOML say the same, do arguments win, and are mistakes told in the file's own terms?"""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_extension.spec.errors import AtelierError
from trainer.config_file import read_config

SAME = {
    "a.json": '{"name": "no", "rate": 1e-4, "list": [{"n": 1}], "on": true}',
    "a.yaml": "name: no\nrate: 1e-4\nlist:\n- {n: 1}\non: true\n",
    "a.toml": 'name = "no"\nrate = 1e-4\non = true\n[[list]]\nn = 1\n',
}


@pytest.mark.parametrize("name", SAME)
def test_every_format_says_the_same(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(SAME[name])
    assert read_config([str(tmp_path / name)]) == {"name": "no", "rate": 1e-4, "list": [{"n": 1}], "on": True}


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("a.b=1", {"a": {"b": 1}}),
        ("a.b=1e-4", {"a": {"b": 1e-4}}),
        ("a.b=text with = in it", {"a": {"b": "text with = in it"}}),
        ("a.b=true", {"a": {"b": True}}),
        ('a.b=["x"]', {"a": {"b": ["x"]}}),
        ("list[0].n=5", {"list": [{"n": 5}]}),
        ("list[1].n=5", {"list": [{"n": 1}, {"n": 5}]}),
        ("a.b=", {"a": {"b": ""}}),
    ],
)
def test_arguments_win(argument: str, expected: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": {"b": 0}, "list": [{"n": 1}]}')
    assert read_config([str(tmp_path / "a.json"), argument]) == {"a": {"b": 0}, "list": [{"n": 1}]} | expected


@pytest.mark.parametrize(
    ("name", "text", "arguments", "said"),
    [
        ("a.json", "{", [], "is not JSON"),
        ("a.json", '{"a": 1, "a": 2}', [], '"a" twice'),
        ("a.json", "[]", [], "holds no object"),
        ("a.json", "[" * 100_000, [], "nested too deep"),
        ("a.yaml", "a: [1", [], "is not YAML"),
        ("a.yaml", "a: !!python/object:os.system {}", [], "is not YAML"),
        ("a.toml", "a = ", [], "is not TOML"),
        ("a.txt", "", [], "ends in none of"),
        ("a.json", "{}", ["steps"], "write name=value"),
        ("a.json", '{"a": 1}', ["a.b=1"], "cannot be set"),
        ("a.json", "{}", ["a[3]=1"], "cannot be set"),
    ],
)
def test_mistakes_are_told(name: str, text: str, arguments: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(AtelierError) as told:
        read_config([str(tmp_path / name), *arguments])
    assert said in str(told.value)


def test_other_encodings_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes('{"a": "ü"}'.encode("latin-1"))
    with pytest.raises(AtelierError, match="not UTF-8"):
        read_config([str(tmp_path / "a.json")])
    with pytest.raises(AtelierError, match="no file"):
        read_config([str(tmp_path / "b.json")])
    with pytest.raises(AtelierError, match="configuration is missing"):
        read_config([])

"""Does a failing installation end in one message that says what to do?"""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_extension.setup.installer import Installer, _pip_sources, clean_environment, explain


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        (
            "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError(\"Failed to establish a new connection: "
            "[Errno -3] Temporary failure in name resolution\")'\nERROR: No matching distribution found for torch==2.13.0",
            "The package index cannot be reached",
        ),
        (
            "error: Request failed after 3 retries\n  Caused by: error sending request for url (https://x)",
            "The package index cannot be reached",
        ),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "The disk is full"),
        ("OSError: [WinError 112] There is not enough space on the disk", "The disk is full"),
        ("error: failed to copy file\n  Caused by: No space left on device (os error 28)", "The disk is full"),
        ("ERROR: Could not install packages due to an OSError: [WinError 5] Access is denied: 'x.pyd'", "Files could not be written"),
        ("ERROR: No matching distribution found for torch==2.13.0", "The package index has no torch==2.13.0 for Python 3."),
        ("  x No solution found\n  because there is no version of torch==2.13.0", "The package index has no torch==2.13.0 for Python 3."),
        ("Collecting a\nERROR: ResolutionImpossible: see the docs\nbye", "Installing failed: ERROR: ResolutionImpossible: see the docs"),
        ("", "Installing failed: no output"),
    ],
)
def test_what_was_printed_becomes_one_message(printed: str, said: str) -> None:
    message = explain(printed)
    assert message.startswith(said)
    assert "\n" not in message


def test_another_pythons_packages_stay_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_USER"):
        monkeypatch.setenv(name, "/webui")
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror/simple")
    variables = clean_environment()
    assert "/webui" not in variables.values()
    assert (variables["PIP_INDEX_URL"], variables["PYTHONNOUSERSITE"]) == ("https://mirror/simple", "1")


def test_uv_is_used_where_it_is_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("PATHEXT", raising=False)
    assert Installer.find(tmp_path, tmp_path / "python", print).uv is None
    program = tmp_path / "uv"
    program.write_bytes(b"")
    program.chmod(0o755)
    assert Installer.find(tmp_path, tmp_path / "python", print).uv == str(program)


def test_uv_looks_where_pip_is_set_up_to_look_and_like_pip_into_every_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UV_INDEX", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_FIND_LINKS", "PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    settings = tmp_path / "pip.conf"
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    monkeypatch.setenv("HOME", str(tmp_path))
    settings.write_text("[global]\nindex-url = https://one/simple\n")
    assert _of(_pip_sources()) == [("--index-url", "https://one/simple")]
    settings.write_text("[global]\nextra-index-url = https://two/simple\n    https://three/simple\n")
    assert _of(_pip_sources()) == [
        ("--extra-index-url", "https://two/simple"),
        ("--extra-index-url", "https://three/simple"),
        ("--index-strategy", "unsafe-best-match"),
    ]


def _of(words: list[str]) -> list[tuple[str, str]]:
    return list(zip(words[::2], words[1::2], strict=True))

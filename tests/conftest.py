"""Fixtures for every test: tiny models, made once a session, and no network."""

from __future__ import annotations

import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # Before any Hugging Face package is imported: a test that needs the hub must fail, not download.
os.environ.setdefault("OMP_NUM_THREADS", "1")  # Before torch: tiny models lose more by threads than they gain.

import pytest
from hypothesis import HealthCheck, settings

from tests import tiny

# Nothing that depends on the clock: on a busy machine that fails tests that are right. The same examples every time: a failure must not
# come and go.
settings.register_profile("atelier", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("atelier")


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the session's tiny models lie; tests read it and write elsewhere."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def sd1_folder(models_folder: Path) -> Path:
    return tiny.tiny_sd1(models_folder / "Stable-diffusion" / "tiny_sd1")


@pytest.fixture(scope="session")
def sd2_folder(models_folder: Path) -> Path:
    return tiny.tiny_sd2(models_folder / "Stable-diffusion" / "tiny_sd2")


@pytest.fixture(scope="session")
def sdxl_folder(models_folder: Path) -> Path:
    return tiny.tiny_sdxl(models_folder / "Stable-diffusion" / "tiny_sdxl")


@pytest.fixture(scope="session")
def controlnet_folder(models_folder: Path, sd1_folder: Path) -> Path:
    return tiny.tiny_controlnet(models_folder / "ControlNet" / "tiny_controlnet", sd1_folder)

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vampprompt import audio

# Small tensors gain nothing from a second thread, and on a busy machine its barriers cost much.
# Set before PyTorch is imported, and inherited by the commands that tests run.
os.environ.setdefault("OMP_NUM_THREADS", "1")

DATA = Path(__file__).parent / "data"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the analyses of tests apart from those of whoever runs them."""
    monkeypatch.setenv("VAMPPROMPT_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="session")
def example_path() -> Path:
    """10 s of music, 44.1 kHz, one channel."""
    return DATA / "audio" / "example.wav"


@pytest.fixture(scope="session")
def sample_path() -> Path:
    """2.8 s of music whose beats and onsets are annotated beside it."""
    return DATA / "audio" / "sample.wav"


@pytest.fixture(scope="session")
def sample(sample_path: Path) -> audio.Audio:
    return audio.read(sample_path)

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from vampprompt.models.dac import DacCodec
from vampprompt.models.files import make_codec, read_weights

REFERENCE = Path(__file__).parents[1] / "data" / "reference"


@pytest.fixture(scope="session")
def reference() -> Path:
    """Small random weights in VampNet's formats."""
    return REFERENCE


@pytest.fixture(scope="session")
def expected() -> dict[str, torch.Tensor]:
    """What the original implementation gives for them."""
    with np.load(REFERENCE / "expected.npz") as file:
        return {name: torch.from_numpy(file[name]) for name in file}


@pytest.fixture(scope="session")
def codec():
    return make_codec(read_weights(REFERENCE / "codec.pth"))


@pytest.fixture(scope="session")
def small_codec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A codec for the reference models that is quicker to load than their own."""
    kwargs = {"encoder_dim": 2, "encoder_rates": [2, 2], "decoder_dim": 4, "decoder_rates": [2, 2]}
    kwargs |= {"n_codebooks": 14, "codebook_size": 96}
    torch.manual_seed(0)
    content = {"state_dict": DacCodec(**kwargs).state_dict(), "metadata": {"kwargs": kwargs}}
    path = tmp_path_factory.mktemp("codec") / "codec.pth"
    torch.save(content, path)
    return path


@pytest.fixture
def folder(tmp_path: Path, small_codec: Path) -> Path:
    """A folder in VampNet's layout, with two fine-tunes, free to be spoilt."""
    folder = tmp_path / "model"
    whole, updates = folder / "loras" / "whole", folder / "loras" / "updates"
    for one in (whole, updates):
        one.mkdir(parents=True)
    shutil.copy(small_codec, folder)
    for name in ("coarse", "c2f"):
        shutil.copy(REFERENCE / f"{name}.pth", folder)
    shutil.copy(REFERENCE / "coarse_lora.pth", whole / "coarse.pth")
    shutil.copy(REFERENCE / "lora_only.pth", updates / "coarse.pth")
    return folder

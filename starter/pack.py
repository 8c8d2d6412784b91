"""From training runs to the files that the package ships."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from vampprompt.models import Bundle
from vampprompt.models.phaseless import PhaselessCodec
from vampprompt.models.transformer import VampNet

from .codec import trained
from .settings import Settings
from .tokens import TokenSettings
from .training import load_model

LICENCE = "MIT"
_MIB = 2**20
_CODEC_SHAPE = ("width", "expansion", "n_layers", "n_codebooks")
_Model = TypeVar("_Model", bound=nn.Module)


def trained_codec(settings: Settings) -> PhaselessCodec:
    """Read the codec of a run, its weights rounded as when packed."""
    codec = trained(settings.codec, settings.work / "codebooks.pt", settings.work / "decoder")
    shape = asdict(settings.codec)
    codec.config = {"family": "phaseless", **{name: shape[name] for name in _CODEC_SHAPE}}
    return _rounded(codec)


def trained_tokens(settings: TokenSettings, codec: PhaselessCodec, folder: Path) -> VampNet:
    """Read the token model of a run, its weights rounded as the packed ones are."""
    model = settings.build(codec.codebooks)
    load_model(folder, model)
    return _rounded(model)


def pack(settings: Settings, target: Path) -> dict[str, float]:
    """Write ``config.json`` and the weights, and give each weights file's size in MiB.

    Raises
    ------
    ValueError
        If a file is larger than 16 MiB, or all are larger than 32 MiB.
    """
    codec = trained_codec(settings)
    coarse = trained_tokens(settings.coarse, codec, settings.work / "coarse")
    fine = trained_tokens(settings.fine, codec, settings.work / "fine")
    with tempfile.TemporaryDirectory() as folder:
        packed = Path(folder, "packed")
        bundle = Bundle(codec, coarse, fine, "starter", identity="", licence=LICENCE)
        bundle.save(packed, half=True)
        sizes = {path.stem: path.stat().st_size / _MIB for path in packed.glob("*.safetensors")}
        if max(sizes.values()) > 16 or sum(sizes.values()) > 32:
            raise ValueError(f"too large to ship, in MiB: {sizes}")
        target.mkdir(parents=True, exist_ok=True)
        for path in packed.iterdir():
            shutil.copyfile(path, target / path.name)
    return sizes


@torch.no_grad()
def _rounded(model: _Model) -> _Model:
    for tensor in model.state_dict().values():
        tensor.copy_(tensor.half())
    return model.eval()

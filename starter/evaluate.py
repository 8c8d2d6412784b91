"""What the models are worth, measured on clips that they were not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vampprompt.models.spectral import SpectralCodec
from vampprompt.models.transformer import VampNet

from .corpus import open_clips, to_audio
from .losses import log_mel_error
from .pack import trained_codec, trained_tokens
from .settings import Settings
from .tokens import TokenSettings, draw_windows, masked_prediction, unigram_entropy
from .training import seconds_spent

SHARES = (0.25, 0.5, 0.75, 1.0)
_SECONDS = 10


def evaluate(settings: Settings, recordings: Sequence[Path] = ()) -> dict[str, Any]:
    """Measure codec and token models on the held-out clips, and the codec on `recordings`.

    Returns
    -------
    dict
        ``codec``: mean absolute log-mel error in dB for each number of codebooks, by material;
        ``coarse``, ``fine``: cross-entropy in nats and accuracy by the share masked, and the
        unigram's cross-entropy; ``training``: parameters, steps and time of each model.
    """
    work = settings.work
    codec = trained_codec(settings.codec, work / "refine")
    clips = to_audio(open_clips(work / "held-out.npy")[:, : _SECONDS * codec.sample_rate])
    figures: dict[str, Any] = {"codec": {"held-out clips": codec_errors(codec, list(clips))}}
    for path in recordings:
        samples, _ = librosa.load(path, sr=codec.sample_rate)
        scaled = 0.08 * samples / np.sqrt(np.mean(samples**2))
        figures["codec"][path.name] = codec_errors(codec, [torch.from_numpy(scaled)])

    tokens, held_out = (np.load(work / f"{split}.tokens.npy") for split in settings.seeds)
    models: dict[str, nn.Module] = {"codec": codec, "refine": codec.decoder}
    sizes: dict[str, Any] = {"codec": settings.codec, "refine": settings.refine}
    for name, shape in {"coarse": settings.coarse, "fine": settings.fine}.items():
        model = trained_tokens(shape, codec, work / name)
        figures[name] = token_figures(model, shape, tokens, held_out)
        models[name], sizes[name] = model, shape
    figures["training"] = {
        name: {
            "parameters": sum(p.numel() for p in model.parameters()),
            "seconds": round(seconds_spent(work / name)),
            **asdict(sizes[name]),
        }
        for name, model in models.items()
    }
    return figures


@torch.no_grad()
def codec_errors(codec: SpectralCodec, clips: Sequence[Tensor]) -> list[float]:
    """Give the mean absolute log-mel error in dB of 1, 2, ... all codebooks."""
    errors = np.zeros((len(clips), codec.n_codebooks))
    for row, clip in zip(errors, clips, strict=True):
        tokens = codec.encode(clip[None, None])
        for count in range(1, codec.n_codebooks + 1):
            decoded = codec.decode(tokens[:, :count])[0, :, : len(clip)]
            row[count - 1] = float(log_mel_error(clip[None], decoded))
    return [round(float(error), 3) for error in errors.mean(0)]


@torch.no_grad()
def token_figures(
    model: VampNet,
    settings: TokenSettings,
    tokens: NDArray[np.int16],
    held_out: NDArray[np.int16],
) -> dict[str, Any]:
    """Give cross-entropy and accuracy by the share masked, and the unigram's cross-entropy."""
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    windows = draw_windows(held_out, settings, 2 * len(held_out), rng)
    figures: dict[str, Any] = {}
    for share in SHARES:
        pairs = [
            masked_prediction(model, batch, torch.full((len(batch),), share))
            for batch in torch.split(windows, 8)
        ]
        entropy, accuracy = (
            float(torch.stack(column).mean()) for column in zip(*pairs, strict=True)
        )
        figures[f"{share:.0%}"] = {"entropy": round(entropy, 3), "accuracy": round(accuracy, 4)}
    unigram = unigram_entropy(tokens, held_out)[model.n_conditioning : model.n_codebooks]
    figures["unigram"] = round(float(unigram.mean()), 3)
    return figures

"""What the codec loses by the number of codebooks, and what Opus loses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vampprompt.audio import Samples, mono, read, resample
from vampprompt.protocols import Codec

from .losses import log_mel_error
from .opus import through_opus

RATES = (1, 6, 8, 12, 16)
"""Opus's targets in kb/s; the first stands for as few as it can."""

_RMS = 0.08


def recording(path: Path, sample_rate: int) -> Samples:
    """Read one channel ``[samples]`` of a recording, scaled to 0.08 RMS."""
    audio = read(path)
    return scaled(resample(mono(audio.samples), audio.sample_rate, sample_rate))


def scaled(samples: Samples) -> Samples:
    """Give samples ``[samples]`` at 0.08 RMS."""
    return samples * np.float32(_RMS / np.sqrt(np.mean(samples**2)))


@torch.no_grad()
def codec_errors(codec: Codec, clips: Sequence[Samples]) -> list[float]:
    """Give the mean absolute log-mel error in dB of 1, 2, ... all codebooks."""
    errors = np.zeros((len(clips), codec.n_codebooks))
    for row, clip in zip(errors, clips, strict=True):
        audio = torch.from_numpy(clip)[None]
        tokens = codec.encode(audio[None])
        for count in range(1, codec.n_codebooks + 1):
            row[count - 1] = _error(audio, codec.decode(tokens[:, :count])[0, :, : len(clip)])
    return [round(float(error), 3) for error in errors.mean(0)]


def opus_errors(
    clips: Sequence[Samples], sample_rate: int, *, subtype: str = "FLOAT"
) -> list[dict[str, float]]:
    """Give Opus's mean absolute log-mel error in dB at each of `RATES`.

    Returns
    -------
    list of dict
        ``error``, and ``rate``: the mean bitrate of the packets in kb/s.
    """
    figures = []
    for rate in RATES:
        pairs = []
        for clip in clips:
            coded = through_opus(clip, sample_rate, rate, subtype=subtype)
            audio, decoded = (torch.from_numpy(one)[None] for one in (clip, coded.samples))
            pairs.append((_error(audio, decoded), coded.rate))
        error, bitrate = np.mean(pairs, axis=0)
        figures.append({"error": round(float(error), 3), "rate": round(float(bitrate), 2)})
    return figures


def bitrate(codec: Codec, vocabulary: int = 1024) -> float:
    """Give the bitrate of one codebook, in kb/s."""
    return float(np.log2(vocabulary) * codec.sample_rate / codec.hop_length / 1000)


def _error(reference: Tensor, estimate: Tensor) -> float:
    return float(log_mel_error(reference, estimate))

"""What the codec's output is compared by."""

from __future__ import annotations

from functools import cache

import librosa
import torch
from torch import Tensor

MEL_BANDS = {512: 40, 1024: 80, 2048: 120, 4096: 160}
"""Number of mel bands of each analysis window, in samples."""

FLOOR = 1e-4


def magnitudes(audio: Tensor, window: int) -> Tensor:
    """Give the magnitude spectrogram ``[batch, bin, frame]`` of audio ``[batch, samples]``."""
    spectrum = torch.stft(
        audio, window, window // 4, window=torch.hann_window(window), return_complex=True
    )
    return (spectrum.real**2 + spectrum.imag**2 + 1e-12).sqrt()


def mel_decibels(magnitude: Tensor, sample_rate: int = 44100) -> Tensor:
    """Give the level of each mel band in dB, floored at -80 dB."""
    filters = _mel_filters(2 * (magnitude.shape[-2] - 1), sample_rate)
    return 10 * (filters @ magnitude**2).clamp(min=FLOOR**2).log10()


def log_mel_error(reference: Tensor, estimate: Tensor) -> Tensor:
    """Give the mean absolute difference of two recordings' 80 mel bands, window 1024, in dB.

    Both are ``[batch, samples]`` and are scaled by what brings the reference to 0.08 RMS.
    """
    scale = 0.08 / reference.pow(2).mean(-1, keepdim=True).sqrt().clamp(min=1e-6)
    pair = (mel_decibels(magnitudes(audio * scale, 1024)) for audio in (reference, estimate))
    return (next(pair) - next(pair)).abs().mean()


def spectral_loss(reference: Tensor, estimate: Tensor, window: int) -> tuple[Tensor, Tensor]:
    """Give the mel error in dB and the relative error of the magnitudes, for one window."""
    with torch.no_grad():
        wanted = magnitudes(reference, window)
        wanted_mel = mel_decibels(wanted)
    given = magnitudes(estimate, window)
    mel = (mel_decibels(given) - wanted_mel).abs().mean()
    return mel, (given - wanted).abs().sum() / wanted.sum()


@cache
def _mel_filters(window: int, sample_rate: int) -> Tensor:
    return torch.from_numpy(
        librosa.filters.mel(sr=sample_rate, n_fft=window, n_mels=MEL_BANDS[window])
    )

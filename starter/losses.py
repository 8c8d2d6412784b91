"""What the codec's output is compared by."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import librosa
import numpy as np
import torch
from torch import Tensor

MEL_BANDS = {512: 40, 1024: 80, 2048: 120, 4096: 160}
"""Number of mel bands of each analysis window, in samples."""

FLOOR = 1e-4


class Spectral(NamedTuple):
    """How far one recording's spectrogram is from another's."""

    mel: Tensor
    """Mean absolute error of the mel bands, in dB."""
    magnitude: Tensor
    """Summed error of the magnitudes, relative to their sum."""
    level: Tensor
    """Mean absolute error of each mel band's level over the whole excerpt, in dB."""


def magnitudes(audio: Tensor, window: int) -> Tensor:
    """Give the magnitude spectrogram ``[batch, bin, frame]`` of audio ``[batch, samples]``."""
    hann = torch.hann_window(window, device=audio.device)
    spectrum = torch.stft(audio, window, window // 4, window=hann, return_complex=True)
    return (spectrum.real**2 + spectrum.imag**2 + 1e-12).sqrt()


def mel_powers(magnitude: Tensor, sample_rate: int = 44100) -> Tensor:
    """Give the power of each mel band, ``[batch, band, frame]``."""
    filters = _mel_filters(2 * (magnitude.shape[-2] - 1), sample_rate)
    return filters.to(magnitude.device) @ magnitude**2


def decibels(power: Tensor) -> Tensor:
    """Give powers in dB, floored at -80 dB."""
    return 10 * power.clamp(min=FLOOR**2).log10()


def log_mel_error(reference: Tensor, estimate: Tensor) -> Tensor:
    """Give the mean absolute difference of two recordings' 80 mel bands, window 1024, in dB.

    Both are ``[batch, samples]`` and are scaled by what brings the reference to 0.08 RMS.
    """
    scale = 0.08 / reference.pow(2).mean(-1, keepdim=True).sqrt().clamp(min=1e-6)
    pair = (
        decibels(mel_powers(magnitudes(audio * scale, 1024))) for audio in (reference, estimate)
    )
    return (next(pair) - next(pair)).abs().mean()


def spectral_loss(reference: Tensor, estimate: Tensor, window: int) -> Spectral:
    """Compare spectrograms of one window."""
    with torch.no_grad():
        wanted = magnitudes(reference, window)
        wanted_mel = mel_powers(wanted)
    given = magnitudes(estimate, window)
    given_mel = mel_powers(given)
    levels = (decibels(mel.mean(-1)) for mel in (given_mel, wanted_mel))
    return Spectral(
        mel=(decibels(given_mel) - decibels(wanted_mel)).abs().mean(),
        magnitude=(given - wanted).abs().sum() / wanted.sum(),
        level=(next(levels) - next(levels)).abs().mean(),
    )


def reconstruction(
    reference: Tensor,
    estimate: Tensor,
    rng: np.random.Generator,
    *,
    magnitude_weight: float = 3.0,
    wave_weight: float = 2.0,
) -> dict[str, Tensor]:
    """Give the error of the mel bands, the magnitudes, the waveform and the bands' levels.

    Both are ``[batch, samples]``. One analysis window is fixed, another is drawn: each costs as
    much as a network layer. ``"loss"`` is to be minimised; ``"mel"`` and ``"level"`` are those of
    the fixed window.
    """
    fixed, drawn = (
        spectral_loss(reference, estimate, window)
        for window in (1024, int(rng.choice([512, 2048, 4096])))
    )
    magnitude = (fixed.magnitude + drawn.magnitude) / 2
    wave = (reference - estimate).abs().sum() / reference.abs().sum()
    return {
        "loss": (fixed.mel + drawn.mel) / 2 + magnitude_weight * magnitude + wave_weight * wave,
        "mel": fixed.mel,
        "magnitude": magnitude,
        "wave": wave,
        "level": fixed.level,
    }


@cache
def _mel_filters(window: int, sample_rate: int) -> Tensor:
    return torch.from_numpy(
        librosa.filters.mel(sr=sample_rate, n_fft=window, n_mels=MEL_BANDS[window])
    )

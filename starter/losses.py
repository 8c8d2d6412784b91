"""What the codec's output is compared by."""

from __future__ import annotations

from functools import cache

import librosa
import torch
from torch import Tensor
from torch.nn import functional

from vampprompt.models.phaseless import PhaselessCodec

FLOOR = 1e-4

_QUIETEST = 1e-11
"""The power below which nothing is heard, a sine at full scale being 1."""
_KNEE = -60.0
"""Levels below this one count half, in dB."""
_LOUDNESS = 0.3
"""The power of power that is about as loud."""
_PATCH = (3, 8)
"""Windows and bins over which unevenness is compared."""


def magnitudes(audio: Tensor, window: int) -> Tensor:
    """Give the magnitude spectrogram ``[batch, bin, frame]`` of audio ``[batch, samples]``."""
    hann = torch.hann_window(window, device=audio.device)
    spectrum = torch.stft(audio, window, window // 4, window=hann, return_complex=True)
    return (spectrum.real**2 + spectrum.imag**2 + 1e-12).sqrt()


def mel_powers(magnitude: Tensor, sample_rate: int = 44100) -> Tensor:
    """Give the power of each of 80 mel bands, ``[batch, band, frame]``."""
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


def spectrum(codec: PhaselessCodec, audio: Tensor, made: Tensor, inner: slice) -> dict[str, Tensor]:
    """Compare magnitudes that a codec made with those of the sound.

    Parameters
    ----------
    codec
        Whose windows they are of.
    audio
        ``[batch, samples]``, with what the windows at the ends reach over.
    made
        In dB of a sine, ``[batch, window, bin]``.
    inner
        The windows that count.

    Returns
    -------
    dict
        ``loss``, to be minimised, and its terms: ``level`` is the mean absolute error of bins in
        dB, ``mel`` that of mel bands, ``loudness`` the relative error of powers to the power of
        0.3, ``unevenness`` how far neighbouring bins differ too little or too much, in dB.
    """
    frames = audio.unfold(-1, codec.window_length, codec.subhop)[:, inner]
    bins = torch.fft.rfft(frames * (2 / codec.window.sum() * codec.window))
    wanted = bins.real**2 + bins.imag**2
    given = 10 ** (made[:, inner] / 10)
    levels = [_counted(power) for power in (given, wanted)]
    loud_given, loud_wanted = ((power + 1e-12) ** _LOUDNESS for power in (given, wanted))
    filters = _mel_filters(codec.window_length, codec.sample_rate).to(audio.device)
    filters = filters / filters.sum(1, keepdim=True)
    mels = [10 * torch.log10(power @ filters.T + _QUIETEST) for power in (given, wanted)]
    uneven = [functional.avg_pool2d(level.diff(dim=-1).abs()[:, None], _PATCH) for level in levels]
    terms = {
        "level": (levels[0] - levels[1]).abs().mean(),
        "loudness": (loud_given - loud_wanted).abs().mean() / loud_wanted.mean(),
        "mel": (mels[0] - mels[1]).abs().mean(),
        "unevenness": (uneven[0] - uneven[1]).abs().mean(),
    }
    loss = terms["level"] + 10 * terms["loudness"] + terms["mel"] + 0.7 * terms["unevenness"]
    return {"loss": loss, **terms}


def _counted(power: Tensor) -> Tensor:
    level = 10 * torch.log10(power + _QUIETEST)
    return torch.where(level > _KNEE, level, _KNEE + (level - _KNEE) / 2)


@cache
def _mel_filters(window: int, sample_rate: int) -> Tensor:
    return torch.from_numpy(librosa.filters.mel(sr=sample_rate, n_fft=window, n_mels=80))

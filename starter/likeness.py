"""How alike a recording and what was made of it are: in pitch, in noisiness and in beats.

All take one channel of samples, ``[samples]``, float32.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import librosa
import mir_eval
import numpy as np
import torch
from numpy.typing import NDArray

from vampprompt.audio import Samples
from vampprompt.units import FloatArray

from .losses import log_mel_error

HOP = 1024
_CHROMA_WINDOW, _FLATNESS_WINDOW, _LEVEL_WINDOW = 4096, 2048, 4096
_AUDIBLE_DB = 40
_QUARTER = 25
_HEARD = 0.5


def audible(samples: Samples) -> NDArray[np.bool_]:
    """Say in which frames, ``[frame]`` of 1024 samples, RMS is within 40 dB of the loudest."""
    level = librosa.feature.rms(y=samples, frame_length=_LEVEL_WINDOW, hop_length=HOP)[0]
    return cast(NDArray[np.bool_], level >= level.max() * 10 ** (-_AUDIBLE_DB / 20))


def chroma(samples: Samples, sample_rate: int) -> FloatArray:
    """Give the strength of each pitch class, the strongest being 1, ``[12, frame]``."""
    found: FloatArray = librosa.feature.chroma_stft(
        y=samples, sr=sample_rate, n_fft=_CHROMA_WINDOW, hop_length=HOP, tuning=0
    )
    return found


def chroma_correlation(given: Samples, made: Samples, sample_rate: int) -> float:
    """Give Pearson's correlation over the pitch classes, mean over the given's audible frames.

    A frame in which either has no pitch class before others counts as 0.
    """
    pair = [chroma(one, sample_rate)[:, audible(given)] for one in (given, made)]
    given_chroma, made_chroma = (one - one.mean(axis=0) for one in pair)
    spread = np.linalg.norm(given_chroma, axis=0) * np.linalg.norm(made_chroma, axis=0)
    products = (given_chroma * made_chroma).sum(axis=0)
    return float(np.mean(np.divide(products, spread, out=0 * products, where=spread > 1e-9)))


def flatness(samples: Samples, frames: NDArray[np.bool_]) -> float:
    """Give the median spectral flatness of some frames: near 0 for tones, 0.5 for noise."""
    found = librosa.feature.spectral_flatness(y=samples, n_fft=_FLATNESS_WINDOW, hop_length=HOP)
    return float(np.median(found[0, frames]))


def flatness_ratio(given: Samples, made: Samples) -> float:
    """Give how much flatter spectra became, in the frames in which the given is audible."""
    frames = audible(given)
    return flatness(made, frames) / flatness(given, frames)


def geometric_mean(ratios: Sequence[float]) -> float:
    """Give the mean of ratios, by which twice and half make 1."""
    return float(np.exp(np.mean(np.log(ratios))))


def clarity(samples: Samples, sample_rate: int) -> FloatArray:
    """Give the largest pitch class over the mean, 1 to 12, in each whole second: ``[second]``.

    A second that is silent for half of it has none, and counts as 1.
    """
    found, heard = chroma(samples, sample_rate), audible(samples)
    edges = np.round(np.arange(len(samples) // sample_rate + 1) * sample_rate / HOP).astype(int)
    clear = []
    for start, stop in pairwise(edges):
        within = heard[start:stop]
        mean = (found[:, start:stop] * within).mean(axis=1)
        silent = within.mean() < _HEARD or not mean.any()
        clear.append(1.0 if silent else mean.max() / mean.mean())
    return np.array(clear)


def clear_share(made: FloatArray, given: FloatArray) -> float:
    """Give the share of seconds at least as clear as the lower quartile of the given's."""
    return float(np.mean(made >= np.percentile(given, _QUARTER)))


def error(given: Samples, made: Samples) -> float:
    """Give the mean absolute log-mel difference in dB."""
    return float(log_mel_error(*(torch.from_numpy(one)[None] for one in (given, made))))


def beat_f(given: FloatArray, made: FloatArray) -> float:
    """Give the F-measure of beats in seconds, within 70 ms."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mir_eval warns where nothing is heard
        return float(mir_eval.beat.f_measure(given, made))
